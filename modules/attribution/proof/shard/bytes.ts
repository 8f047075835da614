/**
 * Bytes of proofs, written and read. Every value has one encoding: integers of a width that follows from the
 * shard, or varints without leading zeros; tokens as their bytes up to the last that is not zero, with their
 * lengths before each four of them, two bits each, the first token's lowest.
 */
import { newBytes } from '../../../../core/bytes.ts';
import { DecodeError } from '../../../../core/errors.ts';

/** Tokens whose lengths stand in one byte. */
const GROUP_TOKENS = 4;
const VARINT_BYTES_MAX = 8;

/** Bytes that hold every number below `limit`, which is 1 to 2^32. */
export function widthOf(limit: number): number {
  let width = 1;
  while (256 ** width < limit) width++;
  return width;
}

/** Bytes of a token in a proof: 1 to 4. */
function tokenLength(id: number): number {
  if ((id & 0xff) !== 0) return 4;
  if ((id & 0xffff) !== 0) return 3;
  return (id & 0xffffff) !== 0 ? 2 : 1;
}

/** Writes a proof; grows as it does. */
export class ProofWriter {
  #bytes: Uint8Array = newBytes(2048);
  #at = 0;

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const grown = newBytes(2 * (this.#at + length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }

  /** Writes a number in as many bytes as said, big-endian. */
  uint(value: number, width: number): void {
    this.#room(width);
    let rest = value;
    for (let i = this.#at + width - 1; i >= this.#at; i--) {
      this.#bytes[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.#at += width;
  }

  /** Writes a non-negative safe integer, seven bits a byte, the lowest first. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.uint((rest % 128) + 128, 1);
      rest = Math.floor(rest / 128);
    }
    this.uint(rest, 1);
  }

  /** Writes the bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Writes the tokens from index `from` on. How many there are the reader has to know. */
  tokens(tokens: readonly number[], from: number): void {
    for (let group = from; group < tokens.length; group += GROUP_TOKENS) {
      const members = tokens.slice(group, group + GROUP_TOKENS);
      let lengths = 0;
      for (const [i, id] of members.entries()) lengths |= (tokenLength(id) - 1) << (2 * i);
      this.uint(lengths, 1);
      for (const id of members) {
        const length = tokenLength(id);
        this.uint(Math.floor(id / 256 ** (4 - length)), length);
      }
    }
  }

  /** What was written. */
  done(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }
}

/** Reads a proof from its first byte to its last. Every method throws DecodeError on what no writer writes. */
export class ProofReader {
  readonly bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.bytes.length - this.#at;
  }

  /** @throws DecodeError when a condition on what was read does not hold */
  check(condition: boolean, problem: string): void {
    if (!condition) throw new DecodeError(`proof: ${problem}`, { offset: this.#at });
  }

  /** Moves behind bytes that somebody else has read. */
  skipTo(at: number): void {
    this.#at = at;
  }

  /** A byte. */
  u8(): number {
    const value = this.bytes[this.#at];
    if (value === undefined) throw new DecodeError('proof is cut short', { offset: this.#at });
    this.#at++;
    return value;
  }

  /** A number of so many bytes, big-endian: at most six. */
  uint(width: number): number {
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + this.u8();
    return value;
  }

  /** A safe integer. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) {
        this.check(byte > 0 || i === 0, 'has a number with leading zeros');
        this.check(Number.isSafeInteger(value), 'has a number that is too large');
        return value;
      }
      scale *= 128;
    }
    throw new DecodeError('proof: has a number that is too long', { offset: this.#at });
  }

  /** A view of the next bytes. */
  raw(length: number): Uint8Array {
    this.check(length <= this.left, 'is cut short');
    const from = this.#at;
    this.#at = from + length;
    return this.bytes.subarray(from, this.#at);
  }

  /** Appends tokens to `tokens` until it has `until` of them, or one is `last`. */
  tokens(tokens: number[], until: number, last: number | undefined): void {
    const { bytes } = this;
    let ended = false;
    while (!ended && tokens.length < until) {
      let lengths = this.u8();
      for (let i = 0; i < GROUP_TOKENS && !ended && tokens.length < until; i++) {
        const length = (lengths & 3) + 1;
        lengths >>= 2;
        const at = this.#at;
        this.check(at + length <= bytes.length, 'is cut short');
        this.#at = at + length;
        this.check(length === 1 || bytes[at + length - 1] !== 0, 'has a token with zeros behind it');
        let id = (bytes[at] ?? 0) << 24;
        if (length > 1) id |= (bytes[at + 1] ?? 0) << 16;
        if (length > 2) id |= (bytes[at + 2] ?? 0) << 8;
        if (length > 3) id |= bytes[at + 3] ?? 0;
        id >>>= 0;
        tokens.push(id);
        ended = id === last;
      }
      this.check(lengths === 0, 'has lengths of tokens that are not there');
    }
  }

  /** @throws DecodeError when there are bytes left */
  end(): void {
    this.check(this.left === 0, 'goes on behind its end');
  }
}
