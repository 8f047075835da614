/** Made-up validators, blocks and votes for tests: nothing is really signed. */
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { newValidatorSet } from '../proposer.ts';
import { type BlockId, NIL_BLOCK_ID } from '../types/block-id.ts';
import type { Proposal } from '../types/proposal.ts';
import type { Time } from '../types/time.ts';
import type { ValidatorSet } from '../types/validator.ts';
import type { Vote, VoteType } from '../types/vote.ts';

/** The time on everything made here. */
export const TEST_TIME: Time = { seconds: 1_700_000_000n, nanos: 0 };

const SIGNATURE = Uint8Array.of(1);
const NOTHING = new Uint8Array(0);

/** Validators with these powers. */
export function testValidators(...powers: readonly bigint[]): ValidatorSet {
  return newValidatorSet(
    powers.map((votingPower, i) => ({
      publicKey: { type: 'ed25519' as const, bytes: sha256(utf8(`test validator ${i}`)) },
      votingPower,
    })),
  );
}

/** The id of a block with that name; undefined is nil. */
export function testBlock(name: string | undefined): BlockId {
  if (name === undefined) return NIL_BLOCK_ID;
  const hash = sha256(utf8(`test block ${name}`));
  return { hash, partSetHeader: { total: 1, hash } };
}

/**
 * A vote of the validator at `from` for the block with that name, nil when there is none. Height 1 unless
 * told.
 */
export function testVote(
  validators: ValidatorSet,
  vote: {
    readonly type: VoteType;
    readonly round: number;
    readonly from: number;
    readonly for?: string;
    readonly height?: bigint;
  },
): Vote {
  const blockId = testBlock(vote.for);
  return {
    type: vote.type,
    height: vote.height ?? 1n,
    round: vote.round,
    blockId,
    timestamp: TEST_TIME,
    validatorAddress: defined(validators.validators[vote.from], 'validator').address,
    validatorIndex: vote.from,
    signature: concatBytes(SIGNATURE, blockId.hash),
    extension: NOTHING,
    extensionSignature: NOTHING,
  };
}

/** A proposal of the block with that name. Height 1 and without proof of lock unless told. */
export function testProposal(proposal: {
  readonly round: number;
  readonly block: string;
  readonly polRound?: number;
  readonly height?: bigint;
}): Proposal {
  return {
    height: proposal.height ?? 1n,
    round: proposal.round,
    polRound: proposal.polRound ?? -1,
    blockId: testBlock(proposal.block),
    timestamp: TEST_TIME,
    signature: SIGNATURE,
  };
}
