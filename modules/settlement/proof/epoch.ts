/** What the chain checks of an epoch at once: that its sums and rows add up. */
import type {
  DeltaRow,
  EpochCommitment,
  SumTree,
} from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { HASH_BYTES } from '../../../core/hash.ts';
import { ALLOCATIONS, ENTITLEMENTS, RECEIPTS, type SumTreeKind } from './kinds.ts';
import { isPlace } from './leaves.ts';
import { refuse } from './refuse.ts';

/** Sums of an epoch's receipts, by party. */
export interface EpochSums {
  readonly platform: bigint;
  readonly models: bigint;
  readonly stakers: bigint;
  readonly contributors: bigint;
}

/**
 * `claimed = Σ receipts = Σ parts`, `Σ rows + Σ entitlements = Σ allocations = models + contributors`, and the
 * rows' ranges follow each other.
 * @param claimed what the epoch is to divide
 * @throws DecodeError saying what does not add up
 */
export function checkEpoch(epoch: EpochCommitment, claimed: bigint): EpochSums {
  const { receipts, allocations, rows, entitlements } = epoch;
  checkTree(RECEIPTS, receipts, 'receipts');
  checkTree(ALLOCATIONS, allocations, 'allocations');
  checkTree(ENTITLEMENTS, entitlements, 'entitlements');
  const sums = sumsOfEpoch(epoch);
  const total = sums.platform + sums.models + sums.stakers + sums.contributors;
  if (total !== claimed) refuse(`receipts add up to ${total}, ${claimed} was claimed`);
  const allocated = allocations.sums[0] ?? 0n;
  if (allocated !== sums.models + sums.contributors)
    refuse(
      `allocations add up to ${allocated}, models and contributors get ${sums.models + sums.contributors}`,
    );
  const end = endOfRows(rows);
  const rest = entitlements.sums[0] ?? 0n;
  const paid = rows.reduce((sum, { amount }) => sum + amount, rest);
  if (paid !== allocated) refuse(`rows and entitlements add up to ${paid}, allocations to ${allocated}`);
  const left = allocations.leaves - end;
  if (left < 0 || (entitlements.leaves === 0) !== (left === 0) || entitlements.leaves > left)
    refuse(
      `rows end at allocation ${end} of ${allocations.leaves}, with ${entitlements.leaves} entitlements`,
    );
  return sums;
}

/** Sums of an epoch's receipts, by party. */
export function sumsOfEpoch({ receipts }: EpochCommitment): EpochSums {
  const [platform = 0n, models = 0n, stakers = 0n, contributors = 0n] = receipts.sums;
  return { platform, models, stakers, contributors };
}

function checkTree({ columns }: SumTreeKind, { root, leaves, sums }: SumTree, what: string): void {
  const isEmpty = leaves === 0;
  if (root.length !== (isEmpty ? 0 : HASH_BYTES))
    refuse(`the root of ${what} is not one of ${leaves} leaves`);
  if (sums.length !== (isEmpty ? 0 : columns)) refuse(`${what} have ${columns} sums`);
}

function endOfRows(rows: readonly DeltaRow[]): number {
  let end = 0;
  for (const [i, row] of rows.entries()) {
    if (row.end <= end || row.amount === 0n) refuse(`row ${i} has no allocations`);
    if (!isPlace(row.place)) refuse(`row ${i} names no place`);
    end = row.end;
  }
  return end;
}
