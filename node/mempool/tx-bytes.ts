/** The bytes of a transaction, as the pool keeps and counts them. */
import { isCopyOfTx } from '../../core/tx-hash.ts';
import { uvarintLength } from '../../core/varint.ts';

const TAG_BYTES = 1;
const SHORT_BYTES_MAX = 64;

/** What a transaction takes in a block, with its tag and length. */
export function bytesInBlock(tx: Uint8Array): number {
  return TAG_BYTES + uvarintLength(tx.length) + tx.length;
}

/**
 * The bytes in memory of their own: what waits here for long must not keep the message that it came in, or
 * what shares a buffer with it.
 */
export function ownBytes(tx: Uint8Array): Uint8Array {
  // Short ones live in the engine's heap; asking for their buffer would move them out of it.
  if (tx.length > SHORT_BYTES_MAX && tx.buffer.byteLength === tx.length) return tx;
  const own = new Uint8Array(tx);
  isCopyOfTx(own, tx);
  return own;
}
