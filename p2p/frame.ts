/**
 * Frames on a stream: the length as an unsigned varint, then that many bytes. A frame is never empty. The
 * decoder holds only bytes that arrived: a claimed length allocates nothing, and what waits for the rest of
 * its frame is copied. A chunk is a view of a larger packet; a peer could have each byte of a frame keep a
 * whole packet alive.
 */
import { DecodeError } from '../core/errors.ts';
import { uvarintLength, writeUvarint } from '../core/varint.ts';

/** Lengths are below 2^28: four bytes of varint. */
const PREFIX_BYTES_MAX = 4;

/** What waits is kept in blocks: the first this large, later ones as large as what waits, up to the other. */
const BLOCK_BYTES_MIN = 4 * 1024;
const BLOCK_BYTES_MAX = 64 * 1024;

/** One frame, prefix and payload in a single array. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const prefixBytes = uvarintLength(payload.length);
  const frame = new Uint8Array(prefixBytes + payload.length);
  writeUvarint(frame, 0, payload.length);
  frame.set(payload, prefixBytes);
  return frame;
}

/** Cuts a byte stream into frames. Not usable after it has thrown. */
export class FrameDecoder {
  readonly #messageBytesMax: number;
  #chunks: Uint8Array[] = [];
  /** The block whose used part is the last chunk, unless that has been taken since. */
  #block: Uint8Array | undefined;
  /** Bytes of the first chunk that are consumed. */
  #offset = 0;
  #pending = 0;
  /** Length of the frame whose prefix was read. */
  #length: number | undefined;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  /**
   * Bytes that arrived and belong to no returned frame; more than 0 at the end of a stream is a truncated
   * frame.
   */
  get pendingBytes(): number {
    return this.#pending + (this.#length === undefined ? 0 : 1);
  }

  /** Adds bytes as they arrived. Whole frames are read out of them where they are. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#chunks.length === 0) this.#chunks.push(chunk);
    else this.#append(chunk);
    this.#pending += chunk.length;
  }

  #append(chunk: Uint8Array): void {
    const last = this.#chunks.at(-1);
    const used = last?.length ?? 0;
    const block = this.#block;
    if (block !== undefined && last?.buffer === block.buffer && used + chunk.length <= block.length) {
      block.set(chunk, used);
      this.#chunks[this.#chunks.length - 1] = block.subarray(0, used + chunk.length);
      return;
    }
    const wanted = Math.min(BLOCK_BYTES_MAX, Math.max(BLOCK_BYTES_MIN, this.#pending));
    this.#block = new Uint8Array(Math.max(wanted, chunk.length));
    this.#block.set(chunk);
    this.#chunks.push(this.#block.subarray(0, chunk.length));
  }

  /**
   * The payload of the next whole frame, copied; undefined when more bytes are needed.
   * @throws DecodeError on an empty frame, one over the limit, or a malformed length
   */
  next(): Uint8Array | undefined {
    this.#length ??= this.#readPrefix();
    if (this.#length === undefined || this.#pending < this.#length) return undefined;
    const payload = this.#take(this.#length);
    this.#length = undefined;
    return payload;
  }

  #readPrefix(): number | undefined {
    let value = 0;
    for (let i = 0; i < PREFIX_BYTES_MAX; i++) {
      const byte = this.#peek(i);
      if (byte === undefined) return undefined;
      value += (byte & 127) * 128 ** i;
      if (byte >= 128) continue;
      if (value === 0) throw new DecodeError('frame is empty');
      if (byte === 0) throw new DecodeError('frame length is not in its shortest form');
      if (value > this.#messageBytesMax)
        throw new DecodeError('frame is over the limit', { length: value, limit: this.#messageBytesMax });
      this.#consume(i + 1);
      return value;
    }
    throw new DecodeError('frame length has more than four bytes');
  }

  #peek(index: number): number | undefined {
    let at = index + this.#offset;
    for (const chunk of this.#chunks) {
      if (at < chunk.length) return chunk[at];
      at -= chunk.length;
    }
    return undefined;
  }

  #consume(count: number): void {
    this.#pending -= count;
    this.#offset += count;
    let first = this.#chunks[0];
    while (first !== undefined && this.#offset >= first.length) {
      this.#offset -= first.length;
      this.#chunks.shift();
      first = this.#chunks[0];
    }
  }

  #take(count: number): Uint8Array {
    const out = new Uint8Array(count);
    let written = 0;
    let whole = 0;
    let offset = this.#offset;
    for (const chunk of this.#chunks) {
      const part = chunk.subarray(offset, offset + count - written);
      out.set(part, written);
      written += part.length;
      if (offset + part.length < chunk.length) {
        offset += part.length;
        break;
      }
      offset = 0;
      whole++;
      if (written === count) break;
    }
    this.#chunks = whole === 0 ? this.#chunks : this.#chunks.slice(whole);
    this.#offset = offset;
    this.#pending -= count;
    return out;
  }
}
