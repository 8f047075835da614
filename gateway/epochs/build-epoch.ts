/**
 * From the receipts that a gateway signed to the epoch that it states: receipts by lane, allocations by
 * place, rows, and entitlements for what is more than the chain takes as rows.
 */
import { toHex } from '../../core/bytes.ts';
import { assert, defined } from '../../core/errors.ts';
import type { AttributedWeights, EpochChain, ModelTerms } from '../../modules/settlement/proof/chain.ts';
import { decodeAttribution, duesOf, NO_ATTRIBUTION } from '../../modules/settlement/proof/attribution.ts';
import { ALLOCATIONS, ENTITLEMENTS, RECEIPTS } from '../../modules/settlement/proof/kinds.ts';
import {
  ALLOCATION_BYTES,
  comparePlaces,
  decodeReceipt,
  encodeEntitlement,
  RECEIPT_BYTES,
  writeAllocation,
} from '../../modules/settlement/proof/leaves.ts';
import type { DeltaRow, Place } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { type PackedLeaves, packedLeaf } from './packed.ts';
import type { PublishedEpoch } from './published.ts';
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

/** @throws AssertionError when a receipt is malformed, its model is not there, or its attribution */
export function buildEpoch({ receipts, attribution, chain, rowsMax }: EpochInput): PublishedEpoch {
  const sorted = sortedReceipts(receipts);
  const shares = sharesByPlace(sorted, { attribution, chain });
  const rows = rowsOf(shares);
  const receiptTree = buildSumTree(RECEIPTS, sorted);
  const allocationTree = buildSumTree(ALLOCATIONS, packAllocations(shares));
  const entitlementTree = buildSumTree(ENTITLEMENTS, packEntitlements(rows.slice(rowsMax)));
  return {
    commitment: {
      receipts: receiptTree.tree,
      allocations: allocationTree.tree,
      rows: rows.slice(0, rowsMax),
      entitlements: entitlementTree.tree,
    },
    receipts: receiptTree,
    allocations: allocationTree,
    entitlements: entitlementTree,
    attribution,
  };
}

const LANE_END = 35;
const AFTER_AT = 43;

/** Receipts by lane, then by their ends. Each lane's are mostly in order already. */
function sortedReceipts(receipts: PackedLeaves): PackedLeaves {
  const lanes = new Map<string, number[]>();
  const bytes = Buffer.from(receipts.bytes.buffer, receipts.bytes.byteOffset, receipts.bytes.length);
  const after = (index: number): bigint => bytes.readBigUInt64BE(index * RECEIPT_BYTES + AFTER_AT);
  for (let i = 0; i < receipts.count; i++) {
    const key = bytes.latin1Slice(i * RECEIPT_BYTES + 1, i * RECEIPT_BYTES + LANE_END);
    const lane = lanes.get(key);
    if (lane === undefined) lanes.set(key, [i]);
    else lane.push(i);
  }
  const sorted = new Uint8Array(receipts.count * RECEIPT_BYTES);
  let at = 0;
  for (const key of [...lanes.keys()].sort((a, b) => (a < b ? -1 : 1))) {
    const lane = lanes.get(key) ?? [];
    const ends = lane.map((index) => ({ index, end: after(index) }));
    ends.sort((a, b) => (a.end < b.end ? -1 : a.end > b.end ? 1 : 0));
    for (const { index } of ends) {
      sorted.set(packedLeaf(receipts, index), at);
      at += RECEIPT_BYTES;
    }
  }
  return { ...receipts, bytes: sorted };
}

/** What a place gets, receipt by receipt. */
interface PlaceShares {
  readonly place: Place;
  readonly receipts: number[];
  readonly amounts: bigint[];
}

/** In the order of places; of each place in the order of receipts. */
function sharesByPlace(
  receipts: PackedLeaves,
  { attribution, chain }: Pick<EpochInput, 'attribution' | 'chain'>,
): readonly PlaceShares[] {
  const places = new Map<string, PlaceShares>();
  const weightsOf = rememberedWeights(attribution);
  const terms = new Map<bigint, ModelTerms>();
  for (let i = 0; i < receipts.count; i++) {
    const receipt = decodeReceipt(packedLeaf(receipts, i));
    assert(receipt !== undefined, 'a receipt is malformed', { index: i });
    const { modelId } = receipt;
    // All of it is the platform's.
    if (modelId === 0n) continue;
    const known = terms.get(modelId) ?? defined(chain.terms(modelId), `model ${modelId} of a receipt`);
    terms.set(modelId, known);
    for (const { place, amount } of duesOf(receipt, known, weightsOf(receipt.attribution))) {
      const key = `${place.kind}/${place.id}/${place.level}/${place.index}`;
      const shares = places.get(key) ?? { place, receipts: [], amounts: [] };
      if (shares.receipts.length === 0) places.set(key, shares);
      shares.receipts.push(i);
      shares.amounts.push(amount);
    }
  }
  return [...places.values()].sort((a, b) => comparePlaces(a.place, b.place));
}

function rememberedWeights(
  attribution: EpochInput['attribution'],
): (hash: Uint8Array) => AttributedWeights | undefined {
  const known = new Map<string, AttributedWeights | undefined>([[toHex(NO_ATTRIBUTION), undefined]]);
  return (hash) => {
    const key = toHex(hash);
    if (known.has(key)) return known.get(key);
    const decoded = decodeAttribution(defined(attribution(hash), `the attribution ${key}`));
    assert(decoded !== undefined, 'an attribution is malformed', { hash: key });
    known.set(key, decoded);
    return decoded;
  };
}

function rowsOf(shares: readonly PlaceShares[]): readonly DeltaRow[] {
  let end = 0;
  return shares.map(({ place, amounts }) => {
    end += amounts.length;
    return { place, end, amount: amounts.reduce((sum, amount) => sum + amount, 0n) };
  });
}

function packAllocations(shares: readonly PlaceShares[]): PackedLeaves {
  const count = shares.reduce((sum, { receipts }) => sum + receipts.length, 0);
  const bytes = new Uint8Array(count * ALLOCATION_BYTES);
  let at = 0;
  for (const { place, receipts, amounts } of shares)
    for (const [i, receipt] of receipts.entries()) {
      writeAllocation({ place, receipt, amount: amounts[i] ?? 0n }, bytes, at);
      at += ALLOCATION_BYTES;
    }
  return { bytes, width: ALLOCATION_BYTES, count };
}

function packEntitlements(rows: readonly DeltaRow[]): PackedLeaves {
  const bytes = new Uint8Array(rows.length * ALLOCATION_BYTES);
  for (const [i, row] of rows.entries()) bytes.set(encodeEntitlement(row), i * ALLOCATION_BYTES);
  return { bytes, width: ALLOCATION_BYTES, count: rows.length };
}
