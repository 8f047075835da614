/**
 * Remembers how the keys of a map look as bytes and as text: the same few thousand addresses come again and
 * again, and to encode a key and make a string of it costs more than to find it in a map.
 *
 * One place for each value of a codec's `slot`, which the last key with it takes: bounded, and nothing to keep
 * in order. Whether a place holds the wanted key is seen by comparing its bytes, never by identity, so that
 * nothing depends on who writes to which array.
 */
import type { KeyCodec } from './keys.ts';

/** An entry's key as the store takes it. Shared: never write to the bytes. */
export interface KeyLocation {
  readonly bytes: Uint8Array;
  /** The bytes as a latin-1 string. */
  readonly text: string;
}

/** Places, a power of two: accounts that send at a time. 300 bytes each once taken. */
const PLACES = 8_192;

/** The memo of one map. */
export class KeyMemo<K> {
  readonly #codec: KeyCodec<K>;
  readonly #offset: number;
  /** Made with the first key. */
  #places: (KeyLocation | undefined)[] | undefined;

  /** @param offset length of what all keys of the map begin with */
  constructor(codec: KeyCodec<K>, offset: number) {
    this.#codec = codec;
    this.#offset = offset;
  }

  /** The location of the key; made, and kept, when it is not known. */
  find(key: K, make: (key: K) => KeyLocation): KeyLocation {
    const { slot, matches } = this.#codec;
    if (slot === undefined || matches === undefined) return make(key);
    this.#places ??= new Array<KeyLocation | undefined>(PLACES).fill(undefined);
    const place = slot(key) & (PLACES - 1);
    const known = this.#places[place];
    if (known !== undefined && matches(known.bytes, this.#offset, key, true) === known.bytes.length)
      return known;
    const location = make(key);
    this.#places[place] = location;
    return location;
  }
}
