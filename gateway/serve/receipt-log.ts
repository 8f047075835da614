/**
 * Receipts that no epoch states yet, on a disk. The receipts of a lane follow each other, each beginning
 * where the one before it ends, as the charges do.
 *
 * A receipt is written before its charge and signed after it: `append` → `Payee.settle` → signature.
 *
 * | a crash after | what is on the disk | what the next process does |
 * | --- | --- | --- |
 * | the voucher | no receipt | serves it when it comes again |
 * | the receipt | a receipt without charge | charges for it (`recover.ts`) |
 * | the charge | both | gives the same answer when the voucher comes again, with the same signature |
 *
 * Of an answer that is given piece by piece (`stream-desk.ts`) each piece is written before it is given, with
 * what the receipt would be if it was the last one; the receipt takes the place of all of them. What was
 * given and never paid for is counted for its channel, in the same frame.
 *
 * So of what was charged there is always a receipt, and of one charge never a second that was signed.
 */
import { concatBytes, EMPTY_BYTES, fromHex, toHex } from '../../core/bytes.ts';
import { assert } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import type { JournalDisk } from '../../client/vouchers/journal.ts';
import { NO_ATTRIBUTION } from '../../modules/settlement/proof/attribution.ts';
import {
  decodeReceipt,
  encodeReceipt,
  type Receipt,
  RECEIPT_BYTES,
} from '../../modules/settlement/proof/leaves.ts';
import { type LogRecord, RECORD_HEAD_BYTES, RecordLog } from './record-log.ts';

/** Kinds of records, also in files of epochs. */
export const RECORDS = { attribution: 1, receipt: 2, commitment: 3, piece: 4, unpaid: 5 } as const;

/** A receipt with what was answered. */
export interface AnsweredReceipt {
  readonly receipt: Receipt;
  readonly answer: Uint8Array;
}

/** A piece of an answer that is being given. */
export interface AnswerPiece {
  /** Of the answer up to the end of this piece; its response hash is of no meaning. */
  readonly receipt: Receipt;
  /** Of this piece alone. */
  readonly text: Uint8Array;
}

/** An interval of what a lane was charged in all. */
export interface LaneInterval {
  /** 32 bytes. */
  readonly channelId: Uint8Array;
  readonly lane: number;
  readonly from: bigint;
  readonly to: bigint;
}

const BEFORE_AT = 35;
const AFTER_AT = 43;
/** Behind a byte that says whether it is the first, and the leaf. */
const PIECE_TEXT_AT: number = 1 + RECEIPT_BYTES;
const PIECE_BYTES: number = RECORD_HEAD_BYTES + PIECE_TEXT_AT;
/** `32 channel, u16 lane, u32 tokens`. */
const UNPAID_LANE_AT = 32;
const UNPAID_TOKENS_AT = 34;
const UNPAID_BYTES = 38;
/** The log is written anew when it is more than half of what nothing needs any more, and that is so much. */
const DEAD_BYTES_MIN = 16 << 20;

interface LaneReceipts {
  /** Leaves, in order. */
  leaves: Uint8Array[];
  /** Of the last one. */
  answer: Uint8Array;
}

/** See the file comment. A receipt is 195 bytes and an entry of a list in memory. */
export class ReceiptLog {
  readonly #lanes = new Map<string, LaneReceipts>();
  /** By their hashes in hexadecimal. */
  readonly #attributions = new Map<string, Uint8Array>();
  /** Of answers that are being given, or that a crash has cut, by lane. */
  readonly #pieces = new Map<string, AnswerPiece[]>();
  /** Tokens that were given and never paid for, by channel. */
  readonly #unpaid = new Map<string, number>();
  /** Bytes of records whose place was taken. */
  #dead = 0;
  #log: RecordLog | undefined;

  private constructor() {}

  /** @throws LedgerError `gateway.corrupt` */
  static async open(disk: JournalDisk): Promise<ReceiptLog> {
    const receipts = new ReceiptLog();
    receipts.#log = await RecordLog.open(disk, (record) => receipts.#read(record));
    return receipts;
  }

