/**
 * Conviction of an epoch. Every statement of an epoch is about a constant number of leaves; the README of the
 * module has the table of rules, and why what is left out needs none.
 */
import { equalBytes } from '../../../core/bytes.ts';
import {
  type DeltaRow,
  type EpochCommitment,
  type EpochFraud,
  EpochRule,
} from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { attributionHolds, decodeAttribution, duesOf, isAttributionOf } from './attribution.ts';
import type { EpochChain, ModelTerms } from './chain.ts';
import { ALLOCATIONS, ENTITLEMENTS, RECEIPTS } from './kinds.ts';
import { laneHolds } from './lane.ts';
import { quoteOf } from './quote.ts';
import {
  compareAllocations,
  comparePlaces,
  decodeAllocation,
  decodeEntitlement,
  decodeReceipt,
  type Receipt,
  sameLane,
  sumsOfParts,
} from './leaves.ts';
import { formHolds, nodeHolds } from './node-fraud.ts';
import { EpochOpenings } from './openings.ts';
import { refuse, wellFormed } from './refuse.ts';
import { equalSums } from './sum-tree.ts';

/** An epoch and the chain that it is on. */
export interface EpochOnChain {
  readonly epoch: EpochCommitment;
  readonly chain: EpochChain;
}

/**
 * Checks that a fraud convicts an epoch that `checkEpoch` let pass.
 * @throws DecodeError when it does not, saying why
 */
export function verifyEpochFraud(on: EpochOnChain, fraud: EpochFraud): void {
  refuseUnused(fraud);
  const openings = new EpochOpenings(fraud.openings);
  if (statementHolds(on, fraud, openings)) refuse('the rule holds here');
  openings.end();
}

const USES_NODES: readonly EpochRule[] = [EpochRule.EPOCH_RULE_SUM, EpochRule.EPOCH_RULE_FORM];
const USES_ATTRIBUTION: readonly EpochRule[] = [
  EpochRule.EPOCH_RULE_ATTRIBUTION,
  EpochRule.EPOCH_RULE_ALLOCATION,
];

/** A fraud has one form only. */
function refuseUnused({ rule, tree, level, nodes, attribution, receipt, signature }: EpochFraud): void {
  if (!USES_NODES.includes(rule) && (tree !== 0 || nodes.length > 0)) refuse('nodes that mean nothing');
  if (!USES_NODES.includes(rule) && level !== 0) refuse('a level that means nothing');
  if (!USES_ATTRIBUTION.includes(rule) && attribution.length > 0) refuse('an attribution that means nothing');
  if (rule !== EpochRule.EPOCH_RULE_SIGNED && receipt.length + signature.length > 0)
    refuse('a signed receipt that means nothing');
}

function statementHolds(on: EpochOnChain, fraud: EpochFraud, openings: EpochOpenings): boolean {
  const { index } = fraud;
  switch (fraud.rule) {
    case EpochRule.EPOCH_RULE_SUM:
      return nodeHolds(on.epoch, fraud, openings);
    case EpochRule.EPOCH_RULE_FORM:
      return formHolds(on.epoch, fraud, openings);
    case EpochRule.EPOCH_RULE_LANE:
      return laneHolds(on, index, openings);
    case EpochRule.EPOCH_RULE_FEE:
      return feeHolds(on, receiptAt(on, index, openings));
    case EpochRule.EPOCH_RULE_SPLIT: {
      const receipt = receiptAt(on, index, openings);
      const { parts } =
        quoteOf(on.chain, receipt) ?? refuse('there is no such model: convict the fee of that');
      return equalSums(sumsOfParts(parts), sumsOfParts(receipt.parts));
    }
    case EpochRule.EPOCH_RULE_SIGNED:
      return signedHolds(on, fraud, openings);
    case EpochRule.EPOCH_RULE_ATTRIBUTION: {
      const receipt = receiptAt(on, index, openings);
      if (fraud.attribution.length === 0 || !isAttributionOf(receipt, fraud.attribution))
        refuse('the attribution is not the one that the receipt names');
      const attribution = decodeAttribution(fraud.attribution);
      const terms = termsOf(on, receipt);
      return attribution !== undefined && attributionHolds(on.chain, { receipt, terms }, attribution);
    }
    case EpochRule.EPOCH_RULE_ORDER: {
      const { leaves } = openings.take(ALLOCATIONS, on.epoch.allocations, [index, index + 1]);
      const [first, second] = leaves.map((leaf) => wellFormed(decodeAllocation(leaf)));
      return first !== undefined && second !== undefined && compareAllocations(first, second) < 0;
    }
    case EpochRule.EPOCH_RULE_ALLOCATION:
      return allocationHolds(on, fraud, openings);
    case EpochRule.EPOCH_RULE_ROW: {
      const row = on.epoch.rows[index] ?? refuse(`there is no row ${index}`);
      return rangeHolds(on.epoch, { start: on.epoch.rows[index - 1]?.end ?? 0, row }, openings);
    }
    case EpochRule.EPOCH_RULE_ENTITLEMENT:
      return entitlementHolds(on.epoch, index, openings);
    default:
      return refuse(`there is no rule ${fraud.rule}`);
  }
}

