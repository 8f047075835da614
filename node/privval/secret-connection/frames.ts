/**
 * Frames of a secret connection: 4 bytes of length (little-endian) and 1024 bytes of data, padded with
 * zeros, sealed with ChaCha20-Poly1305 under a nonce that counts frames (4 zero bytes and 8 little-endian).
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';

/** Data bytes in one frame. */
export const FRAME_DATA_BYTES = 1024;
const LENGTH_BYTES = 4;
const TAG_BYTES = 16;
const FRAME_BYTES = LENGTH_BYTES + FRAME_DATA_BYTES;
/** Bytes of a frame on the wire. */
export const SEALED_FRAME_BYTES: number = FRAME_BYTES + TAG_BYTES;

const ALGORITHM = 'chacha20-poly1305';
const NONCE_BYTES = 12;
const COUNTER_OFFSET = 4;
/** The last counter is never used: CometBFT ends the connection instead of going on from it. */
const COUNTER_END = 0xffff_ffff_ffff_ffffn;

/** Counts the frames of one direction. */
class Nonce {
  readonly #bytes = new Uint8Array(NONCE_BYTES);
  #counter: bigint;

  constructor(counter: bigint) {
    this.#counter = counter;
  }

  next(): Uint8Array {
    if (this.#counter >= COUNTER_END) {
      throw new LedgerError('secret_connection.exhausted', 'the connection has used up its nonces');
    }
    new DataView(this.#bytes.buffer).setBigUint64(COUNTER_OFFSET, this.#counter, true);
    this.#counter += 1n;
    return this.#bytes;
  }
}

/** Seals what one side sends. */
export class FrameSealer {
  readonly #key: Uint8Array;
  readonly #nonce: Nonce;

  /** @param counter of the first frame; 0 except in tests */
  constructor(key: Uint8Array, counter = 0n) {
    this.#key = key;
    this.#nonce = new Nonce(counter);
  }

  /**
   * The frame of 1 to 1024 bytes.
   * @throws LedgerError `secret_connection.exhausted`
   */
  seal(data: Uint8Array): Uint8Array {
    const frame = new Uint8Array(FRAME_BYTES);
    new DataView(frame.buffer).setUint32(0, data.length, true);
    frame.set(data, LENGTH_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#key, this.#nonce.next(), { authTagLength: TAG_BYTES });
    return concatBytes(cipher.update(frame), cipher.final(), cipher.getAuthTag());
  }
}

/** Opens what the other side sent. */
export class FrameOpener {
  readonly #key: Uint8Array;
  readonly #nonce: Nonce;

  /** @param counter of the first frame; 0 except in tests */
  constructor(key: Uint8Array, counter = 0n) {
    this.#key = key;
    this.#nonce = new Nonce(counter);
  }

  /**
   * The data of a frame of `SEALED_FRAME_BYTES`; may be empty.
   * @throws LedgerError `secret_connection.bad_frame` when it was not sealed with this key in this place
   */
  open(sealed: Uint8Array): Uint8Array {
    const decipher = createDecipheriv(ALGORITHM, this.#key, this.#nonce.next(), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(FRAME_BYTES, SEALED_FRAME_BYTES));
    const frame = Uint8Array.from(decipher.update(sealed.subarray(0, FRAME_BYTES)));
    try {
      decipher.final();
    } catch (cause) {
      throw new LedgerError(
        'secret_connection.bad_frame',
        'a frame does not open with the agreed key',
        {},
        cause,
      );
    }
    const length = new DataView(frame.buffer).getUint32(0, true);
    if (length > FRAME_DATA_BYTES) {
      throw new LedgerError('secret_connection.bad_frame', 'a frame says that it holds more than it can', {
        length,
      });
    }
    return frame.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
  }
}
