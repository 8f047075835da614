/**
 * Leaves of a suffix tree as messages to be hashed: what attest/index/leaf-writers.ts writes, without salts.
 * Tokens have their bytes reversed, as they stand in leaves.
 */

const LEAF_PREFIX: u8 = 0;
const SUFFIX_KIND: u8 = 2;
/** The separator, 1, with its bytes reversed. */
const SEPARATOR: i32 = 0x01000000;
const PREFIX_BYTES: usize = 128;
/** Ranks whose entries are read ahead: a multiple of the entries of a leaf. */
const TOUCHED_ENTRIES: i32 = 256;
const TOUCHED = memory.data(4);
const MARK_SHIFT: u32 = 6;
const MARK_BYTES_SHIFT: u32 = 3;

/**
 * Writes the leaves of `entries` ranks, whose positions are at `sa`, as padded messages one behind another,
 * and how many blocks each has to `blocks`, a byte each. Behind the last mark is one of all ones.
 */
export function writeSuffixLeaves(
  text: usize,
  marks: usize,
  sa: usize,
  entries: i32,
  perLeaf: i32,
  messages: usize,
  blocks: usize,
): void {
  let message = messages;
  for (let first = 0; first < entries; first += perLeaf) {
    if ((first & (TOUCHED_ENTRIES - 1)) === 0) {
      touch(text, marks, sa + (usize(first) << 2), min(TOUCHED_ENTRIES, entries - first));
    }
    store<u8>(message, LEAF_PREFIX);
    store<u8>(message, SUFFIX_KIND, 1);
    let at = message + 2;
    const end = min(entries, first + perLeaf);
    for (let i = first; i < end; i++) at = writeEntry(text, marks, load<u32>(sa + (usize(i) << 2)), at);
    const next = pad(message, at);
    store<u8>(blocks, u8((next - message) >> 6));
    blocks++;
    message = next;
  }
}

/**
 * Reads what the entries of some ranks will be made of. Suffixes lie anywhere in the text: their cache misses
 * overlap here, where nothing waits for them.
 */
function touch(text: usize, marks: usize, sa: usize, entries: i32): void {
  let sum = 0;
  for (let i = 0; i < entries; i++) {
    const position = load<u32>(sa + (usize(i) << 2));
    const at = text + (usize(position) << 2);
    sum += load<i32>(at) + load<i32>(at, 64) + load<i32>(at, PREFIX_BYTES - 4);
    sum += load<i32>(marks + (usize(position >> MARK_SHIFT) << MARK_BYTES_SHIFT));
  }
  // Written, so that the compiler keeps the reads.
  store<i32>(TOUCHED, sum);
}

/** Position, document, tokens up to and with the first separator; the address behind. */
function writeEntry(text: usize, marks: usize, position: u32, at: usize): usize {
  store<u32>(at, bswap(position));
  store<u32>(at, bswap(documentOf(text, marks, position)), 4);
  const from = text + (usize(position) << 2);
  const to = at + 8;
  for (let offset: usize = 0; offset < PREFIX_BYTES; offset += 16) {
    const tokens = v128.load(from + offset);
    v128.store(to + offset, tokens);
    const found = i32x4.bitmask(i32x4.eq(tokens, i32x4.splat(SEPARATOR)));
    if (found !== 0) return to + offset + (usize(ctz(found) + 1) << 2);
  }
  return to + PREFIX_BYTES;
}

function documentOf(text: usize, marks: usize, position: u32): u32 {
  const mark = position >> MARK_SHIFT;
  const at = marks + (usize(mark) << MARK_BYTES_SHIFT);
  let document = load<u32>(at);
  if (load<u32>(at, 8) === document) return document;
  const end = text + (usize(position) << 2);
  for (let token = text + (usize(mark << MARK_SHIFT) << 2); token < end; token += 4) {
    if (load<i32>(token) === SEPARATOR) document++;
  }
  return document;
}

/** Ends a message: closing bit, zeros, length in bits. The address behind its blocks. */
function pad(message: usize, end: usize): usize {
  const length = end - message;
  const next = message + ((length + 9 + 63) & ~63);
  for (let at = end; at < next; at += 16) v128.store(at, i32x4.splat(0));
  store<u8>(end, 0x80);
  store<u32>(next - 4, bswap(u32(length << 3)));
  return next;
}
