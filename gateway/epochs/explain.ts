/** Why a place got what it got of an epoch: the receipts, with what proves each. */
import {
  type Allocation,
  comparePlaces,
  decodeAllocation,
  decodeReceipt,
  type Receipt,
} from '../../modules/settlement/proof/leaves.ts';
import { defined } from '../../core/errors.ts';
import type { AllocationProof, Place } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { openLeaves, type PublishedEpoch } from './published.ts';

/** An amount, the receipt that it is of, and where it stands. */
export interface ExplainedAllocation {
  /** Of the allocation. */
  readonly index: number;
  readonly allocation: Allocation;
  readonly receipt: Receipt;
}

/** Everything that a place got, in the order of receipts. A right epoch is assumed. */
export function* allocationsOf(epoch: PublishedEpoch, place: Place): Generator<ExplainedAllocation> {
  const { allocations, receipts } = epoch;
  const { leaves } = allocations.tree;
  const at = (index: number): Allocation => defined(decodeAllocation(allocations.leaf(index)), 'allocation');
  let first = 0;
  for (let high = leaves; first < high; ) {
    const middle = Math.floor((first + high) / 2);
    if (comparePlaces(at(middle).place, place) < 0) first = middle + 1;
    else high = middle;
  }
  for (let index = first; index < leaves; index++) {
    const allocation = at(index);
    if (comparePlaces(allocation.place, place) !== 0) return;
    const receipt = defined(decodeReceipt(receipts.leaf(allocation.receipt)), 'receipt');
    yield { index, allocation, receipt };
  }
}

/** What shows an allocation and its receipt to whoever has the epoch's roots. */
export function proveAllocation(epoch: PublishedEpoch, index: number): AllocationProof {
  const { receipt } = defined(decodeAllocation(epoch.allocations.leaf(index)), 'allocation');
  return {
    index,
    allocation: openLeaves(epoch.allocations, [index]),
    receipt: openLeaves(epoch.receipts, [receipt]),
  };
}
