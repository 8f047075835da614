import { equalBytes, toHex } from '../../core/bytes.ts';
import {
  addCoins,
  type Coins,
  coinsToString,
  equalCoins,
  NO_COINS,
  parseCoin,
} from '../../framework/coins.ts';
import type { AddressCodec } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import { type Receipt, Totals } from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { BankView } from '../bank/types.ts';
import { isForgotten } from './authorizations.ts';
import { type SplitParts, sumOfParts } from './fee.ts';
import type { Payments } from './keeper.ts';
import { addToTotals, emptyTotals, refundedOf, splitFromWire } from './receipts.ts';
import { type PaymentState, STORE_NAME } from './state.ts';

interface InvariantPorts {
  readonly payments: Payments;
  readonly state: PaymentState;
  readonly bank: BankView;
  readonly addresses: AddressCodec;
}

/**
 * What must hold of payments after every block. They walk over everything: for tests, simulation and
 * `inspect`.
 */
export function paymentInvariants(ports: InvariantPorts): readonly Invariant[] {
  return [
    { name: 'conservation', check: (context) => checkReceipts(ports, context) },
    { name: 'totals', check: (context) => checkTotals(ports, context) },
    { name: 'account', check: (context) => checkAccount(ports, context) },
    { name: 'holds', check: (context) => checkHolds(ports, context) },
    { name: 'nonces', check: (context) => checkNonces(ports, context) },
  ];
}

/** fee = platform + model + stakers + contributors = Σ payouts, party by party, for every receipt. */
function checkReceipts({ state }: InvariantPorts, context: ReadContext): string | undefined {
  for (const [id, receipt] of state.receipts.iterate(context)) {
    const split = splitFromWire(receipt.split);
    if (sumOfParts(split) !== BigInt(receipt.fee.amount)) return `the split of receipt ${id} is not its fee`;
    const paid = paidByParty(receipt);
    for (const part of ['platform', 'model', 'stakers', 'contributors'] as const)
      if (paid[part] !== split[part])
        return `receipt ${id} paid ${paid[part]} to ${part}, not ${split[part]}`;
    if (refundedOf(receipt) > BigInt(receipt.fee.amount)) return `receipt ${id} is refunded above its fee`;
  }
  return undefined;
}

function paidByParty({ payouts }: Receipt): SplitParts {
  const paid = (party: Party): bigint =>
    payouts.reduce((sum, payout) => (payout.party === party ? sum + BigInt(payout.amount) : sum), 0n);
  return {
    platform: paid(Party.PARTY_PLATFORM),
    model: paid(Party.PARTY_MODEL),
    stakers: paid(Party.PARTY_STAKERS),
    contributors: paid(Party.PARTY_CONTRIBUTORS),
  };
}

function checkTotals({ state }: InvariantPorts, context: ReadContext): string | undefined {
  const counted = new Map<string, Totals>();
  for (const [, receipt] of state.receipts.iterate(context)) {
    const { denom } = receipt.fee;
    counted.set(denom, addToTotals(counted.get(denom) ?? emptyTotals(denom), receipt));
  }
  for (const [denom, totals] of state.totals.iterate(context)) {
    const expected = counted.get(denom) ?? emptyTotals(denom);
    if (!equalBytes(Totals.encode(expected), Totals.encode(totals)))
      return `totals of ${denom} do not follow from the receipts`;
  }
  return undefined;
}

/** What this module's account holds is what escrows and holds say, to the unit: nobody may send to it. */
function checkAccount({ payments, state, bank }: InvariantPorts, context: ReadContext): string | undefined {
  let waiting: Coins = NO_COINS;
  let escrows = 0;
  for (const [claimId, { receiptId, amount }] of state.escrows.iterate(context)) {
    const payout = state.receipts.get(context, receiptId)?.payouts.find((one) => one.claimId === claimId);
    if (payout?.amount !== amount.amount)
      return `receipt ${receiptId} knows nothing of the escrow of claim ${claimId}`;
    waiting = addCoins(waiting, [parseCoin(amount)]);
    escrows++;
  }
  for (const [id, { payouts }] of state.receipts.iterate(context))
    for (const { claimId } of payouts)
      if (claimId > 0n && escrows-- === 0) return `receipt ${id} waits without an escrow`;
  for (const [, hold] of state.holds.iterate(context)) waiting = addCoins(waiting, [parseCoin(hold.amount)]);
  const held = bank.balances(context, payments.moduleAddress(STORE_NAME));
  return equalCoins(waiting, held)
    ? undefined
    : `escrows and holds are ${coinsToString(waiting)}, the module account has ${coinsToString(held)}`;
}

/** Each hold waits in the queue for its time, for a request that is not paid; nothing else waits there. */
function checkHolds(
  { payments, state, addresses }: InvariantPorts,
  context: ReadContext,
): string | undefined {
  let waiting = 0;
  for (const [id, { expires, payer, requestHash }] of state.holds.iterate(context)) {
    waiting++;
    if (!state.holdExpiries.has(context, [expires, id])) return `hold ${id} is not in the queue`;
    if (payments.receiptOf(context, addresses.toBytes(payer), requestHash) !== undefined)
      return `hold ${id} is for a request that is paid`;
  }
  const queued = [...state.holdExpiries.iterate(context)].length;
  return queued === waiting ? undefined : `${queued} holds are queued, there are ${waiting}`;
}

/** Each nonce that paid waits in the queue to be forgotten; nothing else waits there. */
function checkNonces({ state }: InvariantPorts, context: ReadContext): string | undefined {
  let used = 0;
  for (const [[from, nonce], { validBefore, state: what }] of state.nonces.iterate(context)) {
    if (!isForgotten(what)) continue;
    used++;
    if (!state.nonceExpiries.has(context, [validBefore, from, nonce]))
      return `nonce ${toHex(nonce)} is not in the queue`;
  }
  const queued = [...state.nonceExpiries.iterate(context)].length;
  return queued === used ? undefined : `${queued} nonces are queued, ${used} have paid`;
}
