/**
 * STROBE-128 (v1.0.2), as far as merlin transcripts use it: metadata, associated data and pseudo-random
 * output. A sponge over Keccak-f[1600] with a rate of 166 bytes; each operation begins with a byte that says
 * where the one before it began, and a byte of flags.
 * Source: https://strobe.sourceforge.io/specs/ and https://merlin.cool/transcript/ops.html.
 */
import { keccakP } from '@noble/hashes/sha3.js';
import { swap32IfBE } from '@noble/hashes/utils.js';
import { utf8 } from '../../../core/bytes.ts';
import { assert } from '../../../core/errors.ts';

const STATE_BYTES = 200;
const RATE = 166;
const FLAG_INBOUND = 1;
const FLAG_APPLICATION = 2;
const FLAG_CIPHER = 4;
const FLAG_META = 16;

/** One run of the protocol: operations change the state, outputs depend on everything before them. */
export class Strobe128 {
  readonly #bytes: Uint8Array = new Uint8Array(STATE_BYTES);
  readonly #words: Uint32Array = new Uint32Array(this.#bytes.buffer);
  #position = 0;
  /** One past the place where the current operation began; 0: before this block. */
  #begin = 0;
  #flags = 0;

  /** @param protocol ASCII */
  constructor(protocol: string) {
    this.#bytes.set([1, RATE + 2, 1, 0, 1, 96]);
    this.#bytes.set(utf8('STROBEv1.0.2'), 6);
    this.#permute();
    this.metadata(utf8(protocol), 'begin');
  }

  /** `more`: this continues the metadata before it. */
  metadata(bytes: Uint8Array, part: 'begin' | 'more'): void {
    this.#operation(FLAG_META | FLAG_APPLICATION, part);
    this.#absorb(bytes);
  }

  /** Takes in what both sides know. */
  associatedData(bytes: Uint8Array): void {
    this.#operation(FLAG_APPLICATION, 'begin');
    this.#absorb(bytes);
  }

  /** Output that nobody can tell from random who does not know the inputs. */
  pseudoRandom(length: number): Uint8Array {
    this.#operation(FLAG_INBOUND | FLAG_APPLICATION | FLAG_CIPHER, 'begin');
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at++) {
      out[at] = this.#bytes[this.#position] ?? 0;
      this.#bytes[this.#position] = 0; // what was given out is forgotten
      this.#forward();
    }
    return out;
  }

  #operation(flags: number, part: 'begin' | 'more'): void {
    if (part === 'more') {
      assert(flags === this.#flags, 'strobe: continued another operation');
      return;
    }
    const before = this.#begin;
    this.#begin = this.#position + 1;
    this.#flags = flags;
    this.#absorb(Uint8Array.of(before, flags));
    if ((flags & FLAG_CIPHER) !== 0 && this.#position !== 0) this.#finishBlock();
  }

  #absorb(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.#xor(this.#position, byte);
      this.#forward();
    }
  }

  #forward(): void {
    this.#position += 1;
    if (this.#position === RATE) this.#finishBlock();
  }

  #finishBlock(): void {
    this.#xor(this.#position, this.#begin);
    this.#xor(this.#position + 1, 0x04);
    this.#xor(RATE + 1, 0x80);
    this.#permute();
    this.#position = 0;
    this.#begin = 0;
  }

  #xor(at: number, byte: number): void {
    this.#bytes[at] = (this.#bytes[at] ?? 0) ^ byte;
  }

  #permute(): void {
    swap32IfBE(this.#words);
    keccakP(this.#words);
    swap32IfBE(this.#words);
  }
}
