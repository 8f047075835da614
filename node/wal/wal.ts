/**
 * The write-ahead log of a validator's inputs. Rules of its user, the engine:
 *
 * - an input is appended before it is applied;
 * - what we signed is appended and synced before it leaves;
 * - after a block is stored, the end-height marker is appended and synced; replay starts behind it.
 *
 * Files rotate by size; old ones are dropped beyond a total size, but never one that replay may need. A
 * file's torn end (a crash while appending) is cut off on opening, with a warning. Damage to what was
 * durable, as a later record or the marker behind each sync says, stops the node, unless it lies in files
 * before the last marker: nothing needs them.
 */
import { randomBytes } from 'node:crypto';
import { EMPTY_BYTES, fromUint64BigEndian, uint64BigEndian } from '../../core/bytes.ts';
import { assert, LedgerError, messageOf } from '../../core/errors.ts';
import { DirectoryWalFiles, type WalFiles } from './files.ts';
import {
  encodeRecord,
  FILE_HEADER_BYTES,
  fileHeader,
  formatOf,
  PAYLOAD_BYTES_MAX,
  readRecords,
  recordBytes,
  SYNCED_TYPE,
  saltOf,
  WAL_FORMAT,
  type WalRecord,
} from './record.ts';

/**
 * Record type of the end-height marker; the payload is the height, 8 bytes big-endian. Other types are the
 * user's.
 */
export const END_HEIGHT_TYPE = 0;

/** Names of the log's files. */
export const FILE_PATTERN: RegExp = /^wal-\d{8}\.log$/;

/** What a log is opened with. */
export interface WalOptions {
  readonly directory: string;
  /** A file larger than this is followed by a new one. Default 10 MiB. */
  readonly fileBytesMax?: number;
  /** All files together; the oldest go first. Default 100 MiB. */
  readonly totalBytesMax?: number;
  /** Told about a repaired end. */
  readonly warn?: (message: string) => void;
  /** Replaces the directory in tests. */
  readonly files?: WalFiles;
  /** Eight bytes that no file before had. Default: from the machine. */
  readonly makeSalt?: () => Uint8Array;
}

interface LogFile {
  readonly name: string;
  bytes: number;
  /** So much of it a power cut cannot take. */
  durable: number;
}

/** An open log. One writer; `append` and `sync` in the order of the calls. */
export class Wal {
  readonly #files: WalFiles;
  readonly #fileBytesMax: number;
  readonly #totalBytesMax: number;
  readonly #makeSalt: () => Uint8Array;
  readonly #warn: (message: string) => void;
  readonly #logFiles: LogFile[];
  /** The old file that could not be removed: said once. */
  #stuck: string | undefined;
  #salt: Uint8Array;
  /** Inputs behind the last marker, read on opening; given away by `takeReplay`. */
  #replay: { readonly afterHeight: bigint | undefined; readonly records: readonly WalRecord[] };
  /** Files from this index on may be needed for replay. */
  #markerFile: number;
  #dirty = false;
  /** Set when a write or a sync failed: what is on disk is unknown, so nothing more is written after it. */
  #broken: LedgerError | undefined;
  /** Syncs follow one another: the file must not change under one that is under way. */
  #syncs: Promise<void> = Promise.resolve();

  private constructor(files: WalFiles, options: WalOptions, opened: Opened) {
    this.#files = files;
    this.#fileBytesMax = options.fileBytesMax ?? 10 * 1024 * 1024;
    this.#totalBytesMax = options.totalBytesMax ?? 100 * 1024 * 1024;
    this.#makeSalt = options.makeSalt ?? randomSalt;
    this.#warn = options.warn ?? ((): void => undefined);
    this.#logFiles = [...opened.files];
    this.#salt = opened.salt;
    this.#replay = { afterHeight: opened.afterHeight, records: opened.records };
    this.#markerFile = opened.markerFile;
  }

