import { LedgerError } from '../../core/errors.ts';
import type { Commit } from './commit.ts';
import { compareTime, type Time, ZERO_TIME } from './time.ts';
import type { ValidatorSet } from './validator.ts';
import { validatorByAddress } from './validator-set.ts';

/**
 * BFT time: the median of the times of all precommits in a commit, those for nil too, weighted by voting
 * power. It lies between the times of honest validators, as long as less than a third of the power is
 * faulty. The time of the block that carries the commit. Only for commits that `verifyCommit` took.
 * Source: CometBFT v0.38 `state/state.go` (MedianTime), `types/time/time.go` (WeightedMedian).
 * @throws LedgerError `commit.address` when somebody signed who is not in the set
 */
export function medianTime(commit: Commit, validators: ValidatorSet): Time {
  const weighted: { readonly time: Time; readonly power: bigint }[] = [];
  let total = 0n;
  for (const [index, entry] of commit.signatures.entries()) {
    if (entry.blockIdFlag === 'absent') continue;
    const validator = validatorByAddress(validators, entry.validatorAddress);
    if (validator === undefined) {
      throw new LedgerError('commit.address', 'commit entry is not of a validator', { index });
    }
    total += validator.votingPower;
    weighted.push({ time: entry.timestamp, power: validator.votingPower });
  }
  weighted.sort((a, b) => compareTime(a.time, b.time));
  let rest = total / 2n;
  for (const { time, power } of weighted) {
    if (rest <= power) return time;
    rest -= power;
  }
  return ZERO_TIME;
}
