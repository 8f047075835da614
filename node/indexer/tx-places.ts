/** Where the transactions of a block stand in its encoding (tendermint.types.Block). */
import type { Block } from '../../consensus/types/block.ts';
import { uvarintLength } from '../../core/varint.ts';
import { Header } from '../../proto/gen/tendermint/types/types.ts';
import { PLACE_BYTES } from './keys.ts';

/** Some bytes of an encoded block. */
export interface TxPlace {
  readonly offset: number;
  readonly length: number;
}

const TAG_BYTES = 1;

/**
 * The places of all transactions, one after the other: `offset (4) | length (4)`. The encoding begins with
 * the header as field 1 and the data as field 2; each transaction is a field of the data.
 */
export function encodeTxPlaces({ header, txs }: Pick<Block, 'header' | 'txs'>): Uint8Array {
  const places = Buffer.allocUnsafe(txs.length * PLACE_BYTES);
  let data = 0;
  for (const { length } of txs) data += TAG_BYTES + uvarintLength(length) + length;
  const headerBytes = Header.encode(header).length;
  let offset = TAG_BYTES + uvarintLength(headerBytes) + headerBytes + TAG_BYTES + uvarintLength(data);
  let at = 0;
  for (const { length } of txs) {
    offset += TAG_BYTES + uvarintLength(length);
    at = places.writeUInt32BE(offset, at);
    at = places.writeUInt32BE(length, at);
    offset += length;
  }
  return places;
}

/** The place of one transaction; undefined when the block has fewer. */
export function txPlaceAt(places: Uint8Array, index: number): TxPlace | undefined {
  const at = index * PLACE_BYTES;
  if (at + PLACE_BYTES > places.length) return undefined;
  const view = new DataView(places.buffer, places.byteOffset + at, PLACE_BYTES);
  return { offset: view.getUint32(0), length: view.getUint32(4) };
}