  /**
   * Keeps a receipt, in the place of those of its lane that begin where it begins or behind. It is seen at
   * once, and durable when this resolves.
   * @param attribution the bytes that the receipt names by their hash; empty when it names none
   * @param tokensUnpaid tokens that were given of the same answer and are not in the receipt
   * @throws LedgerError `gateway.disk`
   */
  async append(
    { receipt, answer }: AnsweredReceipt,
    attribution: Uint8Array,
    tokensUnpaid: number = 0,
  ): Promise<void> {
    const leaf = encodeReceipt(receipt);
    const records: LogRecord[] = [];
    if (attribution.length > 0 && this.#addAttribution(attribution))
      records.push({ kind: RECORDS.attribution, content: attribution });
    if (tokensUnpaid > 0) records.push(this.#addUnpaid(receipt, tokensUnpaid));
    this.#addReceipt(leaf, answer);
    records.push({ kind: RECORDS.receipt, content: concatBytes(leaf, answer) });
    await this.#write(records);
  }

  /**
   * Keeps pieces behind those of their request, each of a fee; durable when this resolves: all or, after a
   * crash, none.
   * @param isFirst those that are kept of the lane are of an answer that nobody will be charged for
   * @throws LedgerError `gateway.disk`
   */
  async appendPieces(pieces: readonly AnswerPiece[], isFirst: boolean): Promise<void> {
    for (const [i, piece] of pieces.entries()) this.#addPiece(piece, isFirst && i === 0);
    await this.#write(pieces.map((piece, i) => pieceRecord(piece, isFirst && i === 0)));
  }

  /**
   * Drops the pieces of a lane's answer, which nobody will be charged for; durable when this resolves.
   * @param tokensUnpaid tokens of it that were given
   * @throws LedgerError `gateway.disk`
   */
  async dropPieces(
    of: { readonly channel: Uint8Array; readonly lane: number },
    tokensUnpaid: number,
  ): Promise<void> {
    await this.#write([this.#addUnpaid(of, tokensUnpaid)]);
  }

  /** Tokens that were given on a channel and never paid for. */
  unpaid(channel: Uint8Array): number {
    return this.#unpaid.get(toHex(channel)) ?? 0;
  }

  /** Pieces of a lane's answer that has no receipt yet. */
  pieces(channel: Uint8Array, lane: number): readonly AnswerPiece[] {
    return this.#pieces.get(laneKey(channel, lane)) ?? [];
  }

  /** The last receipt of a lane, also one that an epoch states, with what was answered. */
  last(channel: Uint8Array, lane: number): AnsweredReceipt | undefined {
    const found = this.#lanes.get(laneKey(channel, lane));
    const leaf = found?.leaves.at(-1);
    const receipt = leaf && decodeReceipt(leaf);
    return found && receipt && { receipt, answer: found.answer };
  }

  /** The last receipt of each lane. */
  lasts(): readonly Receipt[] {
    return [...this.#lanes.values()].flatMap(({ leaves }) => {
      const leaf = leaves.at(-1);
      return (leaf && decodeReceipt(leaf)) ?? [];
    });
  }

  /** Leaves of a lane that lie within an interval, in their order. */
  within({ channelId, lane, from, to }: LaneInterval): readonly Uint8Array[] {
    const leaves = this.#lanes.get(laneKey(channelId, lane))?.leaves ?? [];
    return leaves.filter((leaf) => numberAt(leaf, BEFORE_AT) >= from && numberAt(leaf, AFTER_AT) <= to);
  }

  /** The attribution with this SHA-256. */
  attribution(hash: Uint8Array): Uint8Array | undefined {
    return this.#attributions.get(toHex(hash));
  }

  /** Receipts in memory. */
  get count(): number {
    return [...this.#lanes.values()].reduce((sum, { leaves }) => sum + leaves.length, 0);
  }

  /**
   * Drops what an epoch states, whose file has it: all receipts up to the ends of these intervals, but the
   * last of each lane, whose answer may be asked for again. Resolves when the disk has forgotten them too.
   * @throws LedgerError `gateway.disk`
   */
  async forget(intervals: readonly LaneInterval[]): Promise<void> {
    for (const { channelId, lane, to } of intervals) {
      const receipts = this.#lanes.get(laneKey(channelId, lane));
      if (receipts === undefined) continue;
      const { leaves } = receipts;
      receipts.leaves = leaves.filter((leaf, i) => i === leaves.length - 1 || numberAt(leaf, AFTER_AT) > to);
    }
    this.#forgetAttributions();
    await this.#rewriteWith([]);
  }

  /** Resolves when all is durable and the file is closed. */
  close(): Promise<void> {
    return this.#open().close();
  }

  async #write(records: readonly LogRecord[]): Promise<void> {
    const log = this.#open();
    const isMostlyDead = this.#dead > DEAD_BYTES_MIN && 2 * this.#dead > log.bytes;
    await (isMostlyDead ? this.#rewriteWith(records) : log.append(records));
  }

  async #rewriteWith(records: readonly LogRecord[]): Promise<void> {
    this.#dead = 0;
    this.#open().rewriteBeforeNext(() => this.#records());
    await this.#open().append(records);
  }

  #open(): RecordLog {
    assert(this.#log !== undefined, 'the log of receipts is being opened');
    return this.#log;
  }

  #read({ kind, content }: LogRecord): void {
    if (kind === RECORDS.attribution) this.#addAttribution(content);
    else if (kind === RECORDS.piece) {
      const receipt = decodeReceipt(content.slice(1, PIECE_TEXT_AT));
      assert(receipt !== undefined, 'a piece of the log is malformed');
      this.#addPiece({ receipt, text: content.slice(PIECE_TEXT_AT) }, content[0] === 1);
    } else if (kind === RECORDS.unpaid) this.#readUnpaid(content);
    else this.#addReceipt(content.slice(0, RECEIPT_BYTES), content.slice(RECEIPT_BYTES));
  }

