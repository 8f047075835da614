/**
 * Where answers are paid for while they are given: by links of the voucher's hash chain (PayWord).
 *
 * | step | on the disk before the next one | after a crash |
 * | --- | --- | --- |
 * | a link is shown | the link | it pays for what was given |
 * | a piece is made | the piece, with the receipt of all up to it | it is given only if it was paid for |
 * | the end, whyever | the receipt of all pieces that were paid for, then its charge | the same receipt |
 *
 * The fee of an answer is rounded, so it is no multiple of a link. It does not have to be: links say how much
 * may be charged, and what is charged is the fee of the last piece that they cover, exactly (docs/adr/0032).
 * With the first piece the request itself is owed, also when none of the answer is paid for.
 *
 * What was given ahead of its payment, `tokensAhead` at most, is the gateway's loss when the payer stops.
 */
import { concatBytes, EMPTY_BYTES, equalBytes, newBytes, toHex, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { Payee } from '../../client/vouchers/payee.ts';
import type { ShownLink } from '../../client/vouchers/state.ts';
import { baseOf } from '../../modules/channels/format/voucher.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import type { Quote } from '../../modules/settlement/proof/chain.ts';
import type { Receipt } from '../../modules/settlement/proof/leaves.ts';
import type { Timers } from '../../watch/asking.ts';
import { type AnsweredOutcome, type DeskOptions, type Outcome, type PaidRequest, refused } from './desk.ts';
import type { StreamingInference } from './ports.ts';
import type { AnsweredReceipt, AnswerPiece } from './receipt-log.ts';
import { attributionHash, noAnswer, ReceiptMaker, type ReceiptMakerPorts } from './receipt-maker.ts';

/** What the desk is made of. */
export interface StreamDeskPorts extends ReceiptMakerPorts {
  readonly payee: Payee;
  readonly inference: StreamingInference;
  readonly timers: Timers;
}

/** Bounds of streams; `requestsMax` is of streams at a time. */
export interface StreamDeskOptions extends DeskOptions {
  /** Most tokens that are given and not paid for, and most of a piece. */
  readonly tokensAhead: number;
  /** How long a payment is waited for. */
  readonly patienceMs: number;
}

/** What a payer is given. */
export interface GivenPiece {
  /** Empty in the first, which comes before the model is asked. */
  readonly text: string;
  /** Of the answer so far. */
  readonly tokens: number;
  /** The fee of the answer so far: what links have to be shown for. */
  readonly due: bigint;
}

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
  run(give: (piece: GivenPiece) => Promise<void>, signal: AbortSignal): Promise<StreamEnding>;
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
  /** Pieces that are on the disk. */
  readonly pieces: AnswerPiece[];
  /** The last link that was shown. */
  link: number;
  claimId: bigint;
  /** Called when a link was shown. */
  onLink: () => void;
}

