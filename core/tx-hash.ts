/**
 * The hash that names a transaction. One node asks for it a dozen times between a transaction's arrival and
 * its place in the index: mempool, decoded transactions, signatures, the block's data hash, results. It is
 * computed once per array and remembered as long as that array lives.
 */
import { sha256 } from './hash.ts';

const hashes = new WeakMap<Uint8Array, Uint8Array>();

/** SHA-256 of a transaction, 32 bytes. The array must not be written to, before or after, by anybody. */
export function txHash(tx: Uint8Array): Uint8Array {
  const known = hashes.get(tx);
  if (known !== undefined) return known;
  const hash = sha256(tx);
  hashes.set(tx, hash);
  return hash;
}
