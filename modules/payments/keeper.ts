import { assert } from '../../core/errors.ts';
import { type Address, moduleAddress } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { type ClaimRecord, ClaimState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import type {
  Hold,
  Params,
  Payout,
  Receipt,
  Totals,
} from '../../proto/gen/openledger/payments/v1/payments.ts';
import { ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import type { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { paymentErrors } from './errors.ts';
import { contributorPaid, escrowSettled, inferencePaid } from './events.ts';
import { inferenceFee, splitFee } from './fee.ts';
import { DEFAULT_PARAMS } from './params.ts';
import {
  type ClaimWeights,
  contributorRows,
  type PoolShare,
  payoutsOf,
  withoutContributors,
} from './payouts.ts';
import type { PoolPayer, PoolPlace } from '../pools/types.ts';
import { ratesOf, snapshotWeights } from './model-money.ts';
import type { BankTransfer } from '../bank/types.ts';
import type { PaymentPorts } from './ports.ts';
import { addToTotals, emptyTotals, isContributor, isPooled, splitToWire } from './receipts.ts';
import { type PaymentState, STORE_NAME } from './state.ts';
import { BY_PAYER, type PaymentPlan, type PaymentSource } from './types.ts';

/** Whose request. */
type RequestOf = Pick<MsgPayInference, 'payer' | 'requestHash'>;

/** What moves money. */
interface Payers {
  readonly bank: BankTransfer;
  readonly pools: PoolPayer;
}

/**
 * Settles payments for inferences. Every fee leaves its payer and reaches its recipients in the same
 * transaction.
 */
export class Payments {
  readonly #state: PaymentState;
  readonly #ports: PaymentPorts;
  readonly #owed: Payers;

  constructor(state: PaymentState, ports: PaymentPorts) {
    this.#state = state;
    this.#ports = ports;
    this.#owed = { bank: ports.bank.owed, pools: ports.pools.owed };
  }

  params(context: ReadContext): Params {
    return this.#state.params.get(context) ?? DEFAULT_PARAMS;
  }

  receipt(context: ReadContext, id: bigint): Receipt | undefined {
    return this.#state.receipts.get(context, id);
  }

  totals(context: ReadContext, denom: string): Totals {
    return this.#state.totals.get(context, denom) ?? emptyTotals(denom);
  }

  /**
   * Checks a payment and works out what it does.
   * @param source where the payer did not send the message: who did, and the hold that pays
   * @throws StateError (payments 3 … 7, 22, attribution 2 …)
   */
  plan(context: ReadContext, message: MsgPayInference, source: PaymentSource = BY_PAYER): PaymentPlan {
    this.#refuseTooLong(context, message);
    const model = this.requireModel(context, message.modelId);
    this.refusePaid(context, message);
    this.refuseHeld(context, message, source.hold);
    const fee = this.#feeOf(message, model);
    const { answer, claim, claimId, payer, requestHash } = message;
    const { attribution } = this.#ports;
    const request = { model, answer, payer, requestHash };
    const submitted = claimId === 0n ? undefined : attribution.payable(context, { claimId, ...request });
    const verified = submitted ?? attribution.verify(context, { claim, ...request });
    const parts = splitFee(fee, model.split);
    return {
      model,
      fee: { denom: model.price.denom, amount: fee },
      parts: model.snapshotIds.length > 0 ? parts : withoutContributors(parts, model.split.residual),
      claim: verified.totalWeight > 0n ? verified : undefined,
      submitted,
      answerRoot: verified.answerRoot,
      answerLength: verified.answerLength,
      source,
    };
  }

  /** Moves the money of a checked payment and writes its receipt. */
  settle(context: Context, message: MsgPayInference, plan: PaymentPlan): Receipt {
    const { model, fee, parts, submitted, source } = plan;
    const isPending = submitted?.state === ClaimState.CLAIM_STATE_PENDING;
    const payouts = payoutsOf(plan, {
      platform: this.#platformText(),
      stakers: this.#moduleText(this.#ports.stakersAccount),
      escrow: this.#moduleText(STORE_NAME),
      model: this.#poolText(context, { modelId: model.id }, fee.denom),
      poolShares: this.#poolShares(context, { model, denom: fee.denom, claim: plan.claim }),
      pendingClaimId: isPending ? submitted.id : 0n,
    });
    const id = this.#state.sequence.next(context) + 1n;
    const receipt: Receipt = {
      id,
      payer: message.payer,
      modelId: model.id,
      requestHash: message.requestHash,
      tokensIn: message.tokensIn,
      tokensOut: message.tokensOut,
      fee: { denom: fee.denom, amount: fee.amount.toString() },
      split: splitToWire(parts),
      payouts,
      claimId: this.#claimOf(context, plan, id),
      height: context.block.height,
      txHash: context.txHash,
      answerRoot: plan.answerRoot,
      answerLength: plan.answerLength,
      payee: source.payee,
      refunded: '',
    };
    const payer = source.hold === undefined ? message.payer : this.#moduleText(STORE_NAME);
    this.#pay(context, { id, payer, payouts, fee: receipt.fee });
    this.insert(context, receipt);
    context.emit(inferencePaid(receipt));
    for (const payout of payouts)
      if (payout.contributionId > 0n) context.emit(contributorPaid(receipt, payout));
    return receipt;
  }

  /** The claim that the receipt follows: the one that was submitted, or a new record of the payment's own. */
  #claimOf(context: Context, { claim, submitted }: PaymentPlan, receiptId: bigint): bigint {
    const { attribution } = this.#ports;
    if (submitted === undefined)
      return claim === undefined ? 0n : attribution.record(context, claim, receiptId);
    attribution.pay(context, submitted, receiptId);
    return submitted.id;
  }

  /**
   * See `ClaimHooks`: what waited for a claim is paid by its shares, or goes to the pools. The chain owes it:
   * also whoever convicts a claim in a transaction must not be refused for whom it reaches.
   */
  claimDecided(context: Context, claim: ClaimRecord): void {
    const escrow = this.#state.escrows.get(context, claim.id);
    if (escrow === undefined) return;
    const receipt = this.#state.receipts.require(context, escrow.receiptId);
    const model = this.#ports.models.model(context, receipt.modelId);
    assert(model !== undefined, 'a receipt names a model that is not there');
    const isFinal = claim.state === ClaimState.CLAIM_STATE_FINAL;
    const shares = isFinal ? claim : undefined;
    const poolShares = this.#poolShares(context, { model, denom: receipt.fee.denom, claim: shares });
    const rows = contributorRows(shares, BigInt(escrow.amount.amount), poolShares);
    this.#state.escrows.remove(context, claim.id);
    const payouts = receipt.payouts.flatMap((payout) => (payout.claimId === claim.id ? rows : [payout]));
    const settled = { ...receipt, payouts };
    this.#state.receipts.replace(context, receipt.id, receipt, settled);
    this.#indexContributors(context, settled);
    const payer = this.#moduleText(STORE_NAME);
    this.#pay(context, { id: receipt.id, payer, payouts: rows, fee: receipt.fee }, this.#owed);
    context.emit(escrowSettled(settled, escrow, isFinal));
    for (const payout of rows) if (payout.contributionId > 0n) context.emit(contributorPaid(settled, payout));
  }

  /** Writes a receipt, its indexes, its escrow and the totals. */
  insert(context: Context, receipt: Receipt): void {
    this.#state.receipts.replace(context, receipt.id, undefined, receipt);
    this.#indexContributors(context, receipt);
    const { denom } = receipt.fee;
    for (const { claimId, amount } of receipt.payouts)
      if (claimId > 0n) {
        const escrow = { claimId, receiptId: receipt.id, amount: { denom, amount } };
        this.#state.escrows.set(context, claimId, escrow);
      }
    this.#state.totals.set(context, denom, addToTotals(this.totals(context, denom), receipt));
  }

  /** Changes what a receipt says without changing what was paid. */
  replace(context: Context, before: Receipt, after: Receipt): void {
    this.#state.receipts.replace(context, after.id, before, after);
  }

  #indexContributors(context: Context, receipt: Receipt): void {
    const paid = new Set(receipt.payouts.filter(isContributor).map(({ recipient }) => recipient));
    for (const text of paid)
      this.#state.byContributor.add(context, [this.#ports.addresses.toBytes(text), receipt.id]);
  }

  /** One transfer for each recipient, and one for all that pools hold. */
  #pay(
    context: Context,
    receipt: Pick<Receipt, 'id' | 'payer' | 'payouts' | 'fee'>,
    { bank, pools }: Payers = this.#ports,
  ): void {
    const { id, payer, payouts, fee } = receipt;
    const { addresses, communityPool } = this.#ports;
    const { denom } = fee;
    const from = addresses.toBytes(payer);
    for (const payout of payouts) {
      const { party, recipient } = payout;
      // What was held and now waits for a claim stays where it is.
      if (isPooled(payout) || (recipient === payer && recipient === this.#moduleText(STORE_NAME))) continue;
      const coins = [{ denom, amount: BigInt(payout.amount) }];
      if (party === Party.PARTY_PLATFORM) communityPool.fundCommunityPool(context, { from, coins });
      else bank.send(context, { from, to: addresses.toBytes(recipient), coins });
    }
    const rows = payouts.filter(isPooled).map((payout) => ({
      place: this.#placeOf(context, payout),
      amount: BigInt(payout.amount),
      source: { receiptId: id },
    }));
    pools.pay(context, { from, denom, rows });
  }

  /** A contribution's slot, those of a snapshot, or the pool of a model's lineage. */
  #placeOf(context: ReadContext, { contributionId, datanetId, positions, modelId }: Payout): PoolPlace {
    if (modelId > 0n) return { modelId };
    if (datanetId > 0n) return { datanetId, positions };
    const contribution = this.#ports.datanets.contribution(context, contributionId);
    assert(
      contribution !== undefined && contribution.state !== ContributionState.CONTRIBUTION_STATE_PENDING,
      'a claim names a contribution that has no position in a log',
    );
    return { datanetId: contribution.datanetId, position: contribution.position };
  }

  #refuseTooLong(context: ReadContext, { tokensIn, tokensOut }: MsgPayInference): void {
    const { tokensMax } = this.params(context);
    if (tokensIn > tokensMax || tokensOut > tokensMax)
      throw new StateError(
        paymentErrors.tooManyTokens,
        `${tokensIn} tokens in, ${tokensOut} out, at most ${tokensMax} each; pay in several parts`,
      );
  }

  /** @throws StateError (payments 3) */
  requireModel(context: ReadContext, modelId: bigint): Model {
    const model = this.#ports.models.model(context, modelId);
    if (model === undefined)
      throw new StateError(paymentErrors.unknownModel, `there is no model ${modelId}; check model_id`);
    return model;
  }

  /** The receipt of a payer's request; undefined when it was not paid. */
  receiptOf(context: ReadContext, payer: Address, requestHash: Uint8Array): bigint | undefined {
    return this.#state.byRequest.find(context, [payer, requestHash]);
  }

  /** @throws StateError (payments 6) */
  refusePaid(context: ReadContext, { payer, requestHash }: RequestOf): void {
    const paid = this.receiptOf(context, this.#ports.addresses.toBytes(payer), requestHash);
    if (paid === undefined) return;
    throw new StateError(
      paymentErrors.requestPaid,
      `receipt ${paid} has this request_hash; a new request needs a hash of its own`,
    );
  }

  /**
   * What is held for a request is its payee's to capture: the payer cannot pay it in another way meanwhile,
   * and so make the hold worthless.
   * @throws StateError (payments 22)
   */
  refuseHeld(context: ReadContext, { payer, requestHash }: RequestOf, own: Hold | undefined): void {
    const key = [this.#ports.addresses.toBytes(payer), requestHash] as const;
    const held = this.#state.holdByRequest.find(context, key);
    if (held === undefined || held === own?.id) return;
    throw new StateError(
      paymentErrors.requestHeld,
      `hold ${held} is for this request_hash; its payee captures or voids it, or it expires`,
    );
  }

  #feeOf(message: MsgPayInference, { id, price }: Model): bigint {
    const { maxFee } = message;
    if (maxFee.denom !== price.denom)
      throw new StateError(
        paymentErrors.wrongDenom,
        `model ${id} is priced in ${price.denom}, max_fee is in ${maxFee.denom}`,
      );
    const fee = inferenceFee(ratesOf({ price }), message);
    if (fee > BigInt(maxFee.amount))
      throw new StateError(
        paymentErrors.feeAboveMax,
        `model ${id} costs ${fee}${price.denom} for this usage, max_fee is ${maxFee.amount}${maxFee.denom}; raise max_fee or use fewer tokens`,
      );
    return fee;
  }

  /** Those of a model's snapshots, weighted by bytes; none when a claim leaves nothing to them. */
  #poolShares(
    context: ReadContext,
    of: { readonly model: Model; readonly denom: string; readonly claim: ClaimWeights | undefined },
  ): readonly PoolShare[] {
    const { model, denom, claim } = of;
    if (claim?.unattributedWeight === 0n) return [];
    const { datanets } = this.#ports;
    return snapshotWeights(datanets, context, model).map(({ datanetId, positions, weight }) => {
      const recipient = this.#poolText(context, { datanetId, positions }, denom);
      return { datanetId, positions, weight, recipient };
    });
  }

  /** Account that holds what is paid to a place. */
  #poolText(context: ReadContext, place: PoolPlace, denom: string): string {
    return this.#moduleText(this.#ports.pools.accountOf(context, place, denom));
  }

  #platformText(): string {
    return this.#moduleText(this.#ports.communityPool.communityPoolAccount);
  }

  #moduleText(name: string): string {
    return this.#ports.addresses.toText(this.moduleAddress(name));
  }

  /** Address of a module's account. */
  moduleAddress(name: string): Address {
    return moduleAddress(name);
  }
}
