/**
 * Where answers are paid for while they are given: by links of the voucher's hash chain (PayWord).
 *
 * | step | on the disk before the next one | after a crash |
 * | --- | --- | --- |
 * | a link is shown | the link | it pays for what was given |
 * | a piece is made | the piece, with the receipt of all up to it | it is charged for if it was paid for |
 * | the end, whyever | the receipt of all pieces that were paid for, then its charge | the same receipt |
 *
 * The fee of an answer is rounded, so it is no multiple of a link. It does not have to be: links say how much
 * may be charged, and what is charged is the fee of the last piece that they cover, exactly (docs/adr/0032).
 * With the first piece the request itself is owed, also when none of the answer is paid for.
 *
 * What was given ahead of its payment is the gateway's loss when the payer stops. It is counted for the
 * channel, on the disk: all that is given and not paid for on a channel, lost before or ahead now, on all
 * its lanes together, is `tokensAhead` tokens at most. Where that is used up a piece is paid for before it
 * is given.
 */
import { concatBytes, EMPTY_BYTES, equalBytes, newBytes, toHex, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { Payee } from '../../client/vouchers/payee.ts';
import type { ShownLink } from '../../client/vouchers/state.ts';
import { baseOf } from '../../modules/channels/format/voucher.ts';
import type { Quote } from '../../modules/settlement/proof/chain.ts';
import type { Receipt } from '../../modules/settlement/proof/leaves.ts';
import type { Timers } from '../../watch/asking.ts';
import { type AnsweredOutcome, type DeskOptions, type Outcome, type PaidRequest, refused } from './desk.ts';
import { answerOf, feeOf } from './pieces.ts';
import type { StreamingInference } from './ports.ts';
import type { AnsweredReceipt, AnswerPiece } from './receipt-log.ts';
import {
  attributionHash,
  isBeyondReceipts,
  noAnswer,
  ReceiptMaker,
  type ReceiptMakerPorts,
} from './receipt-maker.ts';

/** What the desk is made of. */
export interface StreamDeskPorts extends ReceiptMakerPorts {
  readonly payee: Payee;
  readonly inference: StreamingInference;
  readonly timers: Timers;
}

/** Bounds of streams; `requestsMax` is of streams at a time, of which a channel has a quarter at most. */
export interface StreamDeskOptions extends DeskOptions {
  /** Most tokens that are given and not paid for in a channel's life, and most of a piece. */
  readonly tokensAhead: number;
  /** How long a payment is waited for. */
  readonly patienceMs: number;
  /** A stream is over after this time, payments included. */
  readonly streamMs: number;
}

/** What a payer is given. */
export interface GivenPiece {
  /** Empty in the first, which comes before the model is asked, and where the next is paid for first. */
  readonly text: string;
  /** Of the answer that was given so far. */
  readonly tokens: number;
  /** The fee of the answer so far, or with the next piece: what links have to be shown for. */
  readonly due: bigint;
}

/** Who a stream is given to. */
type Give = (piece: GivenPiece) => Promise<void>;

/** Why a stream ended. `left`: the payer left, its time was over, or the gateway stops. */
export type StreamEnd = 'whole' | 'unpaid' | 'left' | 'failed';

/** How a stream ended. */
export interface StreamEnding {
  readonly ended: StreamEnd;
  /** Of the pieces that were paid for; undefined when nothing was given, and nothing is charged. */
  readonly paid: AnsweredOutcome | undefined;
}

/** A stream that was opened: who has it runs it, and it ends by itself. */
export interface OpenedStream {
  readonly kind: 'stream';
  /**
   * @param give resolves when the next piece may be made; must not reject when the payer has left
   * @param signal aborted when it is to end; what was paid for is charged all the same
   * @throws LedgerError `gateway.disk`, `vouchers.disk`: stop, and begin again from what is on the disk
   */
  run(give: Give, signal: AbortSignal): Promise<StreamEnding>;
}

/** What becomes of a link. */
export type LinkOutcome =
  | { readonly kind: 'paid'; readonly index: number }
  | { readonly kind: 'refused'; readonly reason: 'no_stream' | 'invalid_link' };

/** A stream that is being served. */
interface Serving {
  readonly request: PaidRequest;
  readonly tokensIn: number;
  readonly quote: (tokensOut: number) => Quote;
  /** Pieces that were made; those that cost something are on the disk. */
  readonly pieces: AnswerPiece[];
  /** Tokens that were given. */
  given: number;
  /** The last link that was shown. */
  link: number;
  claimId: bigint;
  /** Called when a link was shown. */
  onLink: () => void;
}

/** The hash of an answer is made when it is over. */
const NO_HASH = newBytes(32);
/** A channel has at most one in so many of the places for streams. */
const CHANNELS_MIN = 4;

/** See the file comment. */
export class StreamDesk {
  readonly #ports: StreamDeskPorts;
  readonly #options: StreamDeskOptions;
  readonly #maker: ReceiptMaker;
  readonly #streams = new Map<string, Serving>();
  #serving = 0;

  constructor(ports: StreamDeskPorts, options: StreamDeskOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#maker = new ReceiptMaker(ports, options);
  }

  /** Streams that are being served. */
  get serving(): number {
    return this.#serving;
  }

  /**
   * Takes the voucher of a stream, or says what else to do. Who was charged before is answered as by an
   * `InferenceDesk`, with all that was paid for.
   */
  async open(request: PaidRequest): Promise<Outcome | OpenedStream> {
    if (this.#serving >= this.#options.requestsMax) return refused('busy');
    this.#serving++;
    let isOpen = false;
    try {
      const opened = await this.#open(request);
      isOpen = opened.kind === 'stream';
      return opened;
    } finally {
      if (!isOpen) this.#serving--;
    }
  }

  async #open(request: PaidRequest): Promise<Outcome | OpenedStream> {
    const { payee, inference } = this.#ports;
    const { voucher: signed, modelId, tokensOutMax } = request;
    const { channelId, lane } = signed.voucher;
    if (request.prompt.length > this.#options.promptBytesMax) return refused('prompt_too_long');
    if (isBeyondReceipts(signed.voucher)) return refused('beyond_receipts');
    const terms = await this.#maker.termsOf(modelId);
    if (terms === undefined) return refused('unknown_model');
    const tokensIn = inference.tokensIn(request);
    const quote = (tokensOut: number): Quote =>
      terms.quote({ tokensIn: BigInt(tokensIn), tokensOut: BigInt(tokensOut) });
    const acceptance = await payee.accept(signed, this.#maker.offerOf(request, quote(tokensOutMax).fee));
    if (acceptance.kind === 'refused' || acceptance.kind === 'corrective') return acceptance;
    if (acceptance.kind === 'settled') return this.#maker.signed(this.#maker.lastOf(request), true);
    const places = Math.max(Math.floor(this.#options.requestsMax / CHANNELS_MIN), 1);
    if (this.#streamsOf(channelId).length >= places) {
      payee.abandon(channelId, lane);
      return refused('busy');
    }
    const { linkIndex: link } = acceptance;
    const begin = { pieces: [], given: 0, link, claimId: 0n, onLink: () => undefined };
    const serving = { request, tokensIn, quote, ...begin };
    this.#streams.set(laneKey(channelId, lane), serving);
    return { kind: 'stream', run: (give, signal) => this.#run(serving, give, signal) };
  }

  /** Takes a link of a stream that is being served: what it pays for is given when it is on the disk. */
  async pay(channelId: Uint8Array, lane: number, shown: ShownLink): Promise<LinkOutcome> {
    const stream = this.#streams.get(laneKey(channelId, lane));
    if (stream === undefined) return { kind: 'refused', reason: 'no_stream' };
    if (shown.index > stream.link) {
      const index = await this.#ports.payee.link(channelId, lane, shown);
      if (index === undefined) return { kind: 'refused', reason: 'invalid_link' };
      stream.link = Math.max(stream.link, index);
      stream.onLink();
    }
    return { kind: 'paid', index: stream.link };
  }

  #streamsOf(channelId: Uint8Array): readonly Serving[] {
    return [...this.#streams.values()].filter(({ request }) => {
      return equalBytes(request.voucher.voucher.channelId, channelId);
    });
  }

  async #run(stream: Serving, give: Give, left: AbortSignal): Promise<StreamEnding> {
    const { channelId, lane } = stream.request.voucher.voucher;
    // Not `AbortSignal.timeout`: only `any` would hold it, weakly, and Node.js 20 then collects it unfired.
    const over = new AbortController();
    const stopTimer = this.#ports.timers.after(this.#options.streamMs, () => over.abort());
    const signal = AbortSignal.any([left, over.signal]);
    try {
      let ended: StreamEnd = 'failed';
      try {
        ended = await this.#serve(stream, give, signal);
      } catch (error) {
        if (!(error instanceof LedgerError) || error.code !== 'gateway.inference') throw error;
        if (signal.aborted) ended = 'left';
        else {
          this.#ports.logger.warn({ error: messageOf(error) }, 'a stream broke off');
          await this.#isPaid(stream, signal, () => paidTokens(stream) >= stream.given);
        }
      }
      this.#streams.delete(laneKey(channelId, lane));
      const paid = await this.#end(stream, ended);
      if (paid === undefined) this.#ports.payee.abandon(channelId, lane);
      return { ended, paid };
    } catch (error) {
      this.#ports.payee.abandon(channelId, lane);
      throw error;
    } finally {
      stopTimer();
      this.#streams.delete(laneKey(channelId, lane));
      this.#serving--;
    }
  }

  /** Gives what is paid for. @throws LedgerError `gateway.inference` when there is no more of it */
  async #serve(stream: Serving, give: Give, signal: AbortSignal): Promise<StreamEnd> {
    const { request, quote } = stream;
    const requestFee = quote(0).fee;
    const stopped = (): StreamEnd => (signal.aborted ? 'left' : 'unpaid');
    await give({ text: '', tokens: 0, due: requestFee });
    if (!(await this.#isPaid(stream, signal, () => payableOf(stream) >= requestFee))) return stopped();
    if (signal.aborted) return 'left';
    let tokens = 0;
    let bytes = 0;
    for await (const part of this.#ports.inference.stream(request, signal)) {
      if (part.kind === 'end') {
        if (part.tokens !== tokens)
          throw noAnswer(`its pieces have ${tokens} tokens, and it says ${part.tokens}`);
        stream.claimId = part.claimId;
        const isPaid = await this.#isPaid(stream, signal, () => paidTokens(stream) >= tokens);
        return isPaid ? 'whole' : stopped();
      }
      const text = part.text.toWellFormed();
      const content = utf8(text);
      tokens += part.tokens;
      bytes += content.length;
      this.#requireBounds(request, part.tokens, { tokens, bytes });
      await this.#keep(stream, tokens, content);
      if (!(await this.#mayGive(stream, tokens, { give, signal }))) return stopped();
      await give({ text, tokens, due: quote(tokens).fee });
    }
    throw noAnswer('it has no end');
  }

  /** @throws LedgerError `gateway.inference` */
  #requireBounds(
    { tokensOutMax }: PaidRequest,
    pieceTokens: number,
    { tokens, bytes }: { readonly tokens: number; readonly bytes: number },
  ): void {
    const { tokensAhead, answerBytesMax } = this.#options;
    if (pieceTokens < 1 || pieceTokens > tokensAhead)
      throw noAnswer(`a piece has ${pieceTokens} tokens, must have 1 to ${tokensAhead}`);
    if (tokens > tokensOutMax) throw noAnswer(`it has more than ${tokensOutMax} tokens`);
    if (bytes > answerBytesMax) throw noAnswer(`it has more than ${answerBytesMax} bytes`);
  }

  /** Writes a piece down, before it is given. */
  async #keep(stream: Serving, tokens: number, text: Uint8Array): Promise<void> {
    const known = stream.pieces;
    const made = [{ receipt: this.#receiptUpTo(stream, tokens), text }];
    // With the first piece the request itself is owed, which is paid by now, and none of the answer.
    if (known.length === 0) made.unshift({ receipt: this.#receiptUpTo(stream, 0), text: EMPTY_BYTES });
    // What costs nothing leaves no receipt: its text is kept with the first piece that costs something.
    const [first, ...others] = made.filter((piece) => feeOf(piece) > 0n);
    const isFirst = !isKept(known);
    if (first !== undefined) {
      const before = isFirst ? [...known, ...made].filter((piece) => feeOf(piece) === 0n) : [];
      const texts = [...before, first].map((piece) => piece.text);
      await this.#ports.receipts.appendPieces(
        [{ ...first, text: concatBytes(...texts) }, ...others],
        isFirst,
      );
    }
    stream.pieces.push(...made);
  }

  #receiptUpTo({ request, tokensIn, quote }: Serving, tokensOut: number): Receipt {
    const usage = { tokensIn, tokensOut, quote: quote(tokensOut) };
    return this.#maker.receiptOf(request, { ...usage, responseHash: NO_HASH, attribution: EMPTY_BYTES });
  }

  /**
   * Waits until so many tokens of a stream may be given, and counts them as given. Where it would not do that
   * all that was given was paid for, the payer is told what the next piece costs.
   * @returns false when the payer stops, or the stream is to end
   */
  async #mayGive(
    stream: Serving,
    tokens: number,
    { give, signal }: { readonly give: Give; readonly signal: AbortSignal },
  ): Promise<boolean> {
    let isTold = false;
    for (;;) {
      const toPay = tokens - this.#creditOf(stream);
      if (paidTokens(stream) >= toPay) break;
      if (toPay > stream.given && !isTold) {
        isTold = true;
        await give({ text: '', tokens: stream.given, due: stream.quote(tokens).fee });
      } else if (!(await this.#nextLink(stream, signal))) return false;
    }
    // In the same turn as the look at the credit, which lanes share.
    stream.given = tokens;
    return true;
  }

  /** Tokens that may be given on a stream and not paid for: what is left of its channel's window. */
  #creditOf(stream: Serving): number {
    // Who has paid for nothing at all is trusted with nothing.
    if (stream.quote(0).fee === 0n) return 0;
    const { channelId } = stream.request.voucher.voucher;
    let credit = this.#options.tokensAhead - this.#ports.receipts.unpaid(channelId);
    for (const other of this.#streamsOf(channelId))
      if (other !== stream) credit -= Math.max(other.given - paidTokens(other), 0);
    return Math.max(credit, 0);
  }

  /** Waits until links pay for it; false when the payer stops, or the stream is to end. */
  async #isPaid(stream: Serving, signal: AbortSignal, test: () => boolean): Promise<boolean> {
    while (!test()) if (!(await this.#nextLink(stream, signal))) return false;
    return true;
  }

  #nextLink(stream: Serving, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const over = (isShown: boolean): void => {
        stopTimer();
        signal.removeEventListener('abort', stop);
        stream.onLink = () => undefined;
        resolve(isShown);
      };
      const stop = (): void => over(false);
      const stopTimer = this.#ports.timers.after(this.#options.patienceMs, stop);
      signal.addEventListener('abort', stop);
      stream.onLink = () => over(true);
      if (signal.aborted) stop();
    });
  }

  /** Charges for the pieces that were paid for. */
  async #end(stream: Serving, ended: StreamEnd): Promise<AnsweredOutcome | undefined> {
    const { receipts } = this.#ports;
    const made = answerOf(stream.pieces, payableOf(stream));
    const unpaid = Math.max(stream.given - paidTokens(stream), 0);
    if (made === undefined) {
      const { channelId: channel, lane } = stream.request.voucher.voucher;
      if (isKept(stream.pieces)) await receipts.dropPieces({ channel, lane }, unpaid);
      return undefined;
    }
    const attribution = ended === 'whole' ? await this.#attributionOf(stream, made) : EMPTY_BYTES;
    const receipt = { ...made.receipt, attribution: attributionHash(attribution) };
    await receipts.append({ receipt, answer: made.answer }, attribution, unpaid);
    await this.#ports.payee.settle(receipt.channel, receipt.lane, feeOf(made));
    return this.#maker.signed({ receipt, answer: made.answer }, false);
  }

  /** What was given is charged also when no node answers: then it rests on no claim. */
  async #attributionOf(stream: Serving, { receipt: { responseHash } }: AnsweredReceipt): Promise<Uint8Array> {
    const { claimId } = stream;
    try {
      return await this.#maker.attributionOf(stream.request.modelId, { claimId, responseHash });
    } catch (error) {
      this.#ports.logger.warn(
        { claim: claimId, error: messageOf(error) },
        'the claim of a stream is not known',
      );
      return EMPTY_BYTES;
    }
  }
}

/** What may be charged, by the voucher and the links that were shown. */
function payableOf({ request, link }: Serving): bigint {
  const { voucher } = request.voucher;
  return voucher.cumulative - baseOf(voucher) + BigInt(link) * (voucher.hashChain?.unit ?? 0n);
}

/** Fees of pieces never fall: when the last costs nothing, none of them is on the disk. */
function isKept(pieces: readonly AnswerPiece[]): boolean {
  const last = pieces.at(-1);
  return last !== undefined && feeOf(last) > 0n;
}

/** Of the last piece that is paid for: pieces are charged whole. */
function paidTokens(stream: Serving): number {
  const payable = payableOf(stream);
  return stream.pieces.findLast((piece) => feeOf(piece) <= payable)?.receipt.tokensOut ?? 0;
}

function laneKey(channelId: Uint8Array, lane: number): string {
  return `${toHex(channelId)}/${lane}`;
}
