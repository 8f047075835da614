/**
 * Finds the first lie of an epoch: recomputes every statement, and opens the one that is false. First the
 * nodes of the trees, from the top: what is opened later leads to the root only where all sums above it are
 * right.
 */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import {
  attributionHolds,
  decodeAttribution,
  type Attribution,
  type Due,
  duesOf,
  NO_ATTRIBUTION,
} from '../../modules/settlement/proof/attribution.ts';
import type { EpochChain } from '../../modules/settlement/proof/chain.ts';
import { neighboursHold } from '../../modules/settlement/proof/lane.ts';
import {
  type Allocation,
  compareAllocations,
  comparePlaces,
  compareReceipts,
  decodeAllocation,
  decodeEntitlement,
  decodeReceipt,
  type Receipt,
  sameLane,
  sumsOfParts,
} from '../../modules/settlement/proof/leaves.ts';
import { quoteOf } from '../../modules/settlement/proof/quote.ts';
import { equalSums } from '../../modules/settlement/proof/sum-tree.ts';
import {
  type DeltaRow,
  type EpochFraud,
  EpochRule,
  EpochTree,
} from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { findNodeFraud } from './find-node-fraud.ts';
import { openEpochFraud } from './open-fraud.ts';
import { NotServedError, type PublishedEpoch, type PublishedTree } from './published.ts';

/**
 * What convicts an epoch; undefined when nothing does.
 * @throws NotServedError when something is not served as it was committed to
 */
export function findEpochFraud(served: PublishedEpoch, chain: EpochChain): EpochFraud | undefined {
  const attributions = new Attributions(served);
  return (
    findNodeFraud(served, EpochTree.EPOCH_TREE_RECEIPTS) ??
    findNodeFraud(served, EpochTree.EPOCH_TREE_ALLOCATIONS) ??
    findNodeFraud(served, EpochTree.EPOCH_TREE_ENTITLEMENTS) ??
    findReceiptFraud(served, chain, attributions) ??
    findAllocationFraud(served, chain, attributions) ??
    findRowFraud(served) ??
    findEntitlementFraud(served)
  );
}

/**
 * What convicts an epoch in which a receipt that its gateway signed, and that was paid into it as a whole,
 * stands otherwise; undefined when it does not.
 */
export function findSignedFraud(
  served: PublishedEpoch,
  chain: Pick<EpochChain, 'lane'>,
  signed: { readonly receipt: Uint8Array; readonly signature: Uint8Array },
): EpochFraud | undefined {
  const wanted = decodeReceipt(signed.receipt);
  const { leaves } = served.receipts.tree;
  const claimed = wanted && chain.lane(wanted.channel, wanted.lane);
  if (wanted === undefined || claimed === undefined) return undefined;
  if (wanted.before < claimed.from || wanted.after > claimed.to) return undefined;
  // The first receipt that ends behind where the signed one begins.
  let low = 0;
  for (let high = leaves; low < high; ) {
    const middle = Math.floor((low + high) / 2);
    const at = receiptAt(served, middle);
    if (compareReceipts(at, { ...wanted, after: wanted.before }) <= 0) low = middle + 1;
    else high = middle;
  }
  if (low === leaves || equalBytes(served.receipts.leaf(low), signed.receipt)) return undefined;
  const stated = receiptAt(served, low);
  if (!sameLane(stated, wanted) || stated.before >= wanted.after) return undefined;
  return openEpochFraud(served, EpochRule.EPOCH_RULE_SIGNED, { index: low, ...signed });
}

function receiptAt({ receipts }: PublishedEpoch, index: number): Receipt {
  return served(decodeReceipt(receipts.leaf(index)), 'receipt', index);
}

/** Nodes were looked at before: whatever is malformed was found then. */
function served<T>(leaf: T | undefined, what: string, index: number): T {
  if (leaf === undefined) throw new NotServedError(what, { index });
  return leaf;
}

/** Attributions by their hashes, each decoded once. */
class Attributions {
  readonly #served: PublishedEpoch;
  readonly #known = new Map<string, Attribution | 'malformed'>();

  constructor(served: PublishedEpoch) {
    this.#served = served;
  }

  /** Undefined when the receipt names none. */
  of({ attribution: hash }: Receipt): Attribution | 'malformed' | undefined {
    if (equalBytes(hash, NO_ATTRIBUTION)) return undefined;
    const key = toHex(hash);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const bytes = this.#served.attribution(hash);
    if (bytes === undefined || !equalBytes(sha256(bytes), hash))
      throw new NotServedError('an attribution', { hash: key });
    const decoded = decodeAttribution(bytes) ?? 'malformed';
    this.#known.set(key, decoded);
    return decoded;
  }
}

