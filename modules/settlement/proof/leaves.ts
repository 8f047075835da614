/**
 * Leaves of the trees of an epoch, big-endian. What does not decode is malformed, which convicts.
 *
 * | leaf | bytes | after the kind |
 * | --- | --- | --- |
 * | receipt | 195 | 32 channel, u16 lane, u64 before, u64 after, u64 model, u32 tokens in, u32 tokens out, 32 request hash, 32 response hash, 32 attribution, u64 platform, u64 model's part, u64 stakers, u64 contributors |
 * | allocation | 27 | 14 place, u32 receipt, u64 amount |
 * | entitlement | 27 | 14 place, u32 end, u64 amount |
 *
 * A place is `u8 kind, u64 id, u8 level, u32 index`; the order of places is that of their bytes. The index of
 * a Datanet's is a position, or at `PREFIX_LEVEL` how many positions, from the first on (docs/adr/0033).
 */
import { compareBytes, newBytes } from '../../../core/bytes.ts';
import { type DeltaRow, type Place, PlaceKind } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { ALLOCATIONS, ENTITLEMENTS, RECEIPTS, type SumTreeKind } from './kinds.ts';

/** Bytes of a receipt. */
export const RECEIPT_BYTES = 195;

/** Bytes of a place. */
export const PLACE_BYTES = 14;

/** Bytes of an allocation, and of an entitlement. */
export const ALLOCATION_BYTES: number = 1 + PLACE_BYTES + 12;

/** Offset of its receipt's number in an allocation, behind kind and place; of its end in an entitlement. */
export const NUMBER_AT: number = 1 + PLACE_BYTES;

/** Offset of the amount in both. */
export const AMOUNT_AT: number = NUMBER_AT + 4;

/** Level of a place that is the first positions of a Datanet's log: those of a snapshot. */
export const PREFIX_LEVEL = 255;

/** One inference, and how its fee is divided. Amounts in the base unit of the epoch's denomination. */
export interface Receipt {
  /** 32 bytes. */
  readonly channel: Uint8Array;
  readonly lane: number;
  /** What the lane had been charged in all before it, and with it: the fee is the difference. */
  readonly before: bigint;
  readonly after: bigint;
  readonly modelId: bigint;
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** 32 bytes each. The response hash is the merkle root of the answer (docs/adr/0009). */
  readonly requestHash: Uint8Array;
  readonly responseHash: Uint8Array;
  /** SHA-256 of an attribution (`attribution.ts`); zeros when nobody in particular is attributed. */
  readonly attribution: Uint8Array;
  readonly parts: ReceiptParts;
}

/** The parts of a fee. */
export interface ReceiptParts {
  readonly platform: bigint;
  readonly model: bigint;
  readonly stakers: bigint;
  readonly contributors: bigint;
}

/** What a place gets of a receipt, which is named by its number in the tree of receipts. */
export interface Allocation {
  readonly place: Place;
  readonly receipt: number;
  readonly amount: bigint;
}

const LANE_AT = 33;
/** Where channel and lane end, which begin behind the kind. */
export const LANE_END = 35;
/** Offsets in the leaf of a receipt. */
export const BEFORE_AT = 35;
/** See `BEFORE_AT`. */
export const AFTER_AT = 43;
const MODEL_AT = 51;
const TOKENS_AT = 59;
const HASHES_AT = 67;
/** See `BEFORE_AT`: four parts of 8 bytes. */
export const PARTS_AT = 163;

/** The leaf of a receipt, to `out` at `at`. */
export function writeReceipt(receipt: Receipt, out: Uint8Array, at: number): void {
  const leaf = out.subarray(at, at + RECEIPT_BYTES);
  const view = viewOf(leaf);
  leaf[0] = RECEIPTS.kind;
  leaf.set(receipt.channel, 1);
  view.setUint16(LANE_AT, receipt.lane);
  view.setBigUint64(BEFORE_AT, receipt.before);
  view.setBigUint64(AFTER_AT, receipt.after);
  view.setBigUint64(MODEL_AT, receipt.modelId);
  view.setUint32(TOKENS_AT, receipt.tokensIn);
  view.setUint32(TOKENS_AT + 4, receipt.tokensOut);
  leaf.set(receipt.requestHash, HASHES_AT);
  leaf.set(receipt.responseHash, HASHES_AT + 32);
  leaf.set(receipt.attribution, HASHES_AT + 64);
  for (const [i, part] of sumsOfParts(receipt.parts).entries()) view.setBigUint64(PARTS_AT + 8 * i, part);
}

/** The leaf of a receipt. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const leaf = newBytes(RECEIPT_BYTES);
  writeReceipt(receipt, leaf, 0);
  return leaf;
}

/** Undefined when the bytes are no receipt: the parts of one add up to its fee, which is not zero. */
export function decodeReceipt(leaf: Uint8Array): Receipt | undefined {
  if (leaf.length !== RECEIPT_BYTES || leaf[0] !== RECEIPTS.kind) return undefined;
  const view = viewOf(leaf);
  const part = (i: number): bigint => view.getBigUint64(PARTS_AT + 8 * i);
  const parts = { platform: part(0), model: part(1), stakers: part(2), contributors: part(3) };
  const before = view.getBigUint64(BEFORE_AT);
  const after = view.getBigUint64(AFTER_AT);
  const fee = parts.platform + parts.model + parts.stakers + parts.contributors;
  if (after <= before || fee !== after - before) return undefined;
  return {
    channel: leaf.slice(1, LANE_AT),
    lane: view.getUint16(LANE_AT),
    before,
    after,
    modelId: view.getBigUint64(MODEL_AT),
    tokensIn: view.getUint32(TOKENS_AT),
    tokensOut: view.getUint32(TOKENS_AT + 4),
    requestHash: leaf.slice(HASHES_AT, HASHES_AT + 32),
    responseHash: leaf.slice(HASHES_AT + 32, HASHES_AT + 64),
    attribution: leaf.slice(HASHES_AT + 64, PARTS_AT),
    parts,
  };
}

