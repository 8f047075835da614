import { addCoins, type Coins, coinsToString, equalCoins, NO_COINS } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import type { BankState } from './state.ts';

/**
 * What must hold of balances after every block. They walk over everything: for tests, simulation and
 * `inspect`.
 */
export function bankInvariants(state: BankState): readonly Invariant[] {
  return [
    { name: 'positive-balances', check: (context) => checkPositive(state, context) },
    { name: 'total-supply', check: (context) => checkSupply(state, context) },
    { name: 'holder-index', check: (context) => checkHolders(state, context) },
  ];
}

function checkPositive(state: BankState, context: ReadContext): string | undefined {
  for (const [[, denom], amount] of state.balances.iterate(context))
    if (amount <= 0n) return `a balance of ${denom} is ${amount}`;
  return undefined;
}

function checkSupply(state: BankState, context: ReadContext): string | undefined {
  let held: Coins = NO_COINS;
  for (const [[, denom], amount] of state.balances.iterate(context))
    held = addCoins(held, [{ denom, amount }]);
  const supply = [...state.supply.iterate(context)].map(([denom, amount]) => ({ denom, amount }));
  return equalCoins(held, supply)
    ? undefined
    : `balances add up to ${coinsToString(held)}, the supply is ${coinsToString(supply)}`;
}

function checkHolders(state: BankState, context: ReadContext): string | undefined {
  let entries = 0;
  for (const [denom, address] of state.holders.entries.iterate(context)) {
    if (!state.balances.has(context, [address, denom]))
      return `the index names a holder of ${denom} who has none`;
    entries++;
  }
  const balances = [...state.balances.iterate(context)].length;
  return entries === balances ? undefined : `${balances} balances, ${entries} index entries`;
}
