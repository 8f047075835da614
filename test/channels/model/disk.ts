/** A disk whose power goes at a write that is chosen: before, in the middle of, or after it. */
import { Journal, type JournalDisk } from '../../../client/vouchers/journal.ts';

/** Where the power goes: nothing is written, half a line is, or all is and nobody is told. */
export type PowerCut = 'before' | 'torn' | 'after';

/** All ways in which a write can go wrong. */
export const POWER_CUTS: readonly PowerCut[] = ['before', 'torn', 'after'];

/** What a disk holds between two steps. */
export interface DiskImage {
  readonly durable: Uint8Array;
  /** Not durable yet: of a disk that lies. */
  readonly waiting: Uint8Array;
  /** Keys and values: what its journal says. */
  readonly content: string;
}

const NOTHING = new Uint8Array(0);

/** Of a party that has never written. */
export const EMPTY_DISK: DiskImage = { durable: NOTHING, waiting: NOTHING, content: '' };

/** See the file comment. */
export class CutDisk implements JournalDisk {
  #durable: Uint8Array;
  #waiting: Uint8Array;
  readonly #cut: PowerCut | undefined;
  readonly #lies: boolean;
  /** Something was to be written. */
  hasWritten = false;
  /** The power has gone. */
  isCut = false;

  constructor(image: DiskImage, cut: PowerCut | undefined, lies: boolean) {
    this.#durable = image.durable;
    this.#waiting = image.waiting;
    this.#cut = cut;
    this.#lies = lies;
  }

  async read(): Promise<Uint8Array> {
    return Buffer.concat([this.#durable, this.#waiting]);
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.hasWritten = true;
    if (this.isCut || this.#cut === 'before') this.#end();
    if (this.#cut === 'torn') {
      this.#durable = Buffer.concat([this.#durable, bytes.subarray(0, bytes.length >> 1)]);
      this.#end();
    }
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
  }

  async sync(): Promise<void> {
    if (!this.#lies) {
      this.#durable = Buffer.concat([this.#durable, this.#waiting]);
      this.#waiting = NOTHING;
    }
    if (this.#cut === 'after') this.#end();
  }

  async replace(bytes: Uint8Array): Promise<void> {
    this.#durable = bytes;
    this.#waiting = NOTHING;
  }

  async close(): Promise<void> {}

  /** What is there when the process has ended its step, or was ended. */
  async image(): Promise<DiskImage> {
    const waiting = this.isCut ? NOTHING : this.#waiting;
    const image = { durable: this.#durable, waiting };
    const journal = await Journal.open(new CutDisk({ ...image, content: '' }, undefined, false));
    const entries = journal.keys('').map((key) => `${key} ${JSON.stringify(journal.get(key)?.value)}`);
    return { ...image, content: entries.sort().join('\n') };
  }

  #end(): never {
    this.isCut = true;
    throw new Error('power went');
  }
}

/** The disk after the process was ended between two writes. */
export async function imageAfterEnd(image: DiskImage): Promise<DiskImage> {
  if (image.waiting.length === 0) return image;
  const disk = new CutDisk(image, undefined, false);
  disk.isCut = true;
  return disk.image();
}
