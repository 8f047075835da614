/**
 * The layout of the index database. Numbers are big-endian, so that the order of keys is the order of
 * heights.
 *
 *   00                            → format (1) | height of the last block that is wholly written (8)
 *   01 | tx hash                  → height (8) | index (4)
 *   02 | height (8)               → (offset (4) | length (4))*  of each transaction in the encoded block
 *   03 | tag | value | height     → (index (4) | event (4))*   transactions of a block with that attribute
 *   04 | height (8)               → nothing
 *   05 | tag | value | height     → (event (4))*               events of a block with that attribute
 *
 * `tag` and `value` are text that ends with 00 01; a 00 within is written 00 FF, so no text is the beginning
 * of another. `event` numbers the events of one transaction or block: conditions must hold within one event
 * (see `search.ts`). An attribute that many transactions of a block share is one entry: a third of the writes
 * of one entry each. Transactions and results themselves are in the block store and the state store.
 */
import { concatBytes, utf8 } from '../../core/bytes.ts';

/** Key of the last indexed height. */
export const LAST_HEIGHT_KEY: Uint8Array = Uint8Array.of(0x00);

const TX = 0x01;
const TX_PRIMARY = 0x02;
const TX_EVENT = 0x03;
const BLOCK_PRIMARY = 0x04;
const BLOCK_EVENT = 0x05;

/** The layout above. Format 1 held each transaction with its result. */
export const INDEX_FORMAT = 2;

/** Bytes of a height. */
export const HEIGHT_BYTES = 8;
/** Bytes of an event's number. */
export const EVENT_NUMBER_BYTES = 4;
/** Bytes of a transaction's place in its block: offset and length. */
export const PLACE_BYTES = 8;
const TERMINATOR: Uint8Array = Uint8Array.of(0x00, 0x01);

/** How one of the two indexes is laid out. */
export interface IndexLayout {
  /** The tag that stands for the height in queries. */
  readonly heightTag: string;
  readonly primary: number;
  readonly event: number;
  /** Bytes that name an item: 12 for a transaction (height, index), 8 for a block (height). */
  readonly itemBytes: 8 | 12;
}

/** Transactions. */
export const TX_LAYOUT: IndexLayout = {
  heightTag: 'tx.height',
  primary: TX_PRIMARY,
  event: TX_EVENT,
  itemBytes: 12,
};

/** Blocks. */
export const BLOCK_LAYOUT: IndexLayout = {
  heightTag: 'block.height',
  primary: BLOCK_PRIMARY,
  event: BLOCK_EVENT,
  itemBytes: 8,
};

/** The item of a block, or of the transaction at `index` in it. */
export function itemOf(height: bigint, index?: number): Buffer {
  const item = Buffer.alloc(index === undefined ? 8 : 12);
  item.writeBigUInt64BE(height);
  if (index !== undefined) item.writeUInt32BE(index, 8);
  return item;
}

/** The height in an item. */
export function heightOfItem(item: Uint8Array): bigint {
  return new DataView(item.buffer, item.byteOffset, 8).getBigUint64(0);
}

/** The number of the transaction within its block, from an item of `TX_LAYOUT`. */
export function indexOfItem(item: Uint8Array): number {
  return new DataView(item.buffer, item.byteOffset, item.length).getUint32(HEIGHT_BYTES);
}

/** All keys but that of the last indexed height. */
export const ALL_ENTRIES: { readonly start: Uint8Array; readonly end: Uint8Array } = {
  start: Uint8Array.of(TX),
  end: Uint8Array.of(BLOCK_EVENT + 1),
};

/** The height of the block that one of them belongs to. */
export function heightOfEntry([key, value]: readonly [key: Uint8Array, value: Uint8Array]): bigint {
  return heightOfItem(key[0] === TX ? value : key.subarray(key.length - HEIGHT_BYTES));
}

/** The key of a transaction's height and index. */
export function txKeyBytes(hash: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(TX), hash);
}

/** The key that lists a block, or its transactions, by height. */
export function primaryKey(layout: IndexLayout, height: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(layout.primary), height);
}

/** The beginning of all keys of a tag, or of a tag with a value. */
export function eventPrefix(layout: IndexLayout, tag: string, value?: string): Uint8Array {
  const parts = [Uint8Array.of(layout.event), terminated(tag)];
  if (value !== undefined) parts.push(terminated(value));
  return concatBytes(...parts);
}

/** The key of a block's occurrences of an attribute. */
export function eventKey(prefix: Uint8Array, height: Uint8Array): Uint8Array {
  return Buffer.concat([prefix, height]);
}

/**
 * The same key from the beginning of all keys of its tag: the values of a tag are many, and this is most of
 * what indexing costs, so the key is written in one piece.
 */
export function eventKeyOf(tagPrefix: Uint8Array, value: string, height: Uint8Array): Uint8Array {
  if (value.includes('\0')) return concatBytes(tagPrefix, terminated(value), height);
  const length = tagPrefix.length + Buffer.byteLength(value) + TERMINATOR.length + HEIGHT_BYTES;
  const key = Buffer.allocUnsafe(length);
  key.set(tagPrefix);
  key.write(value, tagPrefix.length);
  key.set(TERMINATOR, length - HEIGHT_BYTES - TERMINATOR.length);
  key.set(height, length - HEIGHT_BYTES);
  return key;
}

/** The value in an event's key of which the first `prefixLength` bytes are known. */
export function valueOfKey(key: Uint8Array, prefixLength: number): string {
  const end = key.length - HEIGHT_BYTES - TERMINATOR.length;
  const text = Buffer.from(key.buffer, key.byteOffset + prefixLength, end - prefixLength);
  if (!text.includes(0)) return text.toString();
  const plain: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] ?? 0;
    plain.push(byte);
    if (byte === 0) at++;
  }
  return Buffer.from(plain).toString();
}

/** The key after every key with this beginning. */
export function endOf(prefix: Uint8Array): Uint8Array {
  const end = Uint8Array.from(prefix);
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = end[at] ?? 0;
    if (byte < 0xff) {
      end[at] = byte + 1;
      return end.subarray(0, at + 1);
    }
  }
  return Uint8Array.of(0xff);
}

function terminated(text: string): Uint8Array {
  const bytes = utf8(text);
  if (!bytes.includes(0)) return concatBytes(bytes, TERMINATOR);
  const escaped: number[] = [];
  for (const byte of bytes) {
    escaped.push(byte);
    if (byte === 0) escaped.push(0xff);
  }
  return concatBytes(Uint8Array.from(escaped), TERMINATOR);
}
