/**
 * The state of one party of channels on its disk: a log that is only appended to. A line is a checksum and
 * the writes of one batch, each a JSON value under a key; the next one is written when it is durable, so that
 * only the last line can be torn. What is read back is the last value of each key.
 *
 * | after a crash                      | what happens                                                 |
 * | ---------------------------------- | ------------------------------------------------------------ |
 * | the last line is torn or missing   | it is cut off: nobody was told that it is there               |
 * | a line before the last one is bad  | `vouchers.corrupt`: something else than a crash was at work   |
 *
 * A write is seen by readers at once and is durable when its promise resolves. Who acts on what it has read
 * has written after it, and writes become durable in their order: nothing is built on what a crash takes.
 */
import { toHex, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { GroupCommit } from './group-commit.ts';

/** A file that is appended to. */
export interface JournalDisk {
  /** All of it. */
  read(): Promise<Uint8Array>;
  /** Writes at the end. Not durable before `sync`. */
  append(bytes: Uint8Array): Promise<void>;
  /** Resolves when all that was appended outlives a power cut. */
  sync(): Promise<void>;
  /** Replaces the contents, durably: old or new, nothing between. */
  replace(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** What JSON can hold. */
export type JournalValue =
  | string
  | number
  | boolean
  | null
  | readonly JournalValue[]
  | { readonly [name: string]: JournalValue };

/** A value and how often its key was written: what a compare-and-set compares. */
export interface Versioned {
  readonly value: JournalValue;
  /** 1 for the first. */
  readonly version: number;
}

/** Lines of the file for each that is alive, above which it is written anew when it is opened. */
const DEAD_LINES_FACTOR = 8;
/** Key, version, value. */
type Write = readonly [string, number, JournalValue];

const CHECKSUM_CHARACTERS = 16;
const NEWLINE = 10;

/** See the file comment. One process at a time: `openFileDisk` sees to that. */
export class Journal {
  readonly #disk: JournalDisk;
  readonly #entries: Map<string, Versioned>;
  readonly #commit: GroupCommit<Write>;

  private constructor(disk: JournalDisk, entries: Map<string, Versioned>) {
    this.#disk = disk;
    this.#entries = entries;
    this.#commit = new GroupCommit({
      write: async (writes) => {
        await disk.append(lineOf(writes));
        await disk.sync();
      },
      failed: (cause) =>
        new LedgerError('vouchers.disk', `vouchers cannot be written: ${messageOf(cause)}`, {}, cause),
    });
  }

  /** A disk that cannot be opened is closed. @throws LedgerError `vouchers.corrupt` */
  static async open(disk: JournalDisk): Promise<Journal> {
    try {
      const bytes = await disk.read();
      const { entries, lines, end } = readLines(bytes);
      if (end < bytes.length || lines > DEAD_LINES_FACTOR * (entries.size + 1))
        await disk.replace(lineOf([...entries].map(([key, { version, value }]) => [key, version, value])));
      return new Journal(disk, entries);
    } catch (error) {
      await disk.close();
      throw error;
    }
  }

  get(key: string): Versioned | undefined {
    return this.#entries.get(key);
  }

  /** Keys that begin so, in the order of their first writing. */
  keys(prefix: string): readonly string[] {
    return [...this.#entries.keys()].filter((key) => key.startsWith(prefix));
  }

  /**
   * Writes if nobody has written since.
   * @param version what `get` said; 0 for a key that was not there
   * @returns undefined when somebody was quicker; else resolves when the value is durable
   * @throws LedgerError `vouchers.disk` when an earlier write has failed: nothing is durable from then on
   */
  compareAndSet(key: string, version: number, value: JournalValue): Promise<void> | undefined {
    const { failure } = this.#commit;
    if (failure !== undefined) throw failure;
    if ((this.#entries.get(key)?.version ?? 0) !== version) return undefined;
    const entry = { value, version: version + 1 };
    this.#entries.set(key, entry);
    return this.#commit.add([key, entry.version, value]);
  }

  /** Resolves when all writes are durable and the file is closed. */
  async close(): Promise<void> {
    await this.#commit.idle();
    await this.#disk.close();
  }
}

function lineOf(writes: readonly Write[]): Uint8Array {
  const body = JSON.stringify(writes);
  return utf8(`${checksum(utf8(body))} ${body}\n`);
}

function checksum(body: Uint8Array): string {
  return toHex(sha256(body)).slice(0, CHECKSUM_CHARACTERS);
}

interface ReadLines {
  readonly entries: Map<string, Versioned>;
  readonly lines: number;
  /** Where the good lines end. */
  readonly end: number;
}

function readLines(bytes: Uint8Array): ReadLines {
  const entries = new Map<string, Versioned>();
  let lines = 0;
  let end = 0;
  for (let start = 0; start < bytes.length; lines++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const next = newline < 0 ? bytes.length : newline + 1;
    const writes = newline < 0 ? undefined : writesOf(bytes.subarray(start, newline));
    if (writes !== undefined && end < start)
      throw new LedgerError(
        'vouchers.corrupt',
        `byte ${end} of the journal is damaged, and good lines follow`,
        {
          offset: end,
        },
      );
    for (const [key, version, value] of writes ?? []) entries.set(key, { value, version });
    if (writes !== undefined) end = next;
    start = next;
  }
  return { entries, lines, end };
}

function writesOf(line: Uint8Array): readonly Write[] | undefined {
  const body = line.subarray(CHECKSUM_CHARACTERS + 1);
  const text = new TextDecoder().decode(line.subarray(0, CHECKSUM_CHARACTERS));
  if (text !== checksum(body)) return undefined;
  return JSON.parse(new TextDecoder().decode(body)) as readonly Write[];
}
