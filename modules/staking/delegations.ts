/** Delegating, and taking shares back. */
import { Decimal } from '../../core/decimal.ts';
import { equalBytes } from '../../core/bytes.ts';
import type { Address } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { stakingErrors } from './errors.ts';
import { bondCoins, moveTokens, poolOf, requirePower } from './pools.ts';
import type { StakingCore } from './ports.ts';
import { hasNoRate, sharesOfTokens, tokensOfShares } from './shares.ts';
import { addTokens, jailValidator, removeShares, removeValidator, requireValidator } from './validators.ts';
import type { BondStatus, Delegation, DelegationPair, Validator } from './types.ts';

/** A delegation to be made. */
export interface DelegationOrder {
  readonly delegator: Address;
  readonly validator: Validator;
  readonly tokens: bigint;
  /** Where the tokens are: with the account, or in the pool of a status. */
  readonly source: 'account' | BondStatus;
}

/** The delegation of a pair. */
export function findDelegation(
  k: StakingCore,
  context: ReadContext,
  { delegator, validator }: DelegationPair,
): Delegation | undefined {
  return k.state.delegations.get(context, [delegator, validator]);
}

/** Writes a delegation with its index. */
export function setDelegation(k: StakingCore, context: Context, delegation: Delegation): void {
  const { delegator, validator } = delegation;
  k.state.delegations.set(context, [delegator, validator], delegation);
  k.state.delegationIndex.add(context, [validator, delegator]);
}

/**
 * Gives a validator tokens for shares of its delegator.
 * @returns the new shares
 * @throws StateError (staking 34) when a slash left the validator without tokens, (sdk 5) when the account
 * has too little, (sdk 18) when there would be more power than consensus takes
 */
export function delegate(k: StakingCore, context: Context, order: DelegationOrder): Decimal {
  const { delegator, validator, tokens, source } = order;
  if (hasNoRate(validator)) throw new StateError(stakingErrors.exRateInvalid);
  const pair = { delegator, validator: validator.operator };
  const before = findDelegation(k, context, pair);
  if (before === undefined) k.hooks.beforeDelegationCreated(context, pair);
  else k.hooks.beforeDelegationSharesModified(context, pair);
  if (source === 'account') {
    const module = poolOf(validator.status);
    k.bank.delegate(context, { from: delegator, module, coins: bondCoins(k, context, tokens) });
    requirePower(k, context);
  } else moveTokens(k, context, { from: source, to: validator.status, tokens });
  const { issued } = addTokens(k, context, { to: validator, tokens });
  const shares = (before?.shares ?? Decimal.ZERO).add(issued);
  // Tokens below 10^-18 of a share make none. Such a delegation would be an empty one.
  if (shares.sign === 0) throw new StateError(stakingErrors.insufficientShares);
  setDelegation(k, context, { ...pair, shares });
  k.hooks.afterDelegationModified(context, pair);
  return issued;
}

/**
 * Takes shares of a delegation; the tokens stay in the validator's pool for the caller.
 * @returns their tokens, rounded down
 * @throws StateError (staking 21, 24) when there are not as many shares
 */
export function unbond(
  k: StakingCore,
  context: Context,
  order: DelegationPair & { readonly shares: Decimal },
): bigint {
  const pair = { delegator: order.delegator, validator: order.validator };
  const delegation = findDelegation(k, context, pair);
  if (delegation === undefined) throw new StateError(stakingErrors.noDelegatorForAddress);
  k.hooks.beforeDelegationSharesModified(context, pair);
  if (delegation.shares.lessThan(order.shares))
    throw new StateError(stakingErrors.notEnoughDelegationShares, delegation.shares.toString());
  const validator = requireValidator(k, context, order.validator);
  const shares = delegation.shares.subtract(order.shares);
  const leavesTooLittle =
    equalBytes(order.delegator, order.validator) &&
    !validator.jailed &&
    tokensOfShares(validator, shares).truncate() < validator.minSelfDelegation;
  const from = leavesTooLittle ? jailValidator(k, context, validator) : validator;
  if (shares.sign === 0) removeDelegation(k, context, pair);
  else {
    setDelegation(k, context, { ...pair, shares });
    k.hooks.afterDelegationModified(context, pair);
  }
  const { validator: after, issued } = removeShares(k, context, { from, shares: order.shares });
  // One that is not unbonded yet is removed when its unbonding is over.
  if (after.shares.sign === 0 && after.status === 'unbonded') removeValidator(k, context, after);
  return issued;
}

function removeDelegation(k: StakingCore, context: Context, pair: DelegationPair): void {
  const { delegator, validator } = pair;
  k.hooks.beforeDelegationRemoved(context, pair);
  k.state.delegations.remove(context, [delegator, validator]);
  k.state.delegationIndex.remove(context, [validator, delegator]);
}

/**
 * Shares that make so many tokens, at most all of the delegation's.
 * @throws StateError (staking 3, 19, 22; sdk 18) when there is no such validator or delegation, or too little
 */
export function sharesToUnbond(
  k: StakingCore,
  context: ReadContext,
  order: DelegationPair & { readonly tokens: bigint },
): Decimal {
  const validator = requireValidator(k, context, order.validator);
  const delegation = findDelegation(k, context, order);
  if (delegation === undefined) throw new StateError(stakingErrors.noDelegation);
  const shares = sharesOfTokens(validator, order.tokens);
  if (shares.greaterThan(delegation.shares))
    throw new StateError(sdkErrors.invalidRequest, 'invalid shares amount');
  return shares;
}
