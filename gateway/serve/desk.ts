/**
 * Where requests are paid for and answered: voucher → answer → receipt on the disk → charge on the disk →
 * signature. See `receipt-log.ts` for what a crash between two of them leaves.
 */
import type { LaneSnapshot, Payee, Refusal } from '../../client/vouchers/payee.ts';
import type { SignedVoucher } from '../../client/vouchers/signatures.ts';
import { feeOf } from './pieces.ts';
import type { Inference, InferenceRequest } from './ports.ts';
import type { AnsweredReceipt } from './receipt-log.ts';
import { isBeyondReceipts, noAnswer, ReceiptMaker, type ReceiptMakerPorts } from './receipt-maker.ts';

/** What the desk is made of. */
export interface DeskPorts extends ReceiptMakerPorts {
  readonly payee: Payee;
  readonly inference: Inference;
}

/** Whose receipts they are, and what is offered. */
export interface DeskOptions {
  readonly chainId: string;
  /** Address, as it is registered. */
  readonly gateway: string;
  /** Channels have to be in it. */
  readonly denom: string;
  /** Models that are served. */
  readonly models: readonly bigint[];
  readonly promptBytesMax: number;
  readonly answerBytesMax: number;
  /** Requests at a time; the next one is told to come again. */
  readonly requestsMax: number;
}

/** A request with what pays for it. */
export interface PaidRequest extends InferenceRequest {
  /** 32 bytes: what names the request, as the gateway itself has made it of what arrived. */
  readonly resource: Uint8Array;
  readonly voucher: SignedVoucher;
}

/** Why nothing was served: stable names, for answers. */
export type DeskRefusal =
  | Refusal
  | 'unknown_model'
  | 'prompt_too_long'
  | 'streams_not_served'
  | 'beyond_receipts'
  | 'busy';

/** An answer that was charged. */
export interface AnsweredOutcome {
  readonly kind: 'answered';
  readonly answer: Uint8Array;
  /** The leaf: 195 bytes. */
  readonly receipt: Uint8Array;
  readonly signature: Uint8Array;
  /** What its lane was charged in all: for `Payer.answered`. */
  readonly charged: bigint;
  /** It was answered before, and cost nothing now. */
  readonly again: boolean;
}

/** What becomes of a request. */
export type Outcome =
  | AnsweredOutcome
  | { readonly kind: 'corrective'; readonly lane: LaneSnapshot }
  | { readonly kind: 'refused'; readonly reason: DeskRefusal };

/** An answer that is to be charged. */
interface Made extends AnsweredReceipt {
  /** Empty when the receipt names none. */
  readonly attribution: Uint8Array;
}

/** See the file comment. */
export class InferenceDesk {
  readonly #ports: DeskPorts;
  readonly #options: DeskOptions;
  readonly #maker: ReceiptMaker;
  #serving = 0;

  constructor(ports: DeskPorts, options: DeskOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#maker = new ReceiptMaker(ports, options);
  }

  /** Requests that are being answered. */
  get serving(): number {
    return this.#serving;
  }

  /**
   * What a request costs at most: the least ceiling of its voucher. Undefined for a model that is not served
   * here, or not in this denomination.
   */
  async priceOf({ modelId, prompt, tokensOutMax }: InferenceRequest): Promise<bigint | undefined> {
    const terms = await this.#maker.termsOf(modelId);
    const tokensIn = BigInt(this.#ports.inference.tokensIn({ modelId, prompt }));
    return terms?.quote({ tokensIn, tokensOut: BigInt(tokensOutMax) }).fee;
  }

  /**
   * Serves a request, once for each voucher.
   * @throws LedgerError `gateway.inference` when there is no answer, and nothing is charged;
   * `gateway.disk`, `vouchers.disk`: stop, and begin again from what is on the disk
   */
  async answer(request: PaidRequest, signal: AbortSignal = new AbortController().signal): Promise<Outcome> {
    if (this.#serving >= this.#options.requestsMax) return refused('busy');
    this.#serving++;
    try {
      return await this.#answer(request, signal);
    } finally {
      this.#serving--;
    }
  }

  async #answer(request: PaidRequest, signal: AbortSignal): Promise<Outcome> {
    const { payee } = this.#ports;
    const { voucher: signed } = request;
    const { channelId, lane } = signed.voucher;
    if (request.prompt.length > this.#options.promptBytesMax) return refused('prompt_too_long');
    if (signed.voucher.hashChain !== undefined) return refused('streams_not_served');
    if (isBeyondReceipts(signed.voucher)) return refused('beyond_receipts');
    const ceilingMin = await this.priceOf(request);
    if (ceilingMin === undefined) return refused('unknown_model');
    const acceptance = await payee.accept(signed, this.#maker.offerOf(request, ceilingMin));
    if (acceptance.kind === 'refused' || acceptance.kind === 'corrective') return acceptance;
    if (acceptance.kind === 'settled') return this.#maker.signed(this.#maker.lastOf(request), true);
    try {
      const made = await this.#make(request, signal);
      await this.#ports.receipts.append(made, made.attribution);
      await payee.settle(channelId, lane, feeOf(made));
      return this.#maker.signed(made, false);
    } catch (error) {
      payee.abandon(channelId, lane);
      throw error;
    }
  }

  /** Asks the model. @throws LedgerError `gateway.inference` */
  async #make(request: PaidRequest, signal: AbortSignal): Promise<Made> {
    const { modelId, voucher } = request;
    const terms = await this.#maker.termsOf(modelId);
    const answer = await this.#ports.inference.infer(request, signal);
    const tokensIn = this.#ports.inference.tokensIn(request);
    const { tokensOut, content, responseHash } = answer;
    const quote = terms?.quote({ tokensIn: BigInt(tokensIn), tokensOut: BigInt(tokensOut) });
    if (quote === undefined || quote.fee === 0n || quote.fee > voucher.voucher.ceiling)
      throw noAnswer(`it has ${tokensOut} tokens, which are not what the voucher pays for`);
    if (content.length > this.#options.answerBytesMax)
      throw noAnswer(`it has ${content.length} bytes, at most ${this.#options.answerBytesMax} are kept`);
    const attribution = await this.#maker.attributionOf(modelId, answer);
    const usage = { tokensIn, tokensOut, quote, responseHash, attribution };
    const receipt = this.#maker.receiptOf(request, usage);
    return { receipt, answer: content, attribution };
  }
}

/** Nothing was served. */
export function refused(reason: DeskRefusal): Outcome {
  return { kind: 'refused', reason };
}
