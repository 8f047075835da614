/** What desks make of an answer: its receipt, whom it draws on, and the signature when it is charged. */
import { EMPTY_BYTES, equalBytes } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import type { Offer } from '../../client/vouchers/payee.ts';
import { baseOf, largestClaim, type VoucherContent } from '../../modules/channels/format/voucher.ts';
import {
  ATTRIBUTION_ENTRIES_MAX,
  encodeAttribution,
  NO_ATTRIBUTION,
} from '../../modules/settlement/proof/attribution.ts';
import type { FinalClaim, ModelTerms, Quote } from '../../modules/settlement/proof/chain.ts';
import { encodeReceipt, type Receipt } from '../../modules/settlement/proof/leaves.ts';
import { receiptStatement } from '../../modules/settlement/proof/receipt-statement.ts';
import type { AnsweredOutcome, DeskOptions, PaidRequest } from './desk.ts';
import type { GatewayLogger, InferenceAnswer, PriceBook, ReceiptSigner } from './ports.ts';
import type { AnsweredReceipt, ReceiptLog } from './receipt-log.ts';

/** What it is made of. */
export interface ReceiptMakerPorts {
  readonly receipts: ReceiptLog;
  readonly prices: PriceBook;
  readonly signer: ReceiptSigner;
  readonly logger: GatewayLogger;
}

/** What a request came to. */
export interface ReceiptUsage {
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly quote: Quote;
  /** 32 bytes. */
  readonly responseHash: Uint8Array;
  /** Empty for none. */
  readonly attribution: Uint8Array;
}

/** See the file comment. */
export class ReceiptMaker {
  readonly #ports: ReceiptMakerPorts;
  readonly #options: Pick<DeskOptions, 'chainId' | 'gateway' | 'denom' | 'models'>;
  readonly #terms = new Map<bigint, ModelTerms>();
  readonly #claims = new Map<bigint, FinalClaim>();

  constructor(
    ports: ReceiptMakerPorts,
    options: Pick<DeskOptions, 'chainId' | 'gateway' | 'denom' | 'models'>,
  ) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Models never change, so they are asked for once. Undefined for one that is not served. */
  async termsOf(modelId: bigint): Promise<ModelTerms | undefined> {
    const { models, denom } = this.#options;
    if (!models.includes(modelId)) return undefined;
    const terms = this.#terms.get(modelId) ?? (await this.#ports.prices.terms(modelId));
    if (terms === undefined || terms.denom !== denom) return undefined;
    this.#terms.set(modelId, terms);
    return terms;
  }

  /** Weights of the claim that an answer rests on: the chain's own, or nobody's when it has no such claim. */
  async attributionOf(
    modelId: bigint,
    { claimId, responseHash }: Pick<InferenceAnswer, 'claimId' | 'responseHash'>,
  ): Promise<Uint8Array> {
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

  /** What a request is offered for: its lane goes on where its receipts end, whatever the journal says. */
  offerOf({ resource, voucher: { voucher } }: PaidRequest, ceilingMin: bigint): Offer {
    const last = this.#ports.receipts.last(voucher.channelId, voucher.lane);
    return { resource, ceilingMin, lastReceipt: last?.receipt };
  }

  /** The receipt of a request that came to so much. */
  receiptOf(
    { modelId, resource: requestHash, voucher: { voucher } }: PaidRequest,
    usage: ReceiptUsage,
  ): Receipt {
    const { channelId: channel, lane } = voucher;
    const { tokensIn, tokensOut, quote, responseHash } = usage;
    const before = baseOf(voucher);
    return {
      ...{ channel, lane, before, after: before + quote.fee, modelId, tokensIn, tokensOut },
      ...{ requestHash, responseHash, attribution: attributionHash(usage.attribution), parts: quote.parts },
    };
  }

  /** What was charged for a voucher. @throws LedgerError `gateway.lost` */
  lastOf({ resource, voucher: { voucher } }: PaidRequest): AnsweredReceipt {
    const last = this.#ports.receipts.last(voucher.channelId, voucher.lane);
    if (last !== undefined && equalBytes(last.receipt.requestHash, resource)) return last;
    throw new LedgerError(
      'gateway.lost',
      'the request was charged and its answer is not here any more: the log of receipts was lost or replaced',
      { lane: voucher.lane },
    );
  }

  /** An answer whose charge is on the disk. */
  signed({ receipt, answer }: AnsweredReceipt, again: boolean): AnsweredOutcome {
    const { chainId, gateway } = this.#options;
    const leaf = encodeReceipt(receipt);
    const signature = this.#ports.signer.sign(receiptStatement(chainId, gateway, leaf));
    return { kind: 'answered', answer, receipt: leaf, signature, charged: receipt.after, again };
  }
}

/** What a receipt names an attribution by. */
export function attributionHash(attribution: Uint8Array): Uint8Array {
  return attribution.length === 0 ? NO_ATTRIBUTION : sha256(attribution);
}

/** Vouchers go up to 2^128, and what a lane was charged in all has 64 bits in a receipt. */
const CHARGED_MAX = (1n << 64n) - 1n;

/** True of a voucher whose charge no receipt may be able to say. */
export function isBeyondReceipts(voucher: VoucherContent): boolean {
  return largestClaim(voucher) > CHARGED_MAX;
}

/** No answer that can be charged: nothing is. */
export function noAnswer(why: string): LedgerError {
  return new LedgerError('gateway.inference', `the model gave no answer that can be charged: ${why}`);
}
