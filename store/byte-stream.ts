/** Records of numbers and byte strings: what the store writes to disk is made of these. */
import { DecodeError } from '../core/errors.ts';
import { writeUvarint } from '../core/varint.ts';

const FIRST_BYTES = 1024;
/** Bytes of the longest varint of a safe integer. */
const UVARINT_BYTES_MAX = 8;

/** Appends to a buffer that grows. */
export class ByteWriter {
  #buffer = new Uint8Array(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A non-negative safe integer. */
  uvarint(value: number): void {
    this.#reserve(UVARINT_BYTES_MAX);
    this.#length = writeUvarint(this.#buffer, this.#length, value);
  }

  /** Bytes without their length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Bytes after their length. */
  bytes(bytes: Uint8Array): void {
    this.uvarint(bytes.length);
    this.raw(bytes);
  }

  /** A copy of all that was written. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + count));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

/** Reads what a `ByteWriter` wrote. All methods throw DecodeError where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** How many bytes were read. */
  get offset(): number {
    return this.#at;
  }

  uvarint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new DecodeError('a number is cut short', { offset: this.#at });
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new DecodeError('a number is too large', { offset: this.#at });
  }

  /** A copy of the next `length` bytes. */
  raw(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) {
      throw new DecodeError('bytes are cut short', { offset: this.#at, length });
    }
    const from = this.#at;
    this.#at += length;
    return this.#bytes.slice(from, this.#at);
  }

  bytes(): Uint8Array {
    return this.raw(this.uvarint());
  }

  /** @throws DecodeError when bytes are left */
  end(): void {
    if (!this.done) throw new DecodeError('bytes follow the end of a record', { offset: this.#at });
  }
}
