/**
 * Records on a disk: a log that is only appended to, in frames. A frame holds what was written together,
 * under one checksum; the next one is written when it is durable, so that only the last can be torn.
 *
 * `4 magic, u32 bytes of the body, 8 of its SHA-256, 4 of the SHA-256 of the head so far, body`, and in the
 * body for each record `u8 kind, u32 bytes, content`; big-endian. The head has a checksum of its own so that a
 * torn frame still says where it would have ended: answers are in it, which may look like frames.
 *
 * | after a crash | what happens |
 * | --- | --- |
 * | the last frame is torn or missing | it is cut off: nobody was told that it is there |
 * | a frame before a good one is bad | `gateway.corrupt`: something else than a crash was at work |
 */
import { concatBytes, equalBytes, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { GroupCommit } from '../../client/vouchers/group-commit.ts';
import type { JournalDisk } from '../../client/vouchers/journal.ts';

/** One record. */
export interface LogRecord {
  /** 0 to 255. */
  readonly kind: number;
  readonly content: Uint8Array;
}

const MAGIC = utf8('OLR1');
const CHECKSUM_BYTES = 8;
const HEAD_CHECKSUM_BYTES = 4;
const HEAD_CHECKED_BYTES: number = MAGIC.length + 4 + CHECKSUM_BYTES;
const FRAME_HEAD_BYTES: number = HEAD_CHECKED_BYTES + HEAD_CHECKSUM_BYTES;
/** Of a record, before its content. */
export const RECORD_HEAD_BYTES = 5;
/** A frame of a rewritten log is closed when it has so many bytes. */
const REWRITTEN_FRAME_BYTES = 1 << 20;

/** See the file comment. One process at a time: `openFileDisk` sees to that. */
export class RecordLog {
  readonly #disk: JournalDisk;
  readonly #commit: GroupCommit<readonly LogRecord[]>;
  #rewrite: (() => Iterable<LogRecord>) | undefined;
  #bytes: number;

  private constructor(disk: JournalDisk, bytes: number) {
    this.#disk = disk;
    this.#bytes = bytes;
    this.#commit = new GroupCommit({
      write: (batch) => this.#write(batch.flat()),
      failed: (cause) =>
        new LedgerError('gateway.disk', `receipts cannot be written: ${messageOf(cause)}`, {}, cause),
    });
  }

  /**
   * Opens the log and hands out what it holds, in order. A disk that cannot be opened is closed.
   * @throws LedgerError `gateway.corrupt`
   */
  static async open(disk: JournalDisk, each: (record: LogRecord) => void): Promise<RecordLog> {
    try {
      const bytes = await disk.read();
      const end = readFrames(bytes, each);
      if (end < bytes.length) await disk.replace(bytes.slice(0, end));
      return new RecordLog(disk, end);
    } catch (error) {
      await disk.close();
      throw error;
    }
  }

  /** Of the file, with what is being written. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves when the records are durable: all of them or, after a crash, none.
   * @throws LedgerError `gateway.disk`: nothing is durable any more; begin again from what is on the disk
   */
  append(records: readonly LogRecord[]): Promise<void> {
    return this.#commit.add(records);
  }

  /** Has the log written anew before what is appended next. The records are asked for when it is done. */
  rewriteBeforeNext(records: () => Iterable<LogRecord>): void {
    this.#rewrite = records;
  }

  /** Resolves when all is durable and the file is closed. */
  async close(): Promise<void> {
    await this.#commit.idle();
    await this.#disk.close();
  }

  async #write(records: readonly LogRecord[]): Promise<void> {
    const rewritten = this.#rewrite;
    this.#rewrite = undefined;
    // What waits is among these records already; its frame comes again behind them, which changes nothing.
    if (rewritten !== undefined) {
      const frames = concatBytes(...framesOf(rewritten()));
      this.#bytes = frames.length;
      await this.#disk.replace(frames);
    }
    if (records.length === 0) return;
    const frame = frameOf(records);
    this.#bytes += frame.length;
    await this.#disk.append(frame);
    await this.#disk.sync();
  }
}

/** A file of records that is written at once, frame by frame. */
export function* framesOf(records: Iterable<LogRecord>): Generator<Uint8Array, undefined> {
  let open: LogRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    open.push(record);
    bytes += RECORD_HEAD_BYTES + record.content.length;
    if (bytes < REWRITTEN_FRAME_BYTES) continue;
    yield frameOf(open);
    open = [];
    bytes = 0;
  }
  if (open.length > 0) yield frameOf(open);
}

