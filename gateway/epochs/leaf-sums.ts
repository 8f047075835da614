/**
 * Sums of leaves, from bytes to bytes: what `sumsOfLeaf` says, without an object for each leaf, so that the
 * trees of a million receipts are built and judged in the time that their hashes take.
 */
import { RECEIPTS, type SumTreeKind } from '../../modules/settlement/proof/kinds.ts';
import {
  AFTER_AT,
  ALLOCATION_BYTES,
  AMOUNT_AT,
  BEFORE_AT,
  PARTS_AT,
  PREFIX_LEVEL,
  RECEIPT_BYTES,
} from '../../modules/settlement/proof/leaves.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';

const TWO_32 = 2 ** 32;
const PARTS = 4;
const PLACE_ID_AT = 2;
const PLACE_LEVEL_AT = 10;
const PLACE_INDEX_AT = 11;

/** Writes the sums of a leaf, 8 bytes each; false when it is malformed (`sumsOfLeaf` has none of it). */
export function writeLeafSums(of: SumTreeKind, leaf: Uint8Array, out: Uint8Array, at: number): boolean {
  if (leaf[0] !== of.kind) return false;
  if (of === RECEIPTS) {
    if (leaf.length !== RECEIPT_BYTES || !partsAreTheFee(leaf)) return false;
    for (let i = 0; i < RECEIPT_BYTES - PARTS_AT; i++) out[at + i] = leaf[PARTS_AT + i] ?? 0;
    return true;
  }
  if (leaf.length !== ALLOCATION_BYTES || isZero(leaf, AMOUNT_AT) || !hasPlace(leaf)) return false;
  for (let i = 0; i < ALLOCATION_BYTES - AMOUNT_AT; i++) out[at + i] = leaf[AMOUNT_AT + i] ?? 0;
  return true;
}

/** The parts of a receipt add up to what it charges, which is not nothing. In halves of 32 bits. */
function partsAreTheFee(leaf: Uint8Array): boolean {
  let [low, high] = [0, 0];
  for (let i = 0; i < PARTS; i++) {
    high += uint32At(leaf, PARTS_AT + 8 * i);
    low += uint32At(leaf, PARTS_AT + 8 * i + 4);
  }
  high += Math.floor(low / TWO_32);
  low %= TWO_32;
  let feeHigh = uint32At(leaf, AFTER_AT) - uint32At(leaf, BEFORE_AT);
  let feeLow = uint32At(leaf, AFTER_AT + 4) - uint32At(leaf, BEFORE_AT + 4);
  if (feeLow < 0) {
    feeLow += TWO_32;
    feeHigh--;
  }
  return feeHigh >= 0 && feeHigh + feeLow > 0 && feeHigh === high && feeLow === low;
}

/** As `isPlace`. */
function hasPlace(leaf: Uint8Array): boolean {
  if (isZero(leaf, PLACE_ID_AT)) return false;
  const level = leaf[PLACE_LEVEL_AT];
  const hasIndex = uint32At(leaf, PLACE_INDEX_AT) !== 0;
  if (leaf[1] === PlaceKind.PLACE_KIND_MODEL) return level === 0 && !hasIndex;
  if (leaf[1] !== PlaceKind.PLACE_KIND_DATANET) return false;
  return level === 0 || (level === PREFIX_LEVEL && hasIndex);
}

/**
 * The amounts of allocations from `start` up to `end` together. They are of a tree that adds up, so the sum
 * fits into 64 bits.
 */
export function sumOfAmounts(leaf: (index: number) => Uint8Array, start: number, end: number): bigint {
  let [low, high] = [0, 0];
  for (let index = start; index < end; index++) {
    const bytes = leaf(index);
    low += uint32At(bytes, AMOUNT_AT + 4);
    high += uint32At(bytes, AMOUNT_AT) + (low >= TWO_32 ? 1 : 0);
    if (low >= TWO_32) low -= TWO_32;
  }
  return (BigInt(high) << 32n) + BigInt(low);
}

function isZero(bytes: Uint8Array, at: number): boolean {
  return uint32At(bytes, at) === 0 && uint32At(bytes, at + 4) === 0;
}

/** A big-endian u32. */
function uint32At(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return high * 0x10000 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
}