  /**
   * Opens or makes the log, repairs a torn end, and makes durable what is to be replayed.
   * @throws LedgerError `wal.corrupt` when good records follow damaged ones: says which file and what to do;
   *   `wal.write` when what is to be replayed cannot be made durable; `wal.open` when the disk refuses before
   */
  static open(options: WalOptions): Wal {
    const { files, opened } = openOrSayWhy(options);
    const wal = new Wal(files, options, opened);
    wal.#keepInputs(opened.inputsEnd);
    return wal;
  }

  /**
   * Makes durable what a killed process left in the last file without a sync: it will be replayed, and what
   * follows from it is sent. After a sync there is nothing to do.
   */
  #keepInputs(inputsEnd: number): void {
    const last = this.#lastFile();
    if (last.durable >= inputsEnd) return;
    try {
      this.#files.rewrite(last.name, last.durable);
    } catch (cause) {
      throw this.#breaks(last.name, cause);
    }
    last.durable = last.bytes;
    this.#markSynced(last);
  }

  /**
   * The inputs that were logged behind the marker of `height`. Undefined when the last marker is another
   * one: then there is nothing to replay. A log without any marker belongs to the first height.
   */
  takeReplay(height: bigint, isFirst: boolean): readonly WalRecord[] | undefined {
    const { afterHeight, records } = this.#replay;
    this.#replay = { afterHeight, records: [] };
    if (afterHeight === undefined) return isFirst ? records : undefined;
    return afterHeight === height ? records : undefined;
  }

  /**
   * Appends an input. It survives a crash of the process from now on, and one of the machine after `sync`.
   * @throws LedgerError `wal.write` when it cannot be written; then every later call fails too
   */
  append(record: WalRecord): void {
    const { type, payload } = record;
    assert(payload.length <= PAYLOAD_BYTES_MAX, 'a WAL record is too large', { type });
    assert(type !== SYNCED_TYPE, 'only the log itself marks what is synced');
    if (this.#broken !== undefined) throw this.#broken;
    this.#append(record, this.#lastFile());
  }

  #append(record: WalRecord, last: LogFile): void {
    const bytes = encodeRecord(record, this.#salt, last.durable);
    try {
      this.#files.append(last.name, bytes);
    } catch (cause) {
      throw this.#breaks(last.name, cause);
    }
    last.bytes += bytes.length;
    this.#dirty = true;
  }

  /**
   * Makes everything appended so far survive a power cut; free when nothing was appended.
   * @throws LedgerError `wal.write` when it cannot; then every later call fails too
   */
  sync(): Promise<void> {
    const synced = this.#syncs.then(() => this.#sync());
    this.#syncs = synced.catch(() => undefined); // each caller hears of its own
    return synced;
  }

  async #sync(): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    if (!this.#dirty) return;
    this.#dirty = false;
    const last = this.#lastFile();
    const { bytes } = last;
    try {
      await this.#files.sync(last.name);
    } catch (cause) {
      throw this.#breaks(last.name, cause);
    }
    last.durable = bytes;
    // Only a synced file is followed by a new one: syncing the last file is then always enough.
    if (!this.#dirty && last.bytes >= this.#fileBytesMax) this.#rotate();
    else this.#markSynced(last);
  }

  /**
   * Says behind the records that they are durable: without it damage among the last ones would look like a
   * torn end. It is not synced itself: who loses it loses nothing else.
   */
  #markSynced(last: LogFile): void {
    if (this.#broken !== undefined) return;
    const wasDirty = this.#dirty;
    this.#append({ type: SYNCED_TYPE, payload: EMPTY_BYTES }, last);
    this.#dirty = wasDirty;
  }

  #breaks(name: string, cause: unknown): LedgerError {
    this.#broken = new LedgerError(
      'wal.write',
      `cannot write the consensus log ${name}: ${messageOf(cause)}. Is the disk full? The node stops; nothing was signed ` +
        'that is not logged, and it goes on from here when it is started again',
      { file: name },
      cause,
    );
    return this.#broken;
  }

  /**
   * Appends the marker of a finished height and syncs; then rotates and drops old files when their time has
   * come.
   */
  async endHeight(height: bigint): Promise<void> {
    this.append({ type: END_HEIGHT_TYPE, payload: uint64BigEndian(height) });
    this.#markerFile = this.#logFiles.length - 1; // before the sync: it may rotate
    await this.sync();
    this.#dropOld();
  }

  /** Syncs and closes. */
  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      this.#files.close();
    }
  }

  #lastFile(): LogFile {
    const last = this.#logFiles.at(-1);
    assert(last !== undefined, 'a WAL without a file');
    return last;
  }

  #rotate(): void {
    const name = nameBehind(this.#lastFile().name);
    try {
      const next = newFile(this.#files, name, this.#makeSalt());
      this.#salt = next.salt;
      this.#logFiles.push(next.file);
    } catch (cause) {
      throw this.#breaks(name, cause);
    }
  }

  /** What cannot be removed costs room and nothing else: it is tried again behind the next height. */
  #dropOld(): void {
    let total = this.#logFiles.reduce((sum, file) => sum + file.bytes, 0);
    while (total > this.#totalBytesMax && this.#markerFile > 0) {
      const [oldest] = this.#logFiles;
      if (oldest === undefined || !this.#isRemoved(oldest.name)) return;
      this.#logFiles.shift();
      this.#markerFile--;
      total -= oldest.bytes;
    }
  }

  #isRemoved(name: string): boolean {
    try {
      this.#files.remove(name);
      return true;
    } catch (error) {
      if (this.#stuck !== name)
        this.#warn(
          `the old consensus log ${name} cannot be removed: ${messageOf(error)}. It is tried again after each block`,
        );
      this.#stuck = name;
      return false;
    }
  }
}

