import { copyBytes, EMPTY_BYTES } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

declare global {
  interface Buffer {
    /** The bytes as a latin-1 string. In Node.js since 0.x, missing from its type package. */
    latin1Slice(start: number, end: number): string;
  }
}

/** Text up to this length that is ASCII is taken as latin-1: a third of the generic decoder's cost. */
const ASCII_BYTES_MAX = 1024;

/** Reads protobuf primitives from a byte array; every method checks that the bytes are there. */
export class Reader {
  readonly bytes: Uint8Array;
  /** Where the next read begins. */
  position: number;
  /** Where reading must stop: the end of the message under way. */
  end: number;
  /** How many elements of repeated fields may still be read. */
  elementsLeft: number;
  readonly #views: boolean;
  #view: DataView | undefined;

  constructor(bytes: Uint8Array, options: { readonly elementsMax?: number; readonly views?: boolean } = {}) {
    this.elementsLeft = options.elementsMax ?? Number.POSITIVE_INFINITY;
    this.#views = options.views ?? false;
    this.bytes = bytes;
    this.position = 0;
    this.end = bytes.length;
  }

  /** A varint of at most 64 bits. */
  varint64(): bigint {
    const start = this.position;
    const small = this.#smallVarint();
    if (small >= 0) return BigInt(small);
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        if (value >> 64n !== 0n) break;
        return value;
      }
    }
    throw new DecodeError(`varint does not fit 64 bits at offset ${start}`);
  }

  /** A varint that must be a safe integer: tags and lengths. */
  uvarint(): number {
    const small = this.#smallVarint();
    if (small >= 0) return small;
    const value = this.varint64();
    if (value > 0x7fffffffn) throw new DecodeError(`number ${value} is too large at offset ${this.position}`);
    return Number(value);
  }

  /** The low 32 bits of a varint, as protobuf reads 32-bit fields: larger encodings are cut. */
  varint32(): number {
    const small = this.#smallVarint();
    if (small >= 0) return small;
    return Number(BigInt.asUintN(32, this.varint64()));
  }

  fixed32(): number {
    return this.#dataView().getUint32(this.#take(4), true);
  }

  fixed64(): bigint {
    return this.#dataView().getBigUint64(this.#take(8), true);
  }

  float(): number {
    return this.#dataView().getFloat32(this.#take(4), true);
  }

  double(): number {
    return this.#dataView().getFloat64(this.#take(8), true);
  }

  /** Length-delimited bytes, copied unless views are wanted: a decoded message does not keep its input alive. */
  lengthDelimited(): Uint8Array {
    const length = this.uvarint();
    const start = this.#take(length);
    if (length === 0) return EMPTY_BYTES; // an array of its own takes 200 bytes
    const { buffer, byteOffset } = this.bytes;
    if (this.#views) return new Uint8Array(buffer, byteOffset + start, length);
    return copyBytes(this.bytes, start, start + length);
  }

  /** @throws DecodeError when it is not well-formed UTF-8 */
  string(): string {
    const length = this.uvarint();
    const start = this.#take(length);
    if (length <= ASCII_BYTES_MAX && this.#isAscii(start, start + length))
      return Buffer.prototype.latin1Slice.call(this.bytes, start, start + length);
    try {
      return textDecoder.decode(this.bytes.subarray(start, start + length));
    } catch (cause) {
      throw new DecodeError(`text is not well-formed UTF-8 at offset ${start}`, {}, cause);
    }
  }

  /** Passes over a field's value. Groups are refused: proto3 has none. */
  skip(wireType: number): void {
    if (wireType === 0) this.varint64();
    else if (wireType === 1) this.#take(8);
    else if (wireType === 2) this.#take(this.uvarint());
    else if (wireType === 5) this.#take(4);
    else throw new DecodeError(`wire type ${wireType} at offset ${this.position}`);
  }

  #isAscii(start: number, end: number): boolean {
    const { bytes } = this;
    for (let i = start; i < end; i++) if ((bytes[i] ?? 0) >= 128) return false;
    return true;
  }

  /** A varint of at most four bytes, read without bigints; -1, and nothing consumed, when it is longer. */
  #smallVarint(): number {
    let value = 0;
    for (let i = 0; i < 4 && this.position + i < this.end; i++) {
      const byte = this.bytes[this.position + i] ?? 0;
      value |= (byte & 127) << (7 * i);
      if (byte < 128) {
        this.position += i + 1;
        return value;
      }
    }
    return -1;
  }

  #dataView(): DataView {
    const { buffer, byteOffset, byteLength } = this.bytes;
    this.#view ??= new DataView(buffer, byteOffset, byteLength);
    return this.#view;
  }

  #take(count: number): number {
    const start = this.position;
    if (start + count > this.end) {
      throw new DecodeError(
        `unexpected end of bytes: ${count} wanted at offset ${start}, ${this.end - start} left`,
      );
    }
    this.position = start + count;
    return start;
  }

  #byte(): number {
    return this.bytes[this.#take(1)] ?? 0;
  }
}
