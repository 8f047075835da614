/** Holds: money of a payer that waits for the price of one request, and goes back when it expires. */
import { equalBytes } from '../../core/bytes.ts';
import { type AddressCodec, moduleAddress } from '../../framework/address.ts';
import { type Coin, parseCoin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import type { Hold } from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { MsgHoldPayment } from '../../proto/gen/openledger/payments/v1/tx.ts';
import type { BankTransfer } from '../bank/types.ts';
import { paymentErrors } from './errors.ts';
import { holdOpened, holdReturned } from './events.ts';
import type { Payments } from './keeper.ts';
import { type PaymentState, STORE_NAME } from './state.ts';

/** Most holds that one block returns; the rest waits, or is reclaimed. */
export const HOLDS_RETURNED_PER_BLOCK_MAX = 50;

/** What returning a hold at the end of a block costs: six rows and a transfer. */
const RETURN_GAS = 20_000;

/** What holds need. */
export interface HoldPorts {
  readonly addresses: AddressCodec;
  readonly bank: BankTransfer;
  readonly payments: Payments;
}

/** A hold as it is opened. */
export type HoldPlan = Omit<Hold, 'id'>;

/** See the file comment. */
export class Holds {
  readonly #state: PaymentState;
  readonly #ports: HoldPorts;

  constructor(state: PaymentState, ports: HoldPorts) {
    this.#state = state;
    this.#ports = ports;
  }

  find(context: ReadContext, id: bigint): Hold | undefined {
    return this.#state.holds.get(context, id);
  }

  /** @throws StateError (payments 3, 4, 6, 18, 22) */
  plan(context: ReadContext, message: MsgHoldPayment): HoldPlan {
    const { payments } = this.#ports;
    const { payer, modelId, requestHash, amount, expires } = message;
    const model = payments.requireModel(context, modelId);
    payments.refusePaid(context, message);
    payments.refuseHeld(context, message, undefined);
    if (amount.denom !== model.price.denom)
      throw new StateError(
        paymentErrors.wrongDenom,
        `model ${modelId} is priced in ${model.price.denom}, amount is in ${amount.denom}`,
      );
    const now = context.block.time.seconds;
    const most = payments.params(context).holdSecondsMax;
    if (expires <= now || expires - now > most)
      throw new StateError(
        paymentErrors.invalidHold,
        `expires is ${expires}, must be after ${now} by at most ${most} seconds`,
      );
    const payee = this.#canonical(message.payee === '' ? model.owner : message.payee);
    return { payer: this.#canonical(payer), payee, modelId, requestHash, amount, expires };
  }

  /** An address as the chain writes it: bech32 may come in capitals. */
  #canonical(text: string): string {
    const { addresses } = this.#ports;
    return addresses.toText(addresses.toBytes(text));
  }

  /** Takes the money aside. @throws StateError (sdk 5) when the payer has too little */
  open(context: Context, plan: HoldPlan): Hold {
    const hold: Hold = { ...plan, id: this.#state.holdSequence.next(context) + 1n };
    context.gas.consume(RETURN_GAS, 'return hold');
    const from = this.#ports.addresses.toBytes(hold.payer);
    this.#ports.bank.sendToModule(context, { from, module: STORE_NAME, coins: [parseCoin(hold.amount)] });
    this.insert(context, hold);
    context.emit(holdOpened(hold));
    return hold;
  }

  /** Writes a hold, its indexes and its place in the queue. */
  insert(context: Context, hold: Hold): void {
    this.#state.holds.replace(context, hold.id, undefined, hold);
    this.#state.holdExpiries.add(context, [hold.expires, hold.id]);
  }

  /**
   * A hold of a payee.
   * @throws StateError (payments 17, 19)
   */
  requireOf(context: ReadContext, id: bigint, payee: string): Hold {
    const hold = this.require(context, id);
    const { addresses } = this.#ports;
    if (!equalBytes(addresses.toBytes(hold.payee), addresses.toBytes(payee)))
      throw new StateError(paymentErrors.notPayee, `hold ${id} is for ${hold.payee}`);
    return hold;
  }

  /** @throws StateError (payments 19) */
  require(context: ReadContext, id: bigint): Hold {
    const hold = this.find(context, id);
    if (hold !== undefined) return hold;
    throw new StateError(
      paymentErrors.unknownHold,
      `there is no hold ${id}: it was captured, voided or has expired, or never was`,
    );
  }

  /** @throws StateError (payments 20) when it is too late to capture it */
  requireOpen(context: ReadContext, { id, expires }: Hold): void {
    const now = context.block.time.seconds;
    if (now >= expires)
      throw new StateError(
        paymentErrors.holdExpired,
        `hold ${id} expired at ${expires}, the block's time is ${now}`,
      );
  }

  /** @throws StateError (payments 21) when it may still be captured */
  requireExpired(context: ReadContext, { id, expires }: Hold): void {
    const now = context.block.time.seconds;
    if (now < expires)
      throw new StateError(
        paymentErrors.holdNotExpired,
        `hold ${id} expires at ${expires}, the block's time is ${now}`,
      );
  }

  /** Forgets a hold; its money stays where it is. */
  close(context: Context, hold: Hold): void {
    this.#state.holdExpiries.remove(context, [hold.expires, hold.id]);
    this.#state.holds.remove(context, hold.id);
  }

  /** Gives a part of a closed hold back to its payer, in a transaction. */
  returnRest(context: Context, hold: Hold, rest: Coin): void {
    this.#return(context, this.#ports.bank, hold, rest);
  }

  #return(context: Context, bank: BankTransfer, hold: Hold, rest: Coin): void {
    if (rest.amount === 0n) return;
    const from = moduleAddress(STORE_NAME);
    const to = this.#ports.addresses.toBytes(hold.payer);
    bank.send(context, { from, to, coins: [rest] });
  }

  /** Ends a hold without payment, in a transaction. */
  giveBack(context: Context, hold: Hold, reason: 'voided' | 'expired'): void {
    this.#giveBack(context, this.#ports.bank, hold, reason);
  }

  #giveBack(context: Context, bank: BankTransfer, hold: Hold, reason: 'voided' | 'expired'): void {
    this.close(context, hold);
    this.#return(context, bank, hold, parseCoin(hold.amount));
    context.emit(holdReturned(hold, reason));
  }

  /** Returns holds that have expired, the oldest first, at the end of a block. */
  expire(context: Context): void {
    const now = context.block.time.seconds;
    const ids: bigint[] = [];
    for (const [expires, id] of this.#state.holdExpiries.iterate(context)) {
      if (expires > now || ids.length >= HOLDS_RETURNED_PER_BLOCK_MAX) break;
      ids.push(id);
    }
    const bank = this.#ports.bank.owed;
    for (const id of ids) this.#giveBack(context, bank, this.#state.holds.require(context, id), 'expired');
  }
}