/** @throws LedgerError `wal.corrupt`, `wal.format`, `wal.open` */
function openOrSayWhy(options: WalOptions): { readonly files: WalFiles; readonly opened: Opened } {
  try {
    const files = options.files ?? new DirectoryWalFiles(options.directory, FILE_PATTERN);
    return { files, opened: openFiles(files, options) };
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause;
    const { directory } = options;
    throw new LedgerError(
      'wal.open',
      `cannot open the consensus log in ${directory}: ${messageOf(cause)}. Is the disk full, or the directory another ` +
        'user’s? Mend that and start again: nothing of the log is lost',
      { directory },
      cause,
    );
  }
}

interface Opened {
  readonly files: readonly LogFile[];
  readonly salt: Uint8Array;
  readonly afterHeight: bigint | undefined;
  readonly records: readonly WalRecord[];
  readonly markerFile: number;
  /** Where the last input in the last file ends. */
  readonly inputsEnd: number;
}

function openFiles(files: WalFiles, options: WalOptions): Opened {
  const logFiles: LogFile[] = [];
  const needed: WalRecord[][] = [];
  let afterHeight: bigint | undefined;
  let salt: Uint8Array | undefined;
  let inputsEnd: number | undefined;
  const names = files.list();
  // The newest first: what lies in files before the last marker is not needed.
  for (const [index, name] of [...names.entries()].reverse()) {
    const context = { isLast: index === names.length - 1, isNeeded: afterHeight === undefined, options };
    const contents = readFile(files, name, context);
    if (contents === undefined) continue;
    logFiles.unshift({ name, bytes: contents.bytes, durable: contents.durable });
    salt ??= contents.salt;
    inputsEnd ??= endOfInputs(contents.records);
    if (afterHeight !== undefined) continue;
    const records = contents.records.filter(({ type }) => type !== SYNCED_TYPE);
    const marker = records.findLastIndex(({ type }) => type === END_HEIGHT_TYPE);
    needed.unshift(records.slice(marker + 1));
    const payload = records[marker]?.payload;
    if (payload !== undefined) afterHeight = fromUint64BigEndian(payload);
  }
  if (salt === undefined) {
    const first = newFile(files, nameBehind(names.at(-1)), (options.makeSalt ?? randomSalt)());
    logFiles.push(first.file);
    salt = first.salt;
  }
  const markerFile = afterHeight === undefined ? 0 : logFiles.length - needed.length;
  return {
    files: logFiles,
    salt,
    afterHeight,
    records: needed.flat(),
    markerFile,
    inputsEnd: inputsEnd ?? 0,
  };
}

