/** What the chain vouches for about the state after a height: three headers in a row, and the parameters. */
import { incrementProposerPriority } from '../../consensus/proposer.ts';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import { equalBlockId } from '../../consensus/types/block-id.ts';
import { type ConsensusParams, consensusParamsHash } from '../../consensus/types/params.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import { equalBytes } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { checkPriorities, checkSuccessor, samePriorities } from '../../light/priorities.ts';
import type { TrustedChain } from './ports.ts';

/** The state after `last`, as far as headers tell it. */
export interface TrustedState {
  /** The block of the snapshot's height. */
  readonly last: LightBlock;
  /** The next block: its header has the hash of the state, and of the results, after `last`. */
  readonly current: LightBlock;
  /** Its validators were chosen by `last`. */
  readonly next: LightBlock;
  /** Who decides the next block, with the exact proposer where it can be known. */
  readonly validators: ValidatorSet;
  readonly nextValidators: ValidatorSet;
  /** For the next block. */
  readonly params: ConsensusParams;
}

/**
 * The verified state after a height. Headers do not vouch for proposer priorities: they must be possible and
 * follow from each other, and several nodes must tell the same (ASA-2024-009).
 * @throws LedgerError `light.*`, `statesync.params`
 */
export async function trustedState(chain: TrustedChain, height: bigint): Promise<TrustedState> {
  const last = await chain.lightBlock(height);
  const current = await chain.lightBlock(height + 1n);
  const next = await chain.lightBlock(height + 2n);
  for (const block of [last, current, next]) checkPriorities(block);
  checkSuccessor(last, current);
  checkSuccessor(current, next);
  if (!equalBlockId(current.header.lastBlockId, last.commit.blockId))
    throw new LedgerError('light.conflict', `header ${height + 1n} names another block before it`, {
      height,
    });
  const params = checkParams(await chain.consensusParams(height + 1n), current);
  const validators = turned(last.validators, current.validators);
  return { last, current, next, params, validators, nextValidators: turned(validators, next.validators) };
}

/** Pages of validators do not say whose turn it is: one turn after the set before, it is known. */
function turned(before: ValidatorSet, after: ValidatorSet): ValidatorSet {
  const turn = incrementProposerPriority(before, 1);
  return samePriorities(turn, after) ? turn : after;
}

function checkParams(params: ConsensusParams, { header }: LightBlock): ConsensusParams {
  const { height } = header;
  const isRight =
    equalBytes(consensusParamsHash(params), header.consensusHash) &&
    params.version.app === header.version.app;
  if (isRight) return params;
  throw new LedgerError(
    'statesync.params',
    `the consensus parameters that the RPC servers give for height ${height} are not those of its header: ` +
      'put others into statesync.rpc_servers',
    { height },
  );
}
