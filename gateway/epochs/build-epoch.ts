/**
 * From the receipts that a gateway signed to the epoch that it states: receipts by lane, allocations by
 * place, rows, and entitlements for what is more than the chain takes as rows.
 */
import { ALLOCATIONS, ENTITLEMENTS, RECEIPTS } from '../../modules/settlement/proof/kinds.ts';
import { ALLOCATION_BYTES, encodeEntitlement } from '../../modules/settlement/proof/leaves.ts';
import type { DeltaRow } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { type Allocated, allocate, type EpochTerms } from './allocate.ts';
import { Attributions } from './attributions.ts';
import { type PackedLeaves, packedLeaf } from './packed.ts';
import type { PublishedEpoch } from './published.ts';
import { sortReceipts } from './sort-receipts.ts';
import { openTree, type PackedTree, packTree } from './sum-tree.ts';

/** What an epoch is built from. */
export interface EpochInput {
  /** Leaves of receipts in any order; those of each lane cover what was claimed of it. */
  readonly receipts: PackedLeaves;
  /** The attribution with this SHA-256. */
  readonly attribution: (hash: Uint8Array) => Uint8Array | undefined;
  readonly chain: EpochTerms;
  /** Most rows that the chain takes. */
  readonly rowsMax: number;
}

/** An epoch as nothing but values and buffers: what one thread can hand to another. */
export interface PackedEpoch {
  readonly receipts: PackedTree;
  readonly allocations: PackedTree;
  readonly entitlements: PackedTree;
  readonly rows: readonly DeltaRow[];
}

/**
 * @throws AssertionError when a receipt is malformed, or its attribution, or its model is not there
 * @throws NotServedError when its attribution is not there
 */
export function buildEpoch(input: EpochInput): PublishedEpoch {
  return openEpoch(packEpoch(input), input.attribution);
}

/** The same, packed. @throws what `buildEpoch` throws */
export function packEpoch({ receipts, attribution, chain, rowsMax }: EpochInput): PackedEpoch {
  const sorted = sortReceipts(receipts);
  const source = { count: sorted.count, leaf: (index: number) => packedLeaf(sorted, index) };
  const attributions = new Attributions(attribution);
  const { allocations, rows } = allocate({ receipts: source, attributions, chain });
  const listed = Math.min(rowsMax, rows.count);
  return {
    receipts: packTree(RECEIPTS, sorted),
    allocations: packTree(ALLOCATIONS, allocations),
    entitlements: packTree(ENTITLEMENTS, packEntitlements(rows, listed)),
    rows: Array.from({ length: listed }, (_, index) => rows.row(index)),
  };
}

/** The epoch that was packed, with the attributions that it was built from. */
export function openEpoch(packed: PackedEpoch, attribution: PublishedEpoch['attribution']): PublishedEpoch {
  const receipts = openTree(RECEIPTS, packed.receipts);
  const allocations = openTree(ALLOCATIONS, packed.allocations);
  const entitlements = openTree(ENTITLEMENTS, packed.entitlements);
  return {
    commitment: {
      receipts: receipts.tree,
      allocations: allocations.tree,
      rows: packed.rows,
      entitlements: entitlements.tree,
    },
    receipts,
    allocations,
    entitlements,
    attribution,
  };
}

function packEntitlements({ count, row }: Allocated['rows'], from: number): PackedLeaves {
  const bytes = new Uint8Array((count - from) * ALLOCATION_BYTES);
  for (let index = from; index < count; index++)
    bytes.set(encodeEntitlement(row(index)), (index - from) * ALLOCATION_BYTES);
  return { bytes, width: ALLOCATION_BYTES, count: count - from };
}
