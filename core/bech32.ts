import { bech32 } from '@scure/base';
import { DecodeError, messageOf } from './errors.ts';

/** Longest text read, as the Cosmos SDK limits it (BIP-173 itself stops at 90). */
const TEXT_LENGTH_MAX = 1023;

/** A bech32 text taken apart. */
export interface Bech32 {
  readonly prefix: string;
  readonly bytes: Uint8Array;
}

/** Bech32 (BIP-173) text of bytes: `open1…`. */
export function toBech32(prefix: string, bytes: Uint8Array): string {
  return bech32.encode(prefix, bech32.toWords(bytes), TEXT_LENGTH_MAX);
}

/**
 * Takes a bech32 text apart.
 * @throws DecodeError on a bad checksum, mixed case or another character
 */
export function fromBech32(text: string): Bech32 {
  try {
    const { prefix, words } = bech32.decode(text, TEXT_LENGTH_MAX);
    return { prefix, bytes: bech32.fromWords(words) };
  } catch (cause) {
    throw new DecodeError(`decoding bech32 failed: ${messageOf(cause)}`, { length: text.length }, cause);
  }
}