function receiptAt({ epoch }: EpochOnChain, index: number, openings: EpochOpenings): Receipt {
  return wellFormed(decodeReceipt(openings.takeOne(RECEIPTS, epoch.receipts, index)));
}

function termsOf({ chain }: EpochOnChain, { modelId }: Receipt): ModelTerms {
  return chain.terms(modelId) ?? refuse(`there is no model ${modelId}: convict the fee of that`);
}

function feeHolds({ chain }: EpochOnChain, receipt: Receipt): boolean {
  return quoteOf(chain, receipt)?.fee === receipt.after - receipt.before;
}

function signedHolds(on: EpochOnChain, fraud: EpochFraud, openings: EpochOpenings): boolean {
  const leaf = openings.takeOne(RECEIPTS, on.epoch.receipts, fraud.index);
  const stated = wellFormed(decodeReceipt(leaf));
  const signed = decodeReceipt(fraud.receipt) ?? refuse('what was signed is no receipt');
  if (!sameLane(stated, signed) || signed.before >= stated.after || stated.before >= signed.after)
    refuse('the signed receipt charges something else');
  // Of a receipt that was paid in part only the epoch says nothing.
  const claimed = on.chain.lane(signed.channel, signed.lane);
  if (claimed === undefined || signed.before < claimed.from || signed.after > claimed.to)
    refuse('the signed receipt was not paid into this epoch as a whole');
  if (equalBytes(leaf, fraud.receipt)) return true;
  return !on.chain.signed(fraud.receipt, fraud.signature);
}

function allocationHolds(on: EpochOnChain, fraud: EpochFraud, openings: EpochOpenings): boolean {
  const { receipts, allocations } = on.epoch;
  const leaf = openings.takeOne(ALLOCATIONS, allocations, fraud.index);
  const { place, receipt: number, amount } = wellFormed(decodeAllocation(leaf));
  if (number >= receipts.leaves) return false;
  const receipt = receiptAt(on, number, openings);
  if (!isAttributionOf(receipt, fraud.attribution))
    refuse('the attribution is not the one that the receipt names');
  // All of it is the platform's.
  if (receipt.modelId === 0n) return false;
  const named = fraud.attribution.length > 0;
  const weights = named ? wellFormed(decodeAttribution(fraud.attribution)) : undefined;
  const dues = duesOf(receipt, termsOf(on, receipt), weights);
  return dues.some((due) => comparePlaces(due.place, place) === 0 && due.amount === amount);
}

/** A row and the first allocation of its range. */
interface RowRange {
  readonly start: number;
  readonly row: DeltaRow;
}

function rangeHolds(
  { allocations }: EpochCommitment,
  { start, row }: RowRange,
  openings: EpochOpenings,
): boolean {
  const last = row.end - 1;
  const { leaves, before } = openings.take(ALLOCATIONS, allocations, start === last ? [last] : [start, last]);
  const ends = leaves.map((leaf) => wellFormed(decodeAllocation(leaf)));
  const sum = (before.at(-1)?.[0] ?? 0n) + (ends.at(-1)?.amount ?? 0n) - (before[0]?.[0] ?? 0n);
  return sum === row.amount && ends.every(({ place }) => comparePlaces(place, row.place) === 0);
}

function entitlementHolds(epoch: EpochCommitment, index: number, openings: EpochOpenings): boolean {
  const { entitlements, rows, allocations } = epoch;
  const indices = index === 0 ? [0] : [index - 1, index];
  const opened = openings
    .take(ENTITLEMENTS, entitlements, indices)
    .leaves.map((leaf) => wellFormed(decodeEntitlement(leaf)));
  const row = opened.at(-1) ?? refuse('an opening without a leaf');
  const start = (index === 0 ? rows.at(-1)?.end : opened[0]?.end) ?? 0;
  if (row.end <= start || row.end > allocations.leaves) return false;
  return rangeHolds(epoch, { start, row }, openings);
}
