/**
 * Where requests are paid for and answered: voucher → answer → receipt on the disk → charge on the disk →
 * signature. See `receipt-log.ts` for what a crash between two of them leaves.
 */
import { EMPTY_BYTES, equalBytes } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import type { LaneSnapshot, Payee, Refusal } from '../../client/vouchers/payee.ts';
import type { SignedVoucher } from '../../client/vouchers/signatures.ts';
import { baseOf } from '../../modules/channels/format/voucher.ts';
import {
  ATTRIBUTION_ENTRIES_MAX,
  encodeAttribution,
  NO_ATTRIBUTION,
} from '../../modules/settlement/proof/attribution.ts';
import type { FinalClaim, ModelTerms } from '../../modules/settlement/proof/chain.ts';
import { encodeReceipt, type Receipt } from '../../modules/settlement/proof/leaves.ts';
import { receiptStatement } from '../../modules/settlement/proof/receipt-statement.ts';
import type {
  GatewayLogger,
  Inference,
  InferenceAnswer,
  InferenceRequest,
  PriceBook,
  ReceiptSigner,
} from './ports.ts';
import type { AnsweredReceipt, ReceiptLog } from './receipt-log.ts';

/** What the desk is made of. */
export interface DeskPorts {
  readonly payee: Payee;
  readonly receipts: ReceiptLog;
  readonly prices: PriceBook;
  readonly inference: Inference;
  readonly signer: ReceiptSigner;
  readonly logger: GatewayLogger;
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
export type DeskRefusal = Refusal | 'unknown_model' | 'prompt_too_long' | 'streams_not_served' | 'busy';

/** What becomes of a request. */
export type Outcome =
  | {
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
  | { readonly kind: 'corrective'; readonly lane: LaneSnapshot }
  | { readonly kind: 'refused'; readonly reason: DeskRefusal };

/** An answer that is to be charged. */
interface Made extends AnsweredReceipt {
  /** Empty when the receipt names none. */
  readonly attribution: Uint8Array;
  readonly isKept: boolean;
}

/** See the file comment. */
export class InferenceDesk {
  readonly #ports: DeskPorts;
  readonly #options: DeskOptions;
  readonly #terms = new Map<bigint, ModelTerms>();
  readonly #claims = new Map<bigint, FinalClaim>();
  #serving = 0;

  constructor(ports: DeskPorts, options: DeskOptions) {
    this.#ports = ports;
    this.#options = options;
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
    const terms = await this.#termsOf(modelId);
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
    const { voucher: signed, resource } = request;
    const { channelId, lane } = signed.voucher;
    if (request.prompt.length > this.#options.promptBytesMax) return refused('prompt_too_long');
    if (signed.voucher.hashChain !== undefined) return refused('streams_not_served');
    const ceilingMin = await this.priceOf(request);
    if (ceilingMin === undefined) return refused('unknown_model');
    const acceptance = await payee.accept(signed, { resource, ceilingMin });
    if (acceptance.kind === 'refused' || acceptance.kind === 'corrective') return acceptance;
    if (acceptance.kind === 'settled') return this.#signed(this.#lastOf(request), true);
    try {
      const made = this.#keptFor(request) ?? (await this.#make(request, signal));
      if (!made.isKept) await this.#ports.receipts.append(made, made.attribution);
      const { before, after } = made.receipt;
      await payee.settle(channelId, lane, after - before);
      return this.#signed(made, made.isKept);
    } catch (error) {
      payee.abandon(channelId, lane);
      throw error;
    }
  }

  /** What a crash left between the receipt and its charge. */
  #keptFor({ resource, voucher: { voucher } }: PaidRequest): Made | undefined {
    const last = this.#ports.receipts.last(voucher.channelId, voucher.lane);
    if (last === undefined || last.receipt.before !== baseOf(voucher)) return undefined;
    if (!equalBytes(last.receipt.requestHash, resource)) return undefined;
    return { ...last, attribution: EMPTY_BYTES, isKept: true };
  }

  /** What was charged for this voucher. @throws LedgerError `gateway.lost` */
  #lastOf({ resource, voucher: { voucher } }: PaidRequest): AnsweredReceipt {
    const last = this.#ports.receipts.last(voucher.channelId, voucher.lane);
    if (last !== undefined && equalBytes(last.receipt.requestHash, resource)) return last;
    throw new LedgerError(
      'gateway.lost',
      'the request was charged and its answer is not here any more: the log of receipts was lost or replaced',
      { lane: voucher.lane },
    );
  }

  /** Asks the model. @throws LedgerError `gateway.inference` */
  async #make(request: PaidRequest, signal: AbortSignal): Promise<Made> {
    const { modelId, resource: requestHash, voucher } = request;
    const { channelId: channel, lane, ceiling } = voucher.voucher;
    const terms = await this.#termsOf(modelId);
    const answer = await this.#ports.inference.infer(request, signal);
    const tokensIn = this.#ports.inference.tokensIn(request);
    const { tokensOut, content, responseHash } = answer;
    const quote = terms?.quote({ tokensIn: BigInt(tokensIn), tokensOut: BigInt(tokensOut) });
    if (quote === undefined || quote.fee === 0n || quote.fee > ceiling)
      throw noAnswer(`it has ${tokensOut} tokens, which are not what the voucher pays for`);
    if (content.length > this.#options.answerBytesMax)
      throw noAnswer(`it has ${content.length} bytes, at most ${this.#options.answerBytesMax} are kept`);
    const attribution = await this.#attributionOf(modelId, answer);
    const before = baseOf(voucher.voucher);
    const receipt: Receipt = {
      channel,
      lane,
      before,
      after: before + quote.fee,
      modelId,
      tokensIn,
      tokensOut,
      requestHash,
      responseHash,
      attribution: attribution.length === 0 ? NO_ATTRIBUTION : sha256(attribution),
      parts: quote.parts,
    };
    return { receipt, answer: content, attribution, isKept: false };
  }

  /** Weights of the claim that an answer rests on: the chain's own, or nobody's when it has no such claim. */
  async #attributionOf(modelId: bigint, { claimId, responseHash }: InferenceAnswer): Promise<Uint8Array> {
    if (claimId === 0n) return EMPTY_BYTES;
    const claim = this.#claims.get(claimId) ?? (await this.#ports.prices.claim(claimId));
    if (claim?.modelId !== modelId || !equalBytes(claim.answerRoot, responseHash)) {
      this.#ports.logger.warn({ claim: claimId, model: modelId }, 'an answer cannot rest on its claim');
      return EMPTY_BYTES;
    }
    this.#claims.set(claimId, claim);
    const { entries, unattributed } = claim.weights;
    // A claim that names nobody, or more than a receipt can: all of it is nobody's.
    if (entries.length === 0 || entries.length > ATTRIBUTION_ENTRIES_MAX) return EMPTY_BYTES;
    return encodeAttribution({ claimId, entries, unattributed });
  }

  /** Models never change, so they are asked for once. */
  async #termsOf(modelId: bigint): Promise<ModelTerms | undefined> {
    const { models, denom } = this.#options;
    if (!models.includes(modelId)) return undefined;
    const terms = this.#terms.get(modelId) ?? (await this.#ports.prices.terms(modelId));
    if (terms === undefined || terms.denom !== denom) return undefined;
    this.#terms.set(modelId, terms);
    return terms;
  }

  #signed({ receipt, answer }: AnsweredReceipt, again: boolean): Outcome {
    const { chainId, gateway } = this.#options;
    const leaf = encodeReceipt(receipt);
    const signature = this.#ports.signer.sign(receiptStatement(chainId, gateway, leaf));
    return { kind: 'answered', answer, receipt: leaf, signature, charged: receipt.after, again };
  }
}

function refused(reason: DeskRefusal): Outcome {
  return { kind: 'refused', reason };
}

function noAnswer(why: string): LedgerError {
  return new LedgerError('gateway.inference', `the model gave no answer that can be charged: ${why}`);
}
