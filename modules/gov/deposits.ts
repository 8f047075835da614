/** Deposits on proposals: taking, giving back, burning. After x/gov `keeper/deposit.go`. */
import { Decimal } from '../../core/decimal.ts';
import { type Address, moduleAddress } from '../../framework/address.ts';
import {
  addCoins,
  amountOf,
  type Coin,
  type Coins,
  coinsCover,
  coinsToString,
  coinsToWire,
  coinToString,
  NO_COINS,
  parseCoins,
} from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { type Params, type Proposal, ProposalStatus } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { govErrors, noSuchProposal } from './errors.ts';
import { deposited } from './events.ts';
import { coinsOfWire, minDepositOf } from './params.ts';
import type { GovCore } from './ports.ts';
import { activateVoting, setProposal } from './proposals.ts';
import { byProposalKey, STORE_NAME } from './state.ts';

const GOV_ADDRESS = moduleAddress(STORE_NAME);

/** Coins on a proposal. */
export interface DepositOrder {
  readonly proposalId: bigint;
  readonly depositor: Address;
  readonly coins: Coins;
}

/** A deposit that may be made. */
export interface DepositPlan extends DepositOrder {
  readonly proposal: Proposal;
  readonly params: Params;
}

/**
 * Whether a deposit may be made.
 * @throws StateError (gov 3, 16, 23; undefined 1)
 */
export function planDeposit(k: GovCore, context: ReadContext, order: DepositOrder): DepositPlan {
  const proposal = k.state.proposals.get(context, order.proposalId);
  if (proposal === undefined) throw noSuchProposal(order.proposalId);
  const { status } = proposal;
  if (
    status !== ProposalStatus.PROPOSAL_STATUS_DEPOSIT_PERIOD &&
    status !== ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD
  )
    throw new StateError(govErrors.inactiveProposal, `${order.proposalId}`);
  const params = k.state.params.require(context);
  requireAcceptedDenoms(params, order.coins);
  requireLeastPart(proposal, params, order.coins);
  return { ...order, proposal, params };
}

/** @throws StateError (gov 23) */
export function requireAcceptedDenoms({ minDeposit }: Params, coins: Coins): void {
  const denoms = minDeposit.map(({ denom }) => denom);
  if (coins.some(({ denom }) => !denoms.includes(denom)))
    throw new StateError(
      govErrors.invalidDepositDenom,
      `deposited ${coinsToString(coins)}, but gov accepts only the following denom(s): [${denoms.join(' ')}]`,
    );
}

/** A deposit is at least a part of what is needed, in one denomination. @throws StateError (gov 16) */
function requireLeastPart(proposal: Proposal, params: Params, coins: Coins): void {
  const ratio = Decimal.ofText(params.minDepositRatio);
  if (ratio.sign === 0) return;
  const least = minDepositOf(proposal, params).map(({ denom, amount }) => ({
    denom,
    amount: Decimal.ofInteger(amount).multiply(ratio).truncate(),
  }));
  const isMet = (one: Coin): boolean =>
    coins.some(({ denom }) => denom === one.denom) && amountOf(coins, one.denom) >= one.amount;
  if (least.some(isMet)) return;
  const needed = least.map(coinToString).join(',');
  throw new StateError(
    govErrors.minDepositTooSmall,
    `received ${coinsToString(coins)} but need at least one of the following: ${needed}`,
  );
}

/**
 * Makes a deposit; voting begins when it is enough.
 * @returns whether voting began
 * @throws StateError (sdk 5) when the depositor has too little
 */
export function addDeposit(k: GovCore, context: Context, plan: DepositPlan): boolean {
  const { proposalId, depositor, coins, params } = plan;
  k.bank.sendToModule(context, { from: depositor, module: STORE_NAME, coins });
  const total = addCoins(coinsOfWire(plan.proposal.totalDeposit), coins);
  const proposal = { ...plan.proposal, totalDeposit: coinsToWire(total) };
  setProposal(k, context, proposal);
  const begins =
    proposal.status === ProposalStatus.PROPOSAL_STATUS_DEPOSIT_PERIOD &&
    coinsCover(total, minDepositOf(proposal, params));
  if (begins) activateVoting(k, context, proposal);
  const before = k.state.deposits.get(context, [proposalId, depositor]);
  const text = k.addresses.toText(depositor);
  context.emit(deposited(proposalId, text, coins));
  k.state.deposits.set(context, [proposalId, depositor], {
    proposalId,
    depositor: text,
    amount: coinsToWire(addCoins(coinsOfWire(before?.amount ?? []), coins)),
  });
  return begins;
}

