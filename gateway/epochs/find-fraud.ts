/**
 * Finds the first lie of an epoch: recomputes every statement, and opens the one that is false. First the
 * trees: they are built again from their leaves, and where a root is another, its nodes are followed from the
 * top; what is opened later leads to the root only where all sums above it are right.
 */
import { equalBytes } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { attributionHolds } from '../../modules/settlement/proof/attribution.ts';
import type { EpochChain, ModelTerms } from '../../modules/settlement/proof/chain.ts';
import { neighboursHold } from '../../modules/settlement/proof/lane.ts';
import {
  type Allocation,
  ALLOCATION_BYTES,
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
import { allocate } from './allocate.ts';
import { Attributions } from './attributions.ts';
import { findNodeFraud } from './find-node-fraud.ts';
import { sumOfAmounts } from './leaf-sums.ts';
import { openEpochFraud } from './open-fraud.ts';
import { NotServedError, type PublishedEpoch, type PublishedTree } from './published.ts';
import { sumTreeOf } from './sum-tree.ts';

/**
 * What convicts an epoch; undefined when nothing does.
 * @throws NotServedError when something is not served as it was committed to
 */
export function findEpochFraud(served: PublishedEpoch, on: EpochChain): EpochFraud | undefined {
  const chain = rememberingTerms(on);
  const { receipts, allocations, entitlements } = served;
  const built = [rebuilt(receipts), rebuilt(allocations), rebuilt(entitlements)] as const;
  const wrong = built.indexOf(undefined);
  const tree = TREES[wrong];
  if (tree !== undefined) return defined(findNodeFraud(served, tree), 'the node that is wrong');
  const [ownReceipts = receipts, ownAllocations = allocations, ownEntitlements = entitlements] = built;
  const own = {
    ...served,
    receipts: ownReceipts,
    allocations: ownAllocations,
    entitlements: ownEntitlements,
  };
  const attributions = new Attributions(served.attribution);
  return (
    findReceiptFraud(own, chain, attributions) ??
    findAllocationFraud(own, chain, attributions) ??
    findRowFraud(own) ??
    findEntitlementFraud(own)
  );
}

/** Models are immutable, and a million receipts are of few: each is asked for once. */
function rememberingTerms(chain: EpochChain): EpochChain {
  const known = new Map<bigint, ModelTerms | undefined>();
  const terms = (modelId: bigint): ModelTerms | undefined => {
    if (!known.has(modelId)) known.set(modelId, chain.terms(modelId));
    return known.get(modelId);
  };
  const { denom } = chain;
  return {
    denom,
    terms,
    lane: (channel, lane) => chain.lane(channel, lane),
    claim: (id) => chain.claim(id),
    holds: (place) => chain.holds(place),
    signed: (receipt, signature) => chain.signed(receipt, signature),
  };
}

const TREES = [
  EpochTree.EPOCH_TREE_RECEIPTS,
  EpochTree.EPOCH_TREE_ALLOCATIONS,
  EpochTree.EPOCH_TREE_ENTITLEMENTS,
] as const;

/**
 * The tree of the leaves that are served; undefined when it is not the one that was committed to. When it is,
 * all of its nodes are right, and nobody has to be asked for them.
 */
function rebuilt({ of, tree, leaf }: PublishedTree): PublishedTree | undefined {
  const built = sumTreeOf(of, { count: tree.leaves, leaf });
  if ('why' in built) return undefined;
  const isSame = equalBytes(built.tree.root, tree.root) && equalSums(built.tree.sums, tree.sums);
  return isSame ? built : undefined;
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
  if (attribution === 'malformed') return EpochRule.EPOCH_RULE_ATTRIBUTION;
  const judge = (): boolean => attributionHolds(chain, { receipt, terms }, attribution);
  // What is stated without a claim holds for one receipt of a model as for another.
  const holds = attribution.claimId === 0n ? attributions.held(attribution, receipt.modelId, judge) : judge();
  return holds ? undefined : EpochRule.EPOCH_RULE_ATTRIBUTION;
}

/**
 * Holds the allocations against those that follow from the receipts, which are right, both in order. What is
 * left out is missing in the total, which was compared before.
 */
function findAllocationFraud(
  epoch: PublishedEpoch,
  chain: EpochChain,
  attributions: Attributions,
): EpochFraud | undefined {
  const { allocations } = epoch;
  const receipts = { count: epoch.receipts.tree.leaves, leaf: epoch.receipts.leaf };
  const right = allocate({ receipts, attributions, chain }).allocations;
  const { bytes } = right;
  const rightBytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  for (let index = 0; index < allocations.tree.leaves; index++) {
    const leaf = allocations.leaf(index);
    let order = -1;
    for (; at < bytes.length && order < 0; at += ALLOCATION_BYTES)
      order = rightBytes.compare(leaf, 0, ALLOCATION_BYTES, at, at + ALLOCATION_BYTES);
    if (order === 0) continue;
    const place = { index: index - 1 };
    if (
      index > 0 &&
      compareAllocations(allocationAt(allocations, index - 1), allocationAt(allocations, index)) >= 0
    )
      return openEpochFraud(epoch, EpochRule.EPOCH_RULE_ORDER, place);
    return openEpochFraud(epoch, EpochRule.EPOCH_RULE_ALLOCATION, { index });
  }
  return undefined;
}

function allocationAt(tree: PublishedTree, index: number): Allocation {
  return served(decodeAllocation(tree.leaf(index)), 'allocation', index);
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
  const isOf = (index: number): boolean => comparePlaces(allocationAt(allocations, index).place, place) === 0;
  if (!isOf(start) || !isOf(end - 1)) return false;
  return sumOfAmounts(allocations.leaf, start, end) === amount;
}
