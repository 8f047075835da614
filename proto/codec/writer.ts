import { copyBytes } from '../../core/bytes.ts';
import { uvarintLength, writeUvarint } from '../../core/varint.ts';

const INITIAL_BYTES = 4096;
/** Largest buffer that is kept between encodings. */
const KEPT_BYTES_MAX = 1 << 22;
/** Text up to this length is written here; for longer text the encoder's call costs less. */
const SHORT_TEXT_CHARS = 64;
/** What a `number` holds exactly: arithmetic on it costs a fraction of a bigint's. */
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const textEncoder = new TextEncoder();

/**
 * A growing byte buffer with protobuf's primitive writers. One per encoding; `finish` copies the result out.
 */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(INITIAL_BYTES);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Forgets what was written. A buffer that one large message has grown is given back. */
  reset(): this {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#grow(INITIAL_BYTES);
    return this;
  }

  /** The bytes written so far, in an array of their own. */
  finish(): Uint8Array {
    return copyBytes(this.#bytes, 0, this.#length);
  }

  /** A non-negative safe integer as a varint. */
  uvarint(value: number): void {
    this.#room(10);
    if (value < 128) this.#bytes[this.#length++] = value;
    else this.#length = writeUvarint(this.#bytes, this.#length, value);
  }

  /** A 64-bit value as a varint; a negative one in two's complement (ten bytes). */
  varint64(value: bigint): void {
    this.#room(10);
    if (value >= 0n && value <= SAFE_MAX) {
      this.#length = writeUvarint(this.#bytes, this.#length, Number(value));
      return;
    }
    let rest = BigInt.asUintN(64, value);
    while (rest >= 128n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  fixed32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#length, value >>> 0, true);
    this.#length += 4;
  }

  fixed64(value: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true);
    this.#length += 8;
  }

  float(value: number): void {
    this.#room(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  double(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Length and bytes. */
  bytes(value: Uint8Array): void {
    this.#room(value.length + 10);
    this.#length = writeUvarint(this.#bytes, this.#length, value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Length and UTF-8 bytes. */
  string(value: string): void {
    this.#room(value.length * 3 + 10);
    const start = this.#length;
    const after = writeUvarint(this.#bytes, start, value.length);
    if (value.length <= SHORT_TEXT_CHARS && this.#ascii(value, after)) {
      this.#length = after + value.length;
      return;
    }
    const { written } = textEncoder.encodeInto(value, this.#bytes.subarray(after));
    if (written !== value.length) {
      const shift = uvarintLength(written) - (after - start);
      if (shift !== 0) this.#bytes.copyWithin(after + shift, after, after + written);
      writeUvarint(this.#bytes, start, written);
      this.#length = after + shift + written;
      return;
    }
    this.#length = after + written;
  }

  /** Writes text that is all ASCII; false when it is not, and then what was written does not count. */
  #ascii(value: string, offset: number): boolean {
    const bytes = this.#bytes;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 128) return false;
      bytes[offset + i] = code;
    }
    return true;
  }

  /** Leaves room for the length of what follows; returns the mark that `endDelimited` needs. */
  beginDelimited(): number {
    this.#room(1);
    this.#length += 1;
    return this.#length;
  }

  /** Writes the length of everything since the mark in front of it. */
  endDelimited(mark: number): void {
    const length = this.#length - mark;
    const extra = uvarintLength(length) - 1;
    if (extra > 0) {
      this.#room(extra);
      this.#bytes.copyWithin(mark + extra, mark, this.#length);
      this.#length += extra;
    }
    writeUvarint(this.#bytes, mark - 1, length);
  }

  #room(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    let size = this.#bytes.length * 2;
    while (size < needed) size *= 2;
    this.#grow(size);
  }

  #grow(size: number): void {
    const larger = new Uint8Array(size);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
