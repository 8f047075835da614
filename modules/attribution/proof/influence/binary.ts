/** Reading and writing of the formats of influence: big-endian integers, lengths before what varies. */
import { DecodeError } from '../../../../core/errors.ts';

const TWO_32 = 2 ** 32;

/** Writes integers, one after the other. */
export class BinaryWriter {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.#integer(1, (view) => view.setUint8(0, value));
  }

  u16(value: number): this {
    return this.#integer(2, (view) => view.setUint16(0, value));
  }

  i16(value: number): this {
    return this.#integer(2, (view) => view.setInt16(0, value));
  }

  u32(value: number): this {
    return this.#integer(4, (view) => view.setUint32(0, value));
  }

  i32(value: number): this {
    return this.#integer(4, (view) => view.setInt32(0, value));
  }

  /** An integer below 2^53 in absolute value, in 8 bytes of two's complement. */
  i64(value: number): this {
    return this.#integer(8, (view) => setInt64(view, 0, value));
  }

  u64(value: bigint): this {
    return this.#integer(8, (view) => view.setBigUint64(0, value));
  }

  bytes(value: Uint8Array): this {
    this.#parts.push(value);
    return this;
  }

  end(): Uint8Array {
    const out = new Uint8Array(this.#parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  #integer(length: number, set: (view: DataView) => void): this {
    const bytes = new Uint8Array(length);
    set(new DataView(bytes.buffer));
    return this.bytes(bytes);
  }
}

/** Writes an integer below 2^53 in absolute value as 8 bytes of two's complement. */
export function setInt64(view: DataView, offset: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  view.setInt32(offset, high);
  view.setUint32(offset + 4, value - high * TWO_32);
}

/** Reads 8 bytes of two's complement; undefined when a double does not hold the integer exactly. */
export function getInt64(view: DataView, offset: number): number | undefined {
  const value = view.getInt32(offset) * TWO_32 + view.getUint32(offset + 4);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Reads what `BinaryWriter` wrote. Every method throws DecodeError when the bytes end too early. */
export class BinaryReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  /** @param what what is read, for errors */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#what = what;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  i64(): number {
    const at = this.#take(8);
    const value = getInt64(this.#view, at);
    if (value === undefined) throw new DecodeError(`${this.#what}: an integer beyond 2^53`, { at });
    return value;
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  /** As many items as `count` says, each read by `read`. */
  list<T>(count: number, read: (reader: BinaryReader) => T): T[] {
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read(this));
    return items;
  }

  /** @throws DecodeError when bytes are left */
  end(): void {
    if (this.#at === this.#bytes.length) return;
    throw new DecodeError(`${this.#what}: ${this.#bytes.length - this.#at} bytes too many`, { at: this.#at });
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new DecodeError(`${this.#what} ends at byte ${at}`, { at });
    this.#at += length;
    return at;
  }
}
