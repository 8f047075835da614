/** The two module accounts that hold staked coins: those of bonded validators, and all others. */
import { Decimal } from '../../core/decimal.ts';
import { moduleAddress } from '../../framework/address.ts';
import { type Coins, NO_COINS } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { StakingCore } from './ports.ts';
import { type BondStatus, POWER_REDUCTION } from './types.ts';

/** Holds the tokens of bonded validators. */
export const BONDED_POOL = 'bonded_tokens_pool';

/** Holds the tokens of all other validators, and what is being taken back. */
export const NOT_BONDED_POOL = 'not_bonded_tokens_pool';

const BONDED_ADDRESS = moduleAddress(BONDED_POOL);
const NOT_BONDED_ADDRESS = moduleAddress(NOT_BONDED_POOL);

/** Largest total power that consensus takes: CometBFT's `MaxTotalVotingPower`, 2^63 / 8. */
const TOTAL_POWER_MAX = ((1n << 63n) - 1n) / 8n;

/** Where the tokens of a validator lie. */
export function poolOf(status: BondStatus): string {
  return status === 'bonded' ? BONDED_POOL : NOT_BONDED_POOL;
}

/** So many tokens, none of them when there are none. */
export function bondCoins(k: StakingCore, context: ReadContext, tokens: bigint): Coins {
  return tokens === 0n ? NO_COINS : [{ denom: bondDenom(k, context), amount: tokens }];
}

/** Denomination that is staked. */
export function bondDenom(k: StakingCore, context: ReadContext): string {
  return k.state.params.require(context).bondDenom;
}

/** Moves tokens between the pools; nothing when they are the same. */
export function moveTokens(
  k: StakingCore,
  context: Context,
  move: { readonly from: BondStatus; readonly to: BondStatus; readonly tokens: bigint },
): void {
  const [from, to] = [poolOf(move.from), poolOf(move.to)];
  if (from !== to)
    k.bank.sendBetweenModules(context, { from, to, coins: bondCoins(k, context, move.tokens) });
}

/** Burns tokens of a pool. */
export function burnTokens(k: StakingCore, context: Context, burned: StakedTokens): void {
  if (burned.tokens > 0n)
    k.bank.burn(context, { module: poolOf(burned.status), coins: bondCoins(k, context, burned.tokens) });
}

/** Tokens in the pool of a status. */
export interface StakedTokens {
  readonly status: BondStatus;
  readonly tokens: bigint;
}

/** Tokens in both pools. */
export function poolTokens(
  k: StakingCore,
  context: ReadContext,
): { readonly bonded: bigint; readonly notBonded: bigint } {
  const denom = bondDenom(k, context);
  return {
    bonded: k.bank.balance(context, BONDED_ADDRESS, denom),
    notBonded: k.bank.balance(context, NOT_BONDED_ADDRESS, denom),
  };
}

/** Part of the supply that is bonded; 0 when there is no supply. */
export function bondedRatio(k: StakingCore, context: ReadContext): Decimal {
  const supply = k.bank.supply(context, bondDenom(k, context));
  if (supply <= 0n) return Decimal.ZERO;
  return Decimal.ofInteger(poolTokens(k, context).bonded).divideInteger(supply);
}

/**
 * All power is made of tokens in the pools, and only delegating adds to them. So when this passes after each
 * delegation, no block can end with more power than consensus takes.
 * @throws StateError (sdk 18)
 */
export function requirePower(k: StakingCore, context: ReadContext): void {
  const { bonded, notBonded } = poolTokens(k, context);
  if ((bonded + notBonded) / POWER_REDUCTION > TOTAL_POWER_MAX)
    throw new StateError(
      sdkErrors.invalidRequest,
      `staked tokens would make more voting power than ${TOTAL_POWER_MAX}`,
    );
}