/** The hash of an answer is made when it is over. */
const NO_HASH = newBytes(32);

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
   * Charges for what streams of the process before had given and been paid for, so that their receipts cover
   * it. Before anything else is served or claimed.
   */
  async recover(): Promise<void> {
    const { payee, receipts } = this.#ports;
    for (const { signed, payable } of payee.unfinished()) {
      const { channelId, lane, hashChain, resource } = signed.voucher;
      const pieces = receipts.pieces(channelId, lane).filter(({ receipt }) => {
        return receipt.before === baseOf(signed.voucher) && equalBytes(receipt.requestHash, resource);
      });
      // Of a request that was no stream the answer was not given to anybody: it waits for its voucher.
      const kept = hashChain && this.#maker.keptFor({ resource, voucher: signed });
      const made = kept ?? answerOf(pieces, payable);
      if (made === undefined) continue;
      payee.resume(channelId, lane);
      if (kept === undefined) await receipts.append(made, EMPTY_BYTES);
      await payee.settle(channelId, lane, made.receipt.after - made.receipt.before);
    }
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
    const terms = await this.#maker.termsOf(modelId);
    if (terms === undefined) return refused('unknown_model');
    const tokensIn = inference.tokensIn(request);
    const quote = (tokensOut: number): Quote =>
      terms.quote({ tokensIn: BigInt(tokensIn), tokensOut: BigInt(tokensOut) });
    const acceptance = await payee.accept(signed, this.#maker.offerOf(request, quote(tokensOutMax).fee));
    if (acceptance.kind === 'refused' || acceptance.kind === 'corrective') return acceptance;
    if (acceptance.kind === 'settled') return this.#maker.signed(this.#maker.lastOf(request), true);
    try {
      const kept = this.#maker.keptFor(request);
      if (kept !== undefined) return await this.#charged(kept, true);
    } catch (error) {
      payee.abandon(channelId, lane);
      throw error;
    }
    const { linkIndex: link } = acceptance;
    const serving = { request, tokensIn, quote, pieces: [], link, claimId: 0n, onLink: () => undefined };
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

  async #run(
    stream: Serving,
    give: (piece: GivenPiece) => Promise<void>,
    signal: AbortSignal,
  ): Promise<StreamEnding> {
    const { channelId, lane } = stream.request.voucher.voucher;
    try {
      let ended: StreamEnd = 'failed';
      try {
        ended = await this.#serve(stream, give, signal);
      } catch (error) {
        if (!(error instanceof LedgerError) || error.code !== 'gateway.inference') throw error;
        if (signal.aborted) ended = 'left';
        else this.#ports.logger.warn({ error: messageOf(error) }, 'a stream broke off');
      }
      this.#streams.delete(laneKey(channelId, lane));
      const paid = await this.#end(stream, ended);
      if (paid === undefined) this.#ports.payee.abandon(channelId, lane);
      return { ended, paid };
    } catch (error) {
      this.#ports.payee.abandon(channelId, lane);
      throw error;
    } finally {
      this.#streams.delete(laneKey(channelId, lane));
      this.#serving--;
    }
  }

  /** Gives what is paid for. @throws LedgerError `gateway.inference` when there is no more of it */
  async #serve(
    stream: Serving,
    give: (piece: GivenPiece) => Promise<void>,
    signal: AbortSignal,
  ): Promise<StreamEnd> {
    const { request, quote } = stream;
    const { tokensAhead } = this.#options;
    const stopped = (): StreamEnd => (signal.aborted ? 'left' : 'unpaid');
    await give({ text: '', tokens: 0, due: quote(0).fee });
    if (!(await this.#isPaid(stream, 0, signal))) return stopped();
    let tokens = 0;
    let bytes = 0;
    for await (const part of this.#ports.inference.stream(request, signal)) {
      if (part.kind === 'end') {
        if (part.tokens !== tokens)
          throw noAnswer(`its pieces have ${tokens} tokens, and it says ${part.tokens}`);
        stream.claimId = part.claimId;
        return (await this.#isPaid(stream, tokens, signal)) ? 'whole' : stopped();
      }
      const text = utf8(part.text.toWellFormed());
      this.#requireBounds(request, part.tokens, { tokens: tokens + part.tokens, bytes: bytes + text.length });
      // With the first piece the request itself is owed, which is paid by now, and none of the answer.
      if (tokens === 0) await this.#keep(stream, 0, EMPTY_BYTES);
      tokens += part.tokens;
      bytes += text.length;
      await this.#keep(stream, tokens, text);
      if (!(await this.#isPaid(stream, tokens - tokensAhead, signal))) return stopped();
      await give({ text: part.text.toWellFormed(), tokens, due: quote(tokens).fee });
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
    const piece = { receipt: this.#receiptUpTo(stream, tokens), text };
    await this.#ports.receipts.appendPiece(piece, tokens === 0);
    stream.pieces.push(piece);
  }

  #receiptUpTo({ request, tokensIn, quote }: Serving, tokensOut: number): Receipt {
    const usage = { tokensIn, tokensOut, quote: quote(tokensOut) };
    return this.#maker.receiptOf(request, { ...usage, responseHash: NO_HASH, attribution: EMPTY_BYTES });
  }

  /** Waits until so many tokens are paid for; false when the payer stops, or the stream is to end. */
  async #isPaid(stream: Serving, tokens: number, signal: AbortSignal): Promise<boolean> {
    const due = stream.quote(Math.max(tokens, 0)).fee;
    while (payableOf(stream) < due) if (!(await this.#nextLink(stream, signal))) return false;
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
    if (made === undefined) return undefined;
    const attribution = ended === 'whole' ? await this.#attributionOf(stream, made) : EMPTY_BYTES;
    const receipt = { ...made.receipt, attribution: attributionHash(attribution) };
    await receipts.append({ receipt, answer: made.answer }, attribution);
    return await this.#charged({ receipt, answer: made.answer }, false);
  }

  async #charged(made: AnsweredReceipt, again: boolean): Promise<AnsweredOutcome> {
    const { channel, lane, before, after } = made.receipt;
    await this.#ports.payee.settle(channel, lane, after - before);
    return this.#maker.signed(made, again);
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

/** The answer of the pieces that so much pays for; undefined when that is none. */
function answerOf(pieces: readonly AnswerPiece[], payable: bigint): AnsweredReceipt | undefined {
  const fee = ({ receipt }: AnswerPiece): bigint => receipt.after - receipt.before;
  const paid = pieces.filter((piece) => fee(piece) <= payable);
  const last = paid.at(-1);
  if (last === undefined || fee(last) === 0n) return undefined;
  const answer = concatBytes(...paid.map(({ text }) => text));
  return { receipt: { ...last.receipt, responseHash: contentRoot(answer) }, answer };
}

function laneKey(channelId: Uint8Array, lane: number): string {
  return `${toHex(channelId)}/${lane}`;
}
