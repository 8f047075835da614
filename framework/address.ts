import { fromBech32, toBech32 } from '../core/bech32.ts';
import { concatBytes, utf8 } from '../core/bytes.ts';
import { messageOf } from '../core/errors.ts';
import { sha256 } from '../core/hash.ts';
import { type ErrorKind, StateError, sdkErrors, unregisteredError } from './errors.ts';
import { BoundedMap } from './bounded-map.ts';

declare global {
  interface Buffer {
    /** The bytes as a latin-1 string. In Node.js since 0.x, missing from its type package. */
    latin1Slice(start: number, end: number): string;
  }
}

/** Raw bytes of an account address: 20 for keys and module accounts, 32 for derived ones. */
export type Address = Uint8Array;

/** Longest address, as in the SDK. */
export const ADDRESS_BYTES_MAX = 255;

/**
 * Addresses whose text is remembered: bech32 costs more than a store read, and a few accounts make most
 * traffic.
 */
const CACHED_ADDRESSES_MAX = 16_384;

/** The failure for what is wrong with a text, with the SDK's number for it; undefined when it has none. */
type Refusal = (detail: string, kind?: ErrorKind) => StateError;

/**
 * Text of addresses under the chain's prefix. The caches only remember what the pure functions gave. Arrays
 * that `toBytes` returns are shared: never write to them.
 */
export class AddressCodec {
  readonly prefix: string;
  readonly #texts = new BoundedMap<string, string>(CACHED_ADDRESSES_MAX);
  readonly #bytes = new BoundedMap<string, Address>(CACHED_ADDRESSES_MAX);
  /** Texts of the arrays that `toBytes` gave: most addresses that are written were read before. */
  readonly #textOf = new WeakMap<Address, string>();

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** `open1…` of the bytes. */
  toText(address: Address): string {
    const given = this.#textOf.get(address);
    if (given !== undefined) return given;
    const key = latin1(address);
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const text = toBech32(this.prefix, address);
    this.#texts.set(key, text);
    return text;
  }

  /** @throws StateError (sdk 7) when the text is not an address of this chain; the log says why */
  toBytes(text: string): Address {
    return this.#read(text, (detail) => new StateError(sdkErrors.invalidAddress, detail));
  }

  /**
   * The same, for the messages whose handlers in the SDK hand on what its codec says as it is.
   * @throws StateError (undefined 1; sdk 9 when it is empty or too long, 35 when it is of another chain)
   */
  toBytesBare(text: string): Address {
    return this.#read(text, (detail, kind) =>
      kind === undefined ? unregisteredError(detail) : new StateError(kind, detail),
    );
  }

  #read(text: string, refusal: Refusal): Address {
    const known = this.#bytes.get(text);
    if (known !== undefined) return known;
    const bytes = this.#decode(text, refusal);
    this.#bytes.set(text, bytes);
    // Bech32 may be written in capitals; what is written back never depends on what was read.
    this.#textOf.set(bytes, text.toLowerCase());
    return bytes;
  }

  #decode(text: string, refusal: Refusal): Address {
    if (text.trim() === '') throw refusal('empty address string is not allowed');
    let decoded: ReturnType<typeof fromBech32>;
    try {
      decoded = fromBech32(text);
    } catch (cause) {
      throw refusal(messageOf(cause));
    }
    if (decoded.prefix !== this.prefix)
      throw refusal(
        `hrp does not match bech32 prefix: expected '${this.prefix}' got '${decoded.prefix}'`,
        sdkErrors.logic,
      );
    const { length } = decoded.bytes;
    if (length === 0) throw refusal('addresses cannot be empty', sdkErrors.unknownAddress);
    if (length > ADDRESS_BYTES_MAX)
      throw refusal(`address max length is ${ADDRESS_BYTES_MAX}, got ${length}`, sdkErrors.unknownAddress);
    return decoded.bytes;
  }
}

/**
 * Address of a module account: the first 20 bytes of SHA-256 of its name (SDK `address.Module` without a
 * key).
 */
export function moduleAddress(name: string): Address {
  return sha256(utf8(name)).slice(0, 20);
}

/** Address derived within a module: SHA-256(SHA-256("module") ‖ name ‖ 0 ‖ key), 32 bytes (ADR-028). */
export function derivedAddress(name: string, key: Uint8Array): Address {
  return sha256(concatBytes(sha256(utf8('module')), utf8(name), Uint8Array.of(0), key));
}

/** Bytes as a string of as many characters: a key for maps. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.prototype.latin1Slice.call(bytes, 0, bytes.length);
}