function endOfInputs(records: readonly WalRecord[]): number {
  const last = records.findLastIndex(({ type }) => type !== SYNCED_TYPE);
  return records.slice(0, last + 1).reduce((end, one) => end + recordBytes(one), FILE_HEADER_BYTES);
}

interface ReadFile {
  readonly records: readonly WalRecord[];
  readonly salt: Uint8Array;
  readonly bytes: number;
  readonly durable: number;
}

interface FileContext {
  readonly isLast: boolean;
  /** False when a file behind it holds a marker. */
  readonly isNeeded: boolean;
  readonly options: WalOptions;
}

/** Reads one file, repairing the end of the last one. Undefined when nothing of it was worth keeping. */
function readFile(files: WalFiles, name: string, context: FileContext): ReadFile | undefined {
  const { directory, warn } = context.options;
  const bytes = files.read(name);
  const { records, damage, durable } = readRecords(bytes);
  const salt = saltOf(bytes);
  if (damage === undefined && salt !== undefined) return { records, salt, durable, bytes: bytes.length };
  const offset = damage?.offset ?? 0;
  if (damage?.kind === 'format' && context.isNeeded) throw otherFormat(`${directory}/${name}`, bytes);
  if (!context.isNeeded) {
    const what =
      damage?.kind === 'format'
        ? 'was written by an earlier version. Nothing needs that file any more'
        : `is damaged at byte ${offset}: the disk or another program changed it. Nothing needs that file any more, but look at the disk`;
    warn?.(`the consensus log ${name} ${what}`);
    return { records, salt: salt ?? EMPTY_BYTES, durable, bytes: bytes.length };
  }
  if (damage?.kind === 'corrupt' || !context.isLast) {
    throw new LedgerError(
      'wal.corrupt',
      `the consensus log ${directory}/${name} is damaged at byte ${offset}, in what was safely on the disk. ` +
        'The disk or another program changed it. To repair: `openledgerd wal repair` cuts it there and keeps what it cuts off; ' +
        'the node then starts at the last committed block. Its signing state still prevents double signing, but what it was ' +
        'locked on in the height under way is forgotten: never repair validators with a third of the power within one height.',
      { file: name, offset, bytes: bytes.length },
    );
  }
  warn?.(
    `the consensus log ${name} ends in an incomplete record (a crash while writing); ` +
      `cut ${bytes.length - offset} bytes at ${offset} and kept them in ${name}.torn`,
  );
  files.keep(`${name}.torn`, bytes.subarray(offset));
  if (salt === undefined) {
    files.remove(name);
    return undefined;
  }
  files.truncate(name, Math.max(offset, FILE_HEADER_BYTES));
  return { records, salt, durable, bytes: offset };
}

function otherFormat(path: string, bytes: Uint8Array): LedgerError {
  const format = formatOf(bytes);
  return new LedgerError(
    'wal.format',
    `the consensus log ${path} was written by an earlier version of this program (format ${format}; this one reads ${WAL_FORMAT}). ` +
      'It is not damaged. To go on with this version, `openledgerd wal repair` sets the log aside; the node then starts at the ' +
      'last committed block. Its signing state still prevents double signing, but what it was locked on in the height under way ' +
      'is forgotten: do so with validators of less than a third of the power within one height, or while the chain stands still.',
    { file: path, format },
  );
}

const randomSalt = (): Uint8Array => randomBytes(8);

function nameBehind(previous: string | undefined): string {
  const number = previous === undefined ? 1 : Number(previous.slice(4, 12)) + 1;
  return `wal-${String(number).padStart(8, '0')}.log`;
}

function newFile(files: WalFiles, name: string, newSalt: Uint8Array): { file: LogFile; salt: Uint8Array } {
  const header = fileHeader(newSalt);
  files.create(name, header);
  const salt = saltOf(header);
  assert(salt !== undefined, 'a new WAL file has a header');
  return { file: { name, bytes: header.length, durable: header.length }, salt };
}
