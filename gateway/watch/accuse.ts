/**
 * Judges what is known of an epoch of which a part is missing: each known leaf is accused of each rule
 * that is about it, and the verifier that the chain runs says what convicts. What needs a leaf that is
 * missing is left for later. Of an epoch that is whole `findEpochFraud` says it in less time.
 */
import { DecodeError } from '../../core/errors.ts';
import { leavesOfRun, type Run } from '../../core/leaf-run.ts';
import type { EpochChain } from '../../modules/settlement/proof/chain.ts';
import { verifyEpochFraud } from '../../modules/settlement/proof/fraud.ts';
import { decodeAllocation, decodeReceipt } from '../../modules/settlement/proof/leaves.ts';
import { type EpochFraud, EpochRule } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { openEpochFraud } from '../epochs/open-fraud.ts';
import { NotServedError } from '../epochs/published.ts';
import type { FetchedEpoch } from './fetched-epoch.ts';

interface Accusation {
  readonly rule: EpochRule;
  readonly index: number;
}

/** What convicts by what is known; undefined when nothing does. */
export function accuse(epoch: FetchedEpoch, chain: EpochChain): EpochFraud | undefined {
  const on = { epoch: epoch.commitment, chain };
  for (const { rule, index } of accusations(epoch)) {
    try {
      const fraud = openEpochFraud(epoch, rule, { index });
      verifyEpochFraud(on, fraud);
      return fraud;
    } catch (error) {
      // The rule holds here, or something of it is missing.
      if (!(error instanceof DecodeError) && !(error instanceof NotServedError)) throw error;
    }
  }
  return undefined;
}

function* accusations(epoch: FetchedEpoch): Iterable<Accusation> {
  const { receipts, allocations, entitlements, commitment } = epoch;
  for (const index of leavesIn(receipts.runs())) yield* ofReceipt(epoch, index);
  for (const index of leavesIn(allocations.runs())) yield* ofAllocation(epoch, index);
  let start = 0;
  for (const [index, { end }] of commitment.rows.entries()) {
    if (allocations.has(start) && allocations.has(end - 1)) yield { rule: EpochRule.EPOCH_RULE_ROW, index };
    start = end;
  }
  for (const index of leavesIn(entitlements.runs())) {
    if (index === 0 || entitlements.has(index - 1)) yield { rule: EpochRule.EPOCH_RULE_ENTITLEMENT, index };
  }
}

function* ofReceipt(epoch: FetchedEpoch, index: number): Iterable<Accusation> {
  const { receipts } = epoch;
  if (index === 0 || receipts.has(index - 1)) yield { rule: EpochRule.EPOCH_RULE_LANE, index };
  if (index + 1 === receipts.tree.leaves) yield { rule: EpochRule.EPOCH_RULE_LANE, index: index + 1 };
  yield { rule: EpochRule.EPOCH_RULE_FEE, index };
  yield { rule: EpochRule.EPOCH_RULE_SPLIT, index };
  const receipt = decodeReceipt(receipts.leaf(index));
  if (receipt !== undefined && epoch.attribution(receipt.attribution) !== undefined)
    yield { rule: EpochRule.EPOCH_RULE_ATTRIBUTION, index };
}

function* ofAllocation({ allocations, receipts }: FetchedEpoch, index: number): Iterable<Accusation> {
  if (allocations.has(index + 1)) yield { rule: EpochRule.EPOCH_RULE_ORDER, index };
  const { receipt = 0 } = decodeAllocation(allocations.leaf(index)) ?? {};
  if (receipt >= receipts.tree.leaves || receipts.has(receipt))
    yield { rule: EpochRule.EPOCH_RULE_ALLOCATION, index };
}

function* leavesIn(runs: Iterable<Run>): Iterable<number> {
  for (const run of runs) yield* leavesOfRun(run);
}
