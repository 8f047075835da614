/**
 * The hash that names a transaction. One node asks for it a dozen times between a transaction's arrival and
 * its place in the index: mempool, decoded transactions, signatures, the block's data hash, results. It is
 * computed once per array and remembered as long as that array lives, and so are the two texts of it that
 * maps have as keys.
 */
import { toUpperHex } from './bytes.ts';
import { digestOfText, sha256Text } from './hash.ts';

/** The name of a transaction in its three forms. */
interface TxName {
  readonly hash: Uint8Array;
  /** The hash as a string of 32 characters. */
  readonly text: string;
  /** The hash in upper-case hexadecimal; undefined until somebody wants it. */
  hex: string | undefined;
}

const names = new WeakMap<Uint8Array, TxName>();

/** SHA-256 of a transaction, 32 bytes. The array must not be written to, before or after, by anybody. */
export function txHash(tx: Uint8Array): Uint8Array {
  return nameOf(tx).hash;
}

/** The same as a string of 32 characters of 8 bits: the cheapest key of a map. The same holds for the array. */
export function txHashText(tx: Uint8Array): string {
  return nameOf(tx).text;
}

/** The same in upper-case hexadecimal. The same holds for the array. */
export function txHashHex(tx: Uint8Array): string {
  const name = nameOf(tx);
  name.hex ??= toUpperHex(name.hash);
  return name.hex;
}

/** Says that an array holds a copy of a transaction: what is known of its name need not be computed again. */
export function isCopyOfTx(copy: Uint8Array, tx: Uint8Array): void {
  const name = names.get(tx);
  if (name !== undefined) names.set(copy, name);
}

function nameOf(tx: Uint8Array): TxName {
  const known = names.get(tx);
  if (known !== undefined) return known;
  const text = sha256Text(tx);
  const name: TxName = { hash: digestOfText(text), text, hex: undefined };
  names.set(tx, name);
  return name;
}
