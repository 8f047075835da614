import { utf8 } from '../../../core/bytes.ts';
import { Strobe128 } from './strobe.ts';

/**
 * A merlin transcript: labelled messages go in, labelled challenges come out that depend on all of them.
 * Source: https://merlin.cool/transcript/ops.html.
 */
export class Transcript {
  readonly #strobe: Strobe128 = new Strobe128('Merlin v1.0');

  /** @param label name of the protocol, ASCII */
  constructor(label: string) {
    this.append('dom-sep', utf8(label));
  }

  /** Takes in a message of any length. */
  append(label: string, message: Uint8Array): void {
    this.#strobe.metadata(utf8(label), 'begin');
    this.#strobe.metadata(uint32LittleEndian(message.length), 'more');
    this.#strobe.associatedData(message);
  }

  /** Gives so many bytes; they are part of the transcript from then on. */
  challenge(label: string, length: number): Uint8Array {
    this.#strobe.metadata(utf8(label), 'begin');
    this.#strobe.metadata(uint32LittleEndian(length), 'more');
    return this.#strobe.pseudoRandom(length);
  }
}

function uint32LittleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
