import { toHex } from '../../core/bytes.ts';
import { Decimal } from '../../core/decimal.ts';
import { type Address, latin1, moduleAddress } from '../../framework/address.ts';
import { coinsToString, equalCoins } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import {
  addDecCoins,
  type DecCoins,
  decAmountOf,
  decCoinsToString,
  NO_DEC_COINS,
  truncateDecCoins,
} from '../../framework/dec-coins.ts';
import type { Invariant } from '../../framework/module.ts';
import { communityPool } from './community-pool.ts';
import { pendingRewards } from './delegations.ts';
import { outstandingOf } from './periods.ts';
import type { DistributionCore } from './ports.ts';
import { countReferences } from './references.ts';
import { STORE_NAME } from './state.ts';

/**
 * What must hold of distribution after every block. They walk over everything: for tests, simulation and
 * `inspect`.
 */
export function distributionInvariants(k: DistributionCore): readonly Invariant[] {
  return [
    { name: 'nonnegative-outstanding', check: (context) => checkOutstanding(k, context) },
    { name: 'can-withdraw', check: (context) => checkOwed(k, context) },
    { name: 'reference-count', check: (context) => checkReferences(k, context) },
    { name: 'module-account', check: (context) => checkAccount(k, context) },
  ];
}

function checkOutstanding(k: DistributionCore, context: ReadContext): string | undefined {
  for (const [operator, coins] of k.state.outstanding.iterate(context))
    if (coins.some(({ amount }) => amount.sign < 0))
      return `validator ${toHex(operator)} has outstanding ${decCoinsToString(coins)}`;
  return undefined;
}

/** Commission and what all delegations could withdraw now are covered, up to parts of a base unit. */
function checkOwed(k: DistributionCore, context: ReadContext): string | undefined {
  const owed = new Map<string, DecCoins>();
  const add = (operator: Address, coins: DecCoins): void => {
    const key = latin1(operator);
    owed.set(key, addDecCoins(owed.get(key) ?? NO_DEC_COINS, coins));
  };
  for (const [operator, commission] of k.state.commissions.iterate(context)) add(operator, commission);
  for (const delegation of k.staking.delegations(context)) {
    const validator = k.staking.validator(context, delegation.validator);
    if (validator === undefined) return 'there is a delegation to a validator that is not there';
    add(validator.operator, pendingRewards(k, context, { validator, delegation }));
  }
  for (const { operator } of k.staking.validators(context)) {
    const outstanding = outstandingOf(k, context, operator);
    for (const { denom, amount } of owed.get(latin1(operator)) ?? NO_DEC_COINS)
      if (!amount.subtract(decAmountOf(outstanding, denom)).lessThan(Decimal.ONE))
        return `validator ${toHex(operator)} owes ${amount}${denom} of ${decCoinsToString(outstanding)}`;
  }
  return undefined;
}

function checkReferences({ state, staking }: DistributionCore, context: ReadContext): string | undefined {
  const starting = [...state.startingInfos.iterate(context)];
  const counts = countReferences({
    current: state.current.iterate(context),
    starting: starting.map(([[operator], info]) => [operator, info]),
    slashes: [...state.slashes.iterate(context)].map(([[operator], slash]) => [operator, slash]),
  });
  for (const [[operator, period], { referenceCount }] of state.historical.iterate(context)) {
    const counted = counts.take(operator, period);
    if (counted !== referenceCount)
      return `period ${period} of ${toHex(operator)} has count ${referenceCount}, ${counted} refer to it`;
  }
  if (counts.rest > 0) return `${counts.rest} periods that something refers to are not there`;
  for (const { operator } of staking.validators(context))
    if (state.current.get(context, operator) === undefined)
      return `validator ${toHex(operator)} has no current rewards`;
  let delegations = 0;
  for (const { delegator, validator } of staking.delegations(context)) {
    delegations++;
    if (!state.startingInfos.has(context, [validator, delegator]))
      return `the delegation of ${toHex(delegator)} to ${toHex(validator)} has no beginning`;
  }
  return delegations === starting.length
    ? undefined
    : `${delegations} delegations, ${starting.length} beginnings`;
}

function checkAccount(k: DistributionCore, context: ReadContext): string | undefined {
  let sum = communityPool(k, context);
  for (const [, coins] of k.state.outstanding.iterate(context)) sum = addDecCoins(sum, coins);
  const { whole } = truncateDecCoins(sum);
  const balances = k.bank.balances(context, moduleAddress(STORE_NAME));
  return equalCoins(balances, whole)
    ? undefined
    : `the account holds ${coinsToString(balances)}, not ${coinsToString(whole)}`;
}
