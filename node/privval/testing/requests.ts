/** Things to sign. */
import type { BlockId } from '../../../consensus/types/block-id.ts';
import type { VoteType } from '../../../consensus/types/vote.ts';
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { ProposalToSign, VoteToSign } from '../priv-validator.ts';

/** The chain that test signers sign for. */
export const CHAIN = 'test-chain';
/** The secret of the validator's key. */
export const SECRET: Uint8Array = sha256(utf8('validator seed'));

/** A block id by name. */
export const block = (name: string): BlockId => ({
  hash: sha256(utf8(name)),
  partSetHeader: { total: 1, hash: sha256(utf8(`${name} parts`)) },
});

/** What of a vote tests vary besides its place. */
export interface VoteRest {
  readonly blockId?: BlockId;
  readonly seconds?: bigint;
}

/** A vote for block "a" unless said otherwise. */
export function vote(
  type: VoteType,
  at: { readonly height: bigint; readonly round: number },
  rest: VoteRest = {},
): VoteToSign {
  return {
    type,
    ...at,
    blockId: rest.blockId ?? block('a'),
    validatorAddress: new Uint8Array(20),
    validatorIndex: 0,
    timestamp: { seconds: rest.seconds ?? 1000n, nanos: 7 },
  };
}

/** A proposal of block "a" unless said otherwise. */
export function proposal(height: bigint, round: number, blockId: BlockId = block('a')): ProposalToSign {
  return { height, round, polRound: -1, blockId, timestamp: { seconds: 1000n, nanos: 0 } };
}