  #addAttribution(bytes: Uint8Array): boolean {
    const key = toHex(sha256(bytes));
    if (this.#attributions.has(key)) return false;
    this.#attributions.set(key, bytes);
    return true;
  }

  #addPiece(piece: AnswerPiece, isFirst: boolean): void {
    const key = laneKey(piece.receipt.channel, piece.receipt.lane);
    if (isFirst) this.#deletePieces(key);
    const known = this.#pieces.get(key) ?? [];
    // A log that is written anew while a piece waits has it, and its frame comes again (`record-log.ts`).
    const last = known.at(-1);
    if (last !== undefined && piece.receipt.tokensOut <= last.receipt.tokensOut) return;
    known.push(piece);
    this.#pieces.set(key, known);
  }

  #deletePieces(key: string): void {
    for (const { text } of this.#pieces.get(key) ?? []) this.#dead += PIECE_BYTES + text.length;
    this.#pieces.delete(key);
  }

  /** The record says the channel's sum, so that reading it twice changes nothing. */
  #addUnpaid(
    { channel, lane }: { readonly channel: Uint8Array; readonly lane: number },
    tokens: number,
  ): LogRecord {
    const record = unpaidRecord(channel, lane, this.unpaid(channel) + tokens);
    this.#readUnpaid(record.content);
    return record;
  }

  #readUnpaid(content: Uint8Array): void {
    const view = new DataView(content.buffer, content.byteOffset, content.length);
    const channel = content.subarray(0, UNPAID_LANE_AT);
    this.#deletePieces(laneKey(channel, view.getUint16(UNPAID_LANE_AT)));
    // All of a channel but the last.
    this.#dead += RECORD_HEAD_BYTES + UNPAID_BYTES;
    const tokens = Math.max(this.unpaid(channel), view.getUint32(UNPAID_TOKENS_AT));
    if (tokens > 0) this.#unpaid.set(toHex(channel), tokens);
  }

  #addReceipt(leaf: Uint8Array, answer: Uint8Array): void {
    const receipt = decodeReceipt(leaf);
    assert(receipt !== undefined, 'a receipt of the log is malformed');
    const key = laneKey(receipt.channel, receipt.lane);
    this.#deletePieces(key);
    const lane = this.#lanes.get(key) ?? { leaves: [], answer: EMPTY_BYTES };
    if (lane.leaves.length === 0) this.#lanes.set(key, lane);
    this.#dead += lane.answer.length;
    for (let last = lane.leaves.at(-1); last !== undefined; last = lane.leaves.at(-1)) {
      if (numberAt(last, BEFORE_AT) < receipt.before) break;
      lane.leaves.pop();
    }
    lane.leaves.push(leaf);
    lane.answer = answer;
  }

  #forgetAttributions(): void {
    const named = new Set([toHex(NO_ATTRIBUTION)]);
    for (const { leaves } of this.#lanes.values())
      for (const leaf of leaves) named.add(toHex(decodeReceipt(leaf)?.attribution ?? NO_ATTRIBUTION));
    for (const key of this.#attributions.keys()) if (!named.has(key)) this.#attributions.delete(key);
  }

  *#records(): Generator<LogRecord> {
    for (const content of this.#attributions.values()) yield { kind: RECORDS.attribution, content };
    for (const { leaves, answer } of this.#lanes.values())
      for (const [i, leaf] of leaves.entries()) {
        const content = i === leaves.length - 1 ? concatBytes(leaf, answer) : leaf;
        yield { kind: RECORDS.receipt, content };
      }
    // Before all pieces: those of the lane that it names are dropped by it.
    for (const [channel, tokens] of this.#unpaid) yield unpaidRecord(fromHex(channel), 0, tokens);
    for (const pieces of this.#pieces.values())
      for (const [i, piece] of pieces.entries()) yield pieceRecord(piece, i === 0);
  }
}

/** `u8 first, 195 leaf, text`. */
function pieceRecord({ receipt, text }: AnswerPiece, isFirst: boolean): LogRecord {
  assert(receipt.after > receipt.before, 'a piece costs something');
  const first = Uint8Array.of(isFirst ? 1 : 0);
  return { kind: RECORDS.piece, content: concatBytes(first, encodeReceipt(receipt), text) };
}

function unpaidRecord(channel: Uint8Array, lane: number, tokens: number): LogRecord {
  const content = new Uint8Array(UNPAID_BYTES);
  const view = new DataView(content.buffer);
  content.set(channel);
  view.setUint16(UNPAID_LANE_AT, lane);
  view.setUint32(UNPAID_TOKENS_AT, tokens);
  return { kind: RECORDS.unpaid, content };
}

function laneKey(channel: Uint8Array, lane: number): string {
  return `${toHex(channel)}/${lane}`;
}

function numberAt(leaf: Uint8Array, at: number): bigint {
  return new DataView(leaf.buffer, leaf.byteOffset, leaf.length).getBigUint64(at);
}
