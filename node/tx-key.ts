import { txHashHex } from '../core/tx-hash.ts';

/**
 * The name of a transaction wherever it is counted, looked up or shown: upper-case hexadecimal SHA-256 of its
 * bytes, as CometBFT prints it.
 */
export function txKey(tx: Uint8Array): string {
  return txHashHex(tx);
}
