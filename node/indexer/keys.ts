/**
 * The layout of the index database. Numbers are big-endian, so that the order of keys is the order of
 * heights.
 *
 *   00                            → height of the last block that is wholly written
 *   01 | tx hash                  → tendermint.abci.TxResult
 *   02 | height (8) | index (4)   → tx hash
 *   03 | tag | value | height     → (index (4) | event (4))*   transactions of a block with that attribute
 *   04 | height (8)               → nothing
 *   05 | tag | value | height     → (event (4))*               events of a block with that attribute
 *
 * `tag` and `value` are text that ends with 00 01; a 00 within is written 00 FF, so no text is the beginning
 * of another. `event` numbers the events of one transaction or block: conditions must hold within one event
 * (see `search.ts`). An attribute that many transactions of a block share is one entry: a third of the writes
 * of one entry each.
 */
import { concatBytes, utf8 } from '../../core/bytes.ts';

/** Key of the last indexed height. */
export const LAST_HEIGHT_KEY: Uint8Array = Uint8Array.of(0x00);

const TX = 0x01;
const TX_PRIMARY = 0x02;
const TX_EVENT = 0x03;
const BLOCK_PRIMARY = 0x04;
const BLOCK_EVENT = 0x05;

/** Bytes of a height. */
export const HEIGHT_BYTES = 8;
/** Bytes of an event's number. */
export const EVENT_NUMBER_BYTES = 4;
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

/** The key of a transaction's result. */
export function txKeyBytes(hash: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(TX), hash);
}

/** The key that lists an item by its height. */
export function primaryKey(layout: IndexLayout, item: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(layout.primary), item);
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

/** The same key from the beginning of all keys of its tag: the values of a tag are many. */
export function eventKeyOf(tagPrefix: Uint8Array, value: string, height: Uint8Array): Uint8Array {
  return concatBytes(tagPrefix, terminated(value), height);
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