/** A deposit with whoever made it. */
interface HeldDeposit {
  readonly depositor: Address;
  readonly coins: Coins;
}

/** Takes the deposits of a proposal out of state; the coins stay with the module. */
function takeDeposits(k: GovCore, context: Context, proposalId: bigint): readonly HeldDeposit[] {
  const range = { prefix: byProposalKey.prefix(proposalId) };
  return [...k.state.deposits.iterate(context, range)].map(([key, { amount }]) => {
    k.state.deposits.remove(context, key);
    return { depositor: key[1], coins: parseCoins(amount) };
  });
}

/**
 * Gives all deposits back, also to accounts that users must not send to: a refund cannot fail.
 * @returns how many there were
 */
export function refundDeposits(k: GovCore, context: Context, proposalId: bigint): number {
  const deposits = takeDeposits(k, context, proposalId);
  for (const { depositor, coins } of deposits) refund(k, context, depositor, coins);
  return deposits.length;
}

function refund(k: GovCore, context: Context, to: Address, due: Coins): void {
  const coins = available(k, context, due);
  if (coins.length > 0) k.bank.send(context, { from: GOV_ADDRESS, to, coins });
}

/** At most what is there: proposals may have spent from the module's account, or granted that to others. */
function available(k: GovCore, context: ReadContext, coins: Coins): Coins {
  return coins
    .map(({ denom, amount }) => {
      const balance = k.bank.balance(context, GOV_ADDRESS, denom);
      return { denom, amount: balance < amount ? balance : amount };
    })
    .filter(isPositive);
}

/** Burns all deposits. @returns how many there were */
export function burnDeposits(k: GovCore, context: Context, proposalId: bigint): number {
  const deposits = takeDeposits(k, context, proposalId);
  const due = deposits.reduce<Coins>((sum, held) => addCoins(sum, held.coins), NO_COINS);
  const coins = available(k, context, due);
  if (coins.length > 0) k.bank.burn(context, { module: STORE_NAME, coins });
  return deposits.length;
}

/**
 * Keeps a part of all deposits, for whom the parameters name, and gives the rest back.
 * @throws StateError (sdk 4) when that account must not be sent to
 */
export function chargeDeposits(
  k: GovCore,
  context: Context,
  proposalId: bigint,
  { proposalCancelDest, proposalCancelRatio }: Params,
): void {
  const ratio = Decimal.ofText(proposalCancelRatio);
  let charged = NO_COINS;
  for (const { depositor, coins } of takeDeposits(k, context, proposalId)) {
    const kept = coins.map(({ denom, amount }) => ({
      denom,
      amount: Decimal.ofInteger(amount).multiply(ratio).truncate(),
    }));
    const rest = coins.map(({ denom, amount }) => ({ denom, amount: amount - amountOf(kept, denom) }));
    charged = addCoins(charged, kept.filter(isPositive));
    refund(k, context, depositor, rest.filter(isPositive));
  }
  if (charged.length === 0) return;
  if (proposalCancelDest === '') k.bank.burn(context, { module: STORE_NAME, coins: charged });
  else if (proposalCancelDest === k.addresses.toText(moduleAddress(k.distribution.communityPoolAccount)))
    k.distribution.fundCommunityPool(context, { from: GOV_ADDRESS, coins: charged });
  else {
    const to = k.addresses.toBytes(proposalCancelDest);
    k.bank.sendFromModule(context, { module: STORE_NAME, to, coins: charged });
  }
}

function isPositive({ amount }: Coin): boolean {
  return amount > 0n;
}