/** Sums of a receipt's leaf, in the order of the columns. */
export function sumsOfParts({ platform, model, stakers, contributors }: ReceiptParts): readonly bigint[] {
  return [platform, model, stakers, contributors];
}

/** Order of receipts: channel, lane, end. */
export function compareReceipts(a: Receipt, b: Receipt): number {
  const channels = compareBytes(a.channel, b.channel);
  if (channels !== 0) return channels;
  if (a.lane !== b.lane) return a.lane - b.lane;
  return a.after === b.after ? 0 : a.after < b.after ? -1 : 1;
}

/** True when both are of one lane. */
export function sameLane(a: Receipt, b: Receipt): boolean {
  return a.lane === b.lane && compareBytes(a.channel, b.channel) === 0;
}

/** Writes a place. */
export function writePlace({ kind, id, level, index }: Place, out: Uint8Array, at: number): void {
  const view = viewOf(out);
  view.setUint8(at, kind);
  view.setBigUint64(at + 1, id);
  view.setUint8(at + 9, level);
  view.setUint32(at + 10, index);
}

/** Undefined when there is no such place. */
export function readPlace(bytes: Uint8Array, at: number): Place | undefined {
  const view = viewOf(bytes);
  const kind = view.getUint8(at);
  const id = view.getBigUint64(at + 1);
  const place = { kind, id, level: view.getUint8(at + 9), index: view.getUint32(at + 10) };
  return isPlace(place) ? place : undefined;
}

/** True for a model, a position of a Datanet's log, or its first so many. Says nothing of whether it is there. */
export function isPlace({ kind, id, level, index }: Place): boolean {
  if (id === 0n) return false;
  if (kind === PlaceKind.PLACE_KIND_MODEL) return level === 0 && index === 0;
  if (kind !== PlaceKind.PLACE_KIND_DATANET) return false;
  return level === 0 || (level === PREFIX_LEVEL && index > 0);
}

/** Order of places: that of their bytes. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.kind !== b.kind) return a.kind - b.kind;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return a.level === b.level ? a.index - b.index : a.level - b.level;
}

/** Order of allocations: place, receipt. */
export function compareAllocations(a: Allocation, b: Allocation): number {
  const places = comparePlaces(a.place, b.place);
  return places === 0 ? a.receipt - b.receipt : places;
}

/** The leaf of an allocation, to `out` at `at`. */
export function writeAllocation({ place, receipt, amount }: Allocation, out: Uint8Array, at: number): void {
  writeRow(ALLOCATIONS, { place, number: receipt, amount }, out.subarray(at, at + ALLOCATION_BYTES));
}

/** Undefined when the bytes are no allocation: one of nothing is none. */
export function decodeAllocation(leaf: Uint8Array): Allocation | undefined {
  const row = readRow(ALLOCATIONS, leaf);
  return row && { place: row.place, receipt: row.number, amount: row.amount };
}

/** The leaf of an entitlement. */
export function encodeEntitlement({ place, end, amount }: DeltaRow): Uint8Array {
  const leaf = newBytes(ALLOCATION_BYTES);
  writeRow(ENTITLEMENTS, { place, number: end, amount }, leaf);
  return leaf;
}

/** Undefined when the bytes are no entitlement. */
export function decodeEntitlement(leaf: Uint8Array): DeltaRow | undefined {
  const row = readRow(ENTITLEMENTS, leaf);
  return row && { place: row.place, end: row.number, amount: row.amount };
}

/** Sums of a leaf, by its bytes; undefined when it is malformed. */
export function sumsOfLeaf(of: SumTreeKind, leaf: Uint8Array): readonly bigint[] | undefined {
  if (of === RECEIPTS) {
    const receipt = decodeReceipt(leaf);
    return receipt && sumsOfParts(receipt.parts);
  }
  const row = readRow(of, leaf);
  return row && [row.amount];
}

interface NumberedAmount {
  readonly place: Place;
  readonly number: number;
  readonly amount: bigint;
}

function writeRow({ kind }: SumTreeKind, { place, number, amount }: NumberedAmount, leaf: Uint8Array): void {
  const view = viewOf(leaf);
  leaf[0] = kind;
  writePlace(place, leaf, 1);
  view.setUint32(NUMBER_AT, number);
  view.setBigUint64(AMOUNT_AT, amount);
}

function readRow({ kind }: SumTreeKind, leaf: Uint8Array): NumberedAmount | undefined {
  if (leaf.length !== ALLOCATION_BYTES || leaf[0] !== kind) return undefined;
  const place = readPlace(leaf, 1);
  const view = viewOf(leaf);
  const amount = view.getBigUint64(AMOUNT_AT);
  if (place === undefined || amount === 0n) return undefined;
  return { place, number: view.getUint32(NUMBER_AT), amount };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
