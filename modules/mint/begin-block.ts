/** New coins, before the rewards of the last block are shared out. */
import type { Coins } from '../../framework/coins.ts';
import { NO_COINS } from '../../framework/coins.ts';
import type { Context } from '../../framework/context.ts';
import { minted } from './events.ts';
import { blockProvision, INITIAL_MINTER, nextInflation } from './minter.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { MintCore } from './ports.ts';
import { STORE_NAME } from './state.ts';
import type { Minter, MintParams } from './types.ts';

/**
 * Supply of the minted denomination beyond which nothing is made: 2^128. Parameters that double a supply each
 * block would else take it out of 256 bits, and stop the chain, within minutes.
 */
export const SUPPLY_MAX: bigint = 1n << 128n;

/** Reckons inflation anew and makes a block's part of a year's coins, for the fee collector. */
export function beginBlock(k: MintCore, context: Context): void {
  const before = k.state.minter.get(context) ?? INITIAL_MINTER;
  const params = k.state.params.get(context) ?? DEFAULT_PARAMS;
  const supply = k.bank.supply(context, k.staking.params(context).bondDenom);
  const bondedRatio = k.staking.bondedRatio(context);
  const inflation = nextInflation(before, params, bondedRatio);
  const minter: Minter = { inflation, annualProvisions: inflation.multiplyInteger(supply) };
  k.state.minter.set(context, minter);
  const coins = newCoins(k, context, { minter, params });
  if (coins.length > 0) k.bank.mint(context, { module: STORE_NAME, coins });
  k.bank.sendBetweenModules(context, { from: STORE_NAME, to: k.feeCollector, coins });
  context.emit(minted({ bondedRatio, minter, amount: coins[0]?.amount ?? 0n }));
}

function newCoins(
  k: MintCore,
  context: Context,
  { minter, params }: { readonly minter: Minter; readonly params: MintParams },
): Coins {
  const denom = params.mintDenom;
  const room = SUPPLY_MAX - k.bank.supply(context, denom);
  const wanted = blockProvision(minter, params);
  const amount = wanted < room ? wanted : room;
  return amount > 0n ? [{ denom, amount }] : NO_COINS;
}
