/**
 * Proposer priorities of a validator set that somebody else has sent. They are not in the set's hash, so a
 * header does not vouch for them; who starts from wrong ones (state sync) sees other proposers than the rest
 * of the chain and forks off it (GHSA-g5xx-c4hv-9ccc, ASA-2024-009). Three defences:
 *
 * 1. `samePriorities`: primary and witnesses agree; the light client always asks for it. Each priority is
 *    compared: CometBFT's hash over them, up to v0.38.21, covers the last one only (cometbft#5613).
 * 2. `checkPriorities`: they can have come out of the algorithm.
 * 3. `checkSuccessor`: those of the next height follow from them, and so does the proposer that its header
 *    names, which is signed. State sync has three heights in a row and checks both pairs.
 */
import { equalBytes } from '../core/bytes.ts';
import { LedgerError } from '../core/errors.ts';
import { incrementProposerPriority } from '../consensus/proposer.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import type { ValidatorSet } from '../consensus/types/validator.ts';

/** Rounds that are tried for the proposer of a header; commits of later rounds are not checked for it. */
const ROUNDS_TRIED_MAX = 1000;
/** Priorities are rescaled to two total powers; one turn adds at most one more. */
const SPREAD_IN_TOTALS = 3n;

/** True when two sets of the same members have the same priorities. */
export function samePriorities(a: ValidatorSet, b: ValidatorSet): boolean {
  return (
    a.validators.length === b.validators.length &&
    a.validators.every((each, i) => {
      const other = b.validators[i];
      return (
        other !== undefined &&
        equalBytes(each.address, other.address) &&
        each.proposerPriority === other.proposerPriority
      );
    })
  );
}

/**
 * Checks that the priorities of a light block's validators can be right.
 * @throws LedgerError `light.priorities`
 */
export function checkPriorities(block: LightBlock): void {
  const { validators: set } = block;
  const priorities = set.validators.map((each) => each.proposerPriority);
  const sum = priorities.reduce((total, each) => total + each, 0n);
  const count = BigInt(priorities.length);
  // Each turn begins centred, by an average that is rounded down: what is left is less than one for each member.
  if (sum >= count || sum < 0n) throw wrong(block, 'their sum is not about zero');
  const low = priorities.reduce((a, b) => (b < a ? b : a));
  const high = priorities.reduce((a, b) => (b > a ? b : a));
  if (high - low > SPREAD_IN_TOTALS * set.totalVotingPower) throw wrong(block, 'they are too far apart');
}

/**
 * Checks that the next height follows from these priorities, when no validator changed between the two: its
 * own are those one turn later, and the proposer of its header is whose turn it was in some round up to that
 * of its commit. A changed set cannot be checked this way and is left to `checkPriorities`.
 * @throws LedgerError `light.priorities`
 */
export function checkSuccessor(block: LightBlock, next: LightBlock): void {
  if (!equalBytes(block.header.validatorsHash, next.header.validatorsHash)) return;
  const { header, commit } = next;
  let turned = incrementProposerPriority(block.validators, 1);
  if (!samePriorities(turned, next.validators))
    throw wrong(next, `they do not follow from those of height ${block.header.height}`);
  for (let round = 0; round <= Math.min(commit.round, ROUNDS_TRIED_MAX); round++) {
    if (turned.proposer !== undefined && equalBytes(turned.proposer.address, header.proposerAddress)) return;
    turned = incrementProposerPriority(turned, 1);
  }
  if (commit.round <= ROUNDS_TRIED_MAX)
    throw wrong(next, 'the proposer of the header does not follow from them');
}

function wrong(block: LightBlock, why: string): LedgerError {
  const { height } = block.header;
  return new LedgerError(
    'light.priorities',
    `the proposer priorities of the validators of height ${height} cannot be right: ${why}. ` +
      'Use another provider.',
    { height },
  );
}