function frameOf(records: readonly LogRecord[]): Uint8Array {
  const length = records.reduce((sum, { content }) => sum + RECORD_HEAD_BYTES + content.length, 0);
  const frame = new Uint8Array(FRAME_HEAD_BYTES + length);
  const view = new DataView(frame.buffer);
  frame.set(MAGIC);
  view.setUint32(MAGIC.length, length);
  let at = FRAME_HEAD_BYTES;
  for (const { kind, content } of records) {
    view.setUint8(at, kind);
    view.setUint32(at + 1, content.length);
    frame.set(content, at + RECORD_HEAD_BYTES);
    at += RECORD_HEAD_BYTES + content.length;
  }
  frame.set(checksum(frame.subarray(FRAME_HEAD_BYTES)), MAGIC.length + 4);
  frame.set(headChecksum(frame), HEAD_CHECKED_BYTES);
  return frame;
}

function checksum(body: Uint8Array): Uint8Array {
  return sha256(body).subarray(0, CHECKSUM_BYTES);
}

function headChecksum(frame: Uint8Array): Uint8Array {
  return sha256(frame.subarray(0, HEAD_CHECKED_BYTES)).subarray(0, HEAD_CHECKSUM_BYTES);
}

/**
 * Hands out the records of good frames; where they end.
 * @throws LedgerError `gateway.corrupt` when good frames follow a bad one
 */
export function readFrames(bytes: Uint8Array, each: (record: LogRecord) => void): number {
  let at = 0;
  for (const frame of goodFrames(bytes)) {
    for (const record of frame.records()) each(record);
    at = frame.end;
  }
  const rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // What is inside of a frame is content, which others write: only what follows it can be a frame.
  const from = statedEnd(bytes, at) ?? at + 1;
  for (let next = rest.indexOf(MAGIC, from); next >= 0; next = rest.indexOf(MAGIC, next + 1))
    if (bodyAt(bytes, next) !== undefined)
      throw new LedgerError('gateway.corrupt', `byte ${at} of the log is damaged, and good frames follow`, {
        offset: at,
      });
  return at;
}

/** A frame that is whole. */
interface GoodFrame {
  readonly records: () => Iterable<LogRecord>;
  /** Where it ends. */
  readonly end: number;
}

/** Frames from the beginning, until one is not good. */
export function* goodFrames(bytes: Uint8Array): Generator<GoodFrame, undefined> {
  let at = 0;
  for (let body = bodyAt(bytes, at); body !== undefined; body = bodyAt(bytes, at)) {
    const whole = body;
    at += FRAME_HEAD_BYTES + body.length;
    yield { records: () => recordsIn(whole), end: at };
  }
}

/** Where the frame that begins here ends by its head, maybe behind the last byte; undefined for a bad head. */
function statedEnd(bytes: Uint8Array, at: number): number | undefined {
  const head = bytes.subarray(at, at + FRAME_HEAD_BYTES);
  if (head.length < FRAME_HEAD_BYTES || !equalBytes(head.subarray(0, MAGIC.length), MAGIC)) return undefined;
  if (!equalBytes(head.subarray(HEAD_CHECKED_BYTES), headChecksum(head))) return undefined;
  const length = new DataView(head.buffer, head.byteOffset, head.length).getUint32(MAGIC.length);
  return at + FRAME_HEAD_BYTES + length;
}

/** The body of the good frame that begins here. */
function bodyAt(bytes: Uint8Array, at: number): Uint8Array | undefined {
  const end = statedEnd(bytes, at);
  if (end === undefined || end > bytes.length) return undefined;
  const body = bytes.subarray(at + FRAME_HEAD_BYTES, end);
  const stated = bytes.subarray(at + MAGIC.length + 4, at + HEAD_CHECKED_BYTES);
  return equalBytes(stated, checksum(body)) ? body : undefined;
}

function* recordsIn(body: Uint8Array): Generator<LogRecord, undefined> {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  for (let at = 0; at < body.length; ) {
    const end = at + RECORD_HEAD_BYTES + view.getUint32(at + 1);
    yield { kind: view.getUint8(at), content: body.slice(at + RECORD_HEAD_BYTES, end) };
    at = end;
  }
}
