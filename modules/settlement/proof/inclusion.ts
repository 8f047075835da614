/** What a recipient shows: that an amount is in an epoch, and which receipt it is of. */
import type {
  AllocationProof,
  DeltaRow,
  EpochCommitment,
  EpochOpening,
} from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { ALLOCATIONS, ENTITLEMENTS, RECEIPTS } from './kinds.ts';
import {
  type Allocation,
  decodeAllocation,
  decodeEntitlement,
  decodeReceipt,
  type Receipt,
} from './leaves.ts';
import { EpochOpenings } from './openings.ts';
import { refuse, wellFormed } from './refuse.ts';

/** An amount and what it is of. */
export interface ProvedAllocation {
  readonly allocation: Allocation;
  readonly receipt: Receipt;
}

/** @throws DecodeError when the epoch does not hold this allocation of this receipt */
export function verifyAllocation(
  { allocations, receipts }: Pick<EpochCommitment, 'allocations' | 'receipts'>,
  { index, allocation: allocationOpening, receipt: receiptOpening }: AllocationProof,
): ProvedAllocation {
  const openings = new EpochOpenings([allocationOpening, receiptOpening]);
  const allocation = wellFormed(decodeAllocation(openings.takeOne(ALLOCATIONS, allocations, index)));
  if (allocation.receipt >= receipts.leaves) refuse(`there is no receipt ${allocation.receipt}`);
  const leaf = openings.takeOne(RECEIPTS, receipts, allocation.receipt);
  return { allocation, receipt: wellFormed(decodeReceipt(leaf)) };
}

/** @throws DecodeError when the epoch has no such entitlement */
export function verifyEntitlement(
  { entitlements }: Pick<EpochCommitment, 'entitlements'>,
  index: number,
  opening: EpochOpening,
): DeltaRow {
  const leaf = new EpochOpenings([opening]).takeOne(ENTITLEMENTS, entitlements, index);
  return wellFormed(decodeEntitlement(leaf));
}
