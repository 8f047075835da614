/**
 * From the receipts that a gateway signed to the epoch that it states: receipts by lane, allocations by
 * place, rows, and entitlements for what is more than the chain takes as rows.
 */
import type { EpochChain } from '../../modules/settlement/proof/chain.ts';
import { ALLOCATIONS, ENTITLEMENTS, RECEIPTS } from '../../modules/settlement/proof/kinds.ts';
import { ALLOCATION_BYTES, encodeEntitlement } from '../../modules/settlement/proof/leaves.ts';
import { type Allocated, allocate } from './allocate.ts';
import { Attributions } from './attributions.ts';
import { type PackedLeaves, packedLeaf } from './packed.ts';
import type { PublishedEpoch } from './published.ts';
import { sortReceipts } from './sort-receipts.ts';
import { buildSumTree } from './sum-tree.ts';

/** What an epoch is built from. */
export interface EpochInput {
  /** Leaves of receipts in any order; those of each lane cover what was claimed of it. */
  readonly receipts: PackedLeaves;
  /** The attribution with this SHA-256. */
  readonly attribution: (hash: Uint8Array) => Uint8Array | undefined;
  readonly chain: Pick<EpochChain, 'terms'>;
  /** Most rows that the chain takes. */
  readonly rowsMax: number;
}

/**
 * @throws AssertionError when a receipt is malformed, or its attribution, or its model is not there
 * @throws NotServedError when its attribution is not there
 */
export function buildEpoch({ receipts, attribution, chain, rowsMax }: EpochInput): PublishedEpoch {
  const sorted = sortReceipts(receipts);
  const source = { count: sorted.count, leaf: (index: number) => packedLeaf(sorted, index) };
  const attributions = new Attributions(attribution);
  const { allocations, rows } = allocate({ receipts: source, attributions, chain });
  const listed = Math.min(rowsMax, rows.count);
  const receiptTree = buildSumTree(RECEIPTS, sorted);
  const allocationTree = buildSumTree(ALLOCATIONS, allocations);
  const entitlementTree = buildSumTree(ENTITLEMENTS, packEntitlements(rows, listed));
  return {
    commitment: {
      receipts: receiptTree.tree,
      allocations: allocationTree.tree,
      rows: Array.from({ length: listed }, (_, index) => rows.row(index)),
      entitlements: entitlementTree.tree,
    },
    receipts: receiptTree,
    allocations: allocationTree,
    entitlements: entitlementTree,
    attribution,
  };
}

function packEntitlements({ count, row }: Allocated['rows'], from: number): PackedLeaves {
  const bytes = new Uint8Array((count - from) * ALLOCATION_BYTES);
  for (let index = from; index < count; index++)
    bytes.set(encodeEntitlement(row(index)), (index - from) * ALLOCATION_BYTES);
  return { bytes, width: ALLOCATION_BYTES, count: count - from };
}
