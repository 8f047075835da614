/**
 * Which blocks of its window a validator missed: a bit each, in pieces of 1,024 bits that are written when
 * the first of their bits is set. A piece is what `bits-and-blooms/bitset` v1.8 writes: the number of bits
 * (8 bytes), then sixteen words of 8 bytes, all big-endian; bit i is bit i mod 64 of word i / 64.
 */
import { assert } from '../../core/errors.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { type KeyCodec, type Pair, pairKey, addressKey, type PairKeyCodec } from '../../framework/keys.ts';
import type { StateMap } from '../../framework/collections.ts';
import { DecodeError } from '../../core/errors.ts';

/** Bits of a piece (SDK `MissedBlockBitmapChunkSize`). */
export const CHUNK_BITS = 1024;

const HEADER_BYTES = 8;
const CHUNK_BYTES = HEADER_BYTES + CHUNK_BITS / 8;

/** A piece's number as eight little-endian bytes: its keys are not in its order. */
const chunkIndexKey: KeyCodec<bigint> = {
  size: () => 8,
  write(out, offset, key) {
    new DataView(out.buffer, out.byteOffset, out.byteLength).setBigUint64(offset, key, true);
    return offset + 8;
  },
  read(bytes, offset) {
    if (offset + 8 > bytes.length) throw new DecodeError('bitmap key is cut short', { offset });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { key: view.getBigUint64(offset, true), next: offset + 8 };
  },
};

/** Consensus address, number of the piece. */
export const bitmapKey: PairKeyCodec<Uint8Array, bigint> = pairKey(addressKey, chunkIndexKey);

/** Pieces of all validators. */
export type Bitmaps = StateMap<Pair<Uint8Array, bigint>, Uint8Array>;

/** A bit of a validator's bitmap. */
export interface BitPlace {
  readonly consensusAddress: Uint8Array;
  /** From 0, below the window. */
  readonly index: bigint;
}

/** True when the block of that place was missed. */
export function isMissed(bitmaps: Bitmaps, context: ReadContext, place: BitPlace): boolean {
  const { chunkIndex, byte, mask } = locate(place.index);
  const chunk = bitmaps.get(context, [place.consensusAddress, chunkIndex]);
  return chunk !== undefined && (byteOf(chunk, byte) & mask) !== 0;
}

/** Sets or clears a bit. */
export function setMissed(
  bitmaps: Bitmaps,
  context: Context,
  { consensusAddress, index }: BitPlace,
  missed: boolean,
): void {
  const { chunkIndex, byte, mask } = locate(index);
  const chunk = Uint8Array.from(bitmaps.get(context, [consensusAddress, chunkIndex]) ?? emptyChunk());
  const before = byteOf(chunk, byte);
  chunk[byte] = missed ? before | mask : before & ~mask;
  bitmaps.set(context, [consensusAddress, chunkIndex], chunk);
}

/** Forgets all of a validator's bits. */
export function clearMissed(bitmaps: Bitmaps, context: Context, consensusAddress: Uint8Array): void {
  const range = { prefix: bitmapKey.prefix(consensusAddress) };
  for (const [key] of [...bitmaps.iterate(context, range)]) bitmaps.remove(context, key);
}

/** Places of the bits that are set, ascending. */
export function missedBlocks(
  bitmaps: Bitmaps,
  context: ReadContext,
  consensusAddress: Uint8Array,
): readonly bigint[] {
  const found: bigint[] = [];
  for (const [[, chunkIndex], chunk] of bitmaps.iterate(context, {
    prefix: bitmapKey.prefix(consensusAddress),
  })) {
    const first = chunkIndex * BigInt(CHUNK_BITS);
    for (let i = 0; i < CHUNK_BITS; i++) {
      const { byte, mask } = locate(BigInt(i));
      if ((byteOf(chunk, byte) & mask) !== 0) found.push(first + BigInt(i));
    }
  }
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

interface BitLocation {
  readonly chunkIndex: bigint;
  /** In the piece. */
  readonly byte: number;
  readonly mask: number;
}

function locate(index: bigint): BitLocation {
  assert(index >= 0n, 'an index in a bitmap is negative');
  const bit = Number(index % BigInt(CHUNK_BITS));
  const word = Math.floor(bit / 64);
  const inWord = bit % 64;
  const byte = HEADER_BYTES + word * 8 + 7 - Math.floor(inWord / 8);
  return { chunkIndex: index / BigInt(CHUNK_BITS), byte, mask: 1 << (inWord % 8) };
}

function byteOf(chunk: Uint8Array, at: number): number {
  const byte = chunk[at];
  assert(byte !== undefined, 'a piece of a bitmap is too short');
  return byte;
}

function emptyChunk(): Uint8Array {
  const chunk = new Uint8Array(CHUNK_BYTES);
  new DataView(chunk.buffer).setBigUint64(0, BigInt(CHUNK_BITS));
  return chunk;
}