function findReceiptFraud(
  epoch: PublishedEpoch,
  chain: EpochChain,
  attributions: Attributions,
): EpochFraud | undefined {
  const { leaves } = epoch.receipts.tree;
  let before: Receipt | undefined;
  for (let index = 0; index <= leaves; index++) {
    const receipt = index === leaves ? undefined : receiptAt(epoch, index);
    const rule = neighboursHold(chain, before, receipt)
      ? receipt && brokenByReceipt(receipt, chain, attributions)
      : EpochRule.EPOCH_RULE_LANE;
    if (rule !== undefined) return openEpochFraud(epoch, rule, { index });
    before = receipt;
  }
  return undefined;
}

function brokenByReceipt(
  receipt: Receipt,
  chain: EpochChain,
  attributions: Attributions,
): EpochRule | undefined {
  const quote = quoteOf(chain, receipt);
  if (quote === undefined || quote.fee !== receipt.after - receipt.before) return EpochRule.EPOCH_RULE_FEE;
  if (!equalSums(sumsOfParts(quote.parts), sumsOfParts(receipt.parts))) return EpochRule.EPOCH_RULE_SPLIT;
  const terms = chain.terms(receipt.modelId);
  const attribution = attributions.of(receipt);
  if (terms === undefined || attribution === undefined) return undefined;
  const holds = attribution !== 'malformed' && attributionHolds(chain, { receipt, terms }, attribution);
  return holds ? undefined : EpochRule.EPOCH_RULE_ATTRIBUTION;
}

function findAllocationFraud(
  epoch: PublishedEpoch,
  chain: EpochChain,
  attributions: Attributions,
): EpochFraud | undefined {
  const { leaves } = epoch.allocations.tree;
  const dues = new Map<number, readonly Due[]>();
  let before: Allocation | undefined;
  for (let index = 0; index < leaves; index++) {
    const allocation = served(decodeAllocation(epoch.allocations.leaf(index)), 'allocation', index);
    if (before !== undefined && compareAllocations(before, allocation) >= 0)
      return openEpochFraud(epoch, EpochRule.EPOCH_RULE_ORDER, { index: index - 1 });
    const { receipt: number, place, amount } = allocation;
    const known = dues.get(number) ?? duesOfReceipt(epoch, number, { chain, attributions });
    dues.set(number, known);
    if (!known.some((due) => due.amount === amount && comparePlaces(due.place, place) === 0))
      return openEpochFraud(epoch, EpochRule.EPOCH_RULE_ALLOCATION, { index });
    before = allocation;
  }
  return undefined;
}

/** None for a receipt that is not there. Receipts were looked at before. */
function duesOfReceipt(
  epoch: PublishedEpoch,
  number: number,
  { chain, attributions }: { readonly chain: EpochChain; readonly attributions: Attributions },
): readonly Due[] {
  if (number >= epoch.receipts.tree.leaves) return [];
  const receipt = receiptAt(epoch, number);
  const terms = chain.terms(receipt.modelId);
  const attribution = attributions.of(receipt);
  if (terms === undefined || attribution === 'malformed') return [];
  return duesOf(receipt, terms, attribution);
}

function findRowFraud(epoch: PublishedEpoch): EpochFraud | undefined {
  let start = 0;
  for (const [index, row] of epoch.commitment.rows.entries()) {
    if (!rowHolds(epoch.allocations, start, row))
      return openEpochFraud(epoch, EpochRule.EPOCH_RULE_ROW, { index });
    start = row.end;
  }
  return undefined;
}

function findEntitlementFraud(epoch: PublishedEpoch): EpochFraud | undefined {
  const { allocations, entitlements, commitment } = epoch;
  let start = commitment.rows.at(-1)?.end ?? 0;
  for (let index = 0; index < entitlements.tree.leaves; index++) {
    const row = served(decodeEntitlement(entitlements.leaf(index)), 'entitlement', index);
    const follows = row.end > start && row.end <= allocations.tree.leaves;
    if (!follows || !rowHolds(allocations, start, row))
      return openEpochFraud(epoch, EpochRule.EPOCH_RULE_ENTITLEMENT, { index });
    start = row.end;
  }
  return undefined;
}

/** Its range is of its place from end to end, and adds up. Allocations are in order, so its ends tell for it. */
function rowHolds(allocations: PublishedTree, start: number, { place, end, amount }: DeltaRow): boolean {
  let sum = 0n;
  for (let index = start; index < end; index++) {
    const allocation = served(decodeAllocation(allocations.leaf(index)), 'allocation', index);
    if (comparePlaces(allocation.place, place) !== 0) return false;
    sum += allocation.amount;
  }
  return sum === amount;
}
