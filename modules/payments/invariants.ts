import { equalBytes } from '../../core/bytes.ts';
import { addCoins, amountOf, type Coins, NO_COINS, parseCoin, parseCoins } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import { type Receipt, Totals } from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { BankView } from '../bank/types.ts';
import { type SplitParts, sumOfParts } from './fee.ts';
import { addToTotals, emptyTotals, type Payments, splitFromWire } from './keeper.ts';
import { type PaymentState, STORE_NAME } from './state.ts';

interface InvariantPorts {
  readonly payments: Payments;
  readonly state: PaymentState;
  readonly bank: BankView;
}

/**
 * What must hold of payments after every block. They walk over everything: for tests, simulation and
 * `inspect`.
 */
export function paymentInvariants(ports: InvariantPorts): readonly Invariant[] {
  return [
    { name: 'conservation', check: (context) => checkReceipts(ports, context) },
    { name: 'totals', check: (context) => checkTotals(ports, context) },
    { name: 'pools', check: (context) => checkPools(ports, context) },
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

/** What this module's account holds is what pools and escrows say. Anyone may send it more; nobody may take. */
function checkPools({ payments, state, bank }: InvariantPorts, context: ReadContext): string | undefined {
  let pooled: Coins = NO_COINS;
  let escrows = 0;
  for (const [claimId, { receiptId, amount }] of state.escrows.iterate(context)) {
    const payout = state.receipts.get(context, receiptId)?.payouts.find((one) => one.claimId === claimId);
    if (payout?.amount !== amount.amount)
      return `receipt ${receiptId} knows nothing of the escrow of claim ${claimId}`;
    pooled = addCoins(pooled, [parseCoin(amount)]);
    escrows++;
  }
  for (const [id, { payouts }] of state.receipts.iterate(context))
    for (const { claimId } of payouts)
      if (claimId > 0n && escrows-- === 0) return `receipt ${id} waits without an escrow`;
  for (const [, pool] of state.pools.iterate(context)) pooled = addCoins(pooled, parseCoins(pool.balance));
  const held = bank.balances(context, payments.moduleAddress(STORE_NAME));
  const short = pooled.find(({ denom, amount }) => amountOf(held, denom) < amount);
  return short === undefined
    ? undefined
    : `pools and escrows hold ${short.amount}${short.denom}, the module account only ${amountOf(held, short.denom)}`;
}
