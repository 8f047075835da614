import { EMPTY_BYTES } from '../core/bytes.ts';
import type { BlockInfo, Misbehavior, Timestamp, VoteInfo } from '../framework/context.ts';
import type { StateError } from '../framework/errors.ts';
import { attribute, type Event, withAttribute } from '../framework/events.ts';
import {
  type CommitInfo,
  type ExecTxResult,
  type Misbehavior as WireMisbehavior,
  MisbehaviorType,
  type RequestFinalizeBlock,
} from '../proto/gen/tendermint/abci/types.ts';
import { BlockIDFlag } from '../proto/gen/tendermint/types/validator.ts';
import type { TxOutcome } from './run-tx.ts';

/** The block of a FinalizeBlock request, as modules see it; `appHash` is that of the commit before it. */
export function blockOf(
  request: RequestFinalizeBlock,
  chain: { readonly chainId: string; readonly appHash: Uint8Array },
): BlockInfo {
  return {
    ...chain,
    height: request.height,
    time: request.time,
    proposerAddress: request.proposerAddress,
    hash: request.hash,
    lastCommit: votesOf(request.decidedLastCommit),
    misbehavior: request.misbehavior.flatMap(misbehaviorOf),
    nextValidatorsHash: request.nextValidatorsHash,
  };
}

/** A moment between blocks: genesis, CheckTx, queries. */
export function momentOf(chainId: string, height: bigint, time: Timestamp): BlockInfo {
  return {
    chainId,
    height,
    time,
    proposerAddress: EMPTY_BYTES,
    hash: EMPTY_BYTES,
    lastCommit: [],
    misbehavior: [],
    nextValidatorsHash: EMPTY_BYTES,
    appHash: EMPTY_BYTES,
  };
}

function votesOf({ votes }: CommitInfo): readonly VoteInfo[] {
  return votes.map(({ validator, blockIdFlag }) => ({
    validatorAddress: validator.address,
    power: validator.power,
    absent: blockIdFlag === BlockIDFlag.BLOCK_ID_FLAG_ABSENT,
  }));
}

/** A kind that is not known counts for nothing, as in the SDK. */
function misbehaviorOf({ type, validator, height, time }: WireMisbehavior): readonly Misbehavior[] {
  const kind = KINDS.get(type);
  if (kind === undefined) return [];
  return [{ kind, validatorAddress: validator.address, power: validator.power, height, time }];
}

const KINDS: ReadonlyMap<number, Misbehavior['kind']> = new Map([
  [MisbehaviorType.DUPLICATE_VOTE, 'duplicate-vote'],
  [MisbehaviorType.LIGHT_CLIENT_ATTACK, 'light-client-attack'],
]);

/** An outcome as ABCI reports it, for blocks and for CheckTx. */
export function resultOf(outcome: TxOutcome): ExecTxResult {
  const { code, codespace, log } = failureOf(outcome.error);
  return {
    code,
    codespace,
    log,
    data: outcome.data,
    info: '',
    gasWanted: BigInt.asIntN(64, outcome.gasWanted),
    gasUsed: outcome.gasUsed,
    events: outcome.events,
  };
}

const SUCCESS = { code: 0, codespace: '', log: '' } as const;

/** Code, codespace and log of a failure; of a success when undefined. */
export function failureOf(error: StateError | undefined): {
  readonly code: number;
  readonly codespace: string;
  readonly log: string;
} {
  if (error === undefined) return SUCCESS;
  const { code, codespace } = error.kind;
  return { code, codespace, log: error.message };
}

/** The result of bytes that are no transaction. */
export function undecodable(error: StateError): ExecTxResult {
  return { ...failureOf(error), data: EMPTY_BYTES, info: '', gasWanted: 0n, gasUsed: 0n, events: [] };
}

/** Events of a hook say which one they come from. */
export function hookEvents(events: readonly Event[], mode: 'BeginBlock' | 'EndBlock'): readonly Event[] {
  return events.map((emitted) => withAttribute(emitted, attribute('mode', mode)));
}
