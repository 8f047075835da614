/** Records of validators and their place in the index of powers. */
import { assert } from '../../core/errors.ts';
import type { Decimal } from '../../core/decimal.ts';
import { equalBytes } from '../../core/bytes.ts';
import type { Address } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { stakingErrors } from './errors.ts';
import type { StakingCore } from './ports.ts';
import { identityOf, type Issued, potentialPower, withoutShares, withTokens } from './shares.ts';
import type { Validator } from './types.ts';

/** @throws StateError (staking 3) when nobody has that operator address */
export function requireValidator(k: StakingCore, context: ReadContext, operator: Address): Validator {
  const validator = k.state.validators.get(context, operator);
  if (validator === undefined) throw new StateError(stakingErrors.noValidatorFound);
  return validator;
}

/** A validator that state says is there. */
export function knownValidator(k: StakingCore, context: ReadContext, operator: Address): Validator {
  const validator = k.state.validators.get(context, operator);
  assert(validator !== undefined, 'an index of staking names a validator that is not there');
  return validator;
}

/** The validator whose key has that address. */
export function validatorByKey(
  k: StakingCore,
  context: ReadContext,
  consensusAddress: Uint8Array,
): Validator | undefined {
  const operator = k.state.operators.get(context, consensusAddress);
  return operator === undefined ? undefined : k.state.validators.get(context, operator);
}

/** Writes the record alone: neither tokens nor jailing have changed. */
export function setValidator(k: StakingCore, context: Context, validator: Validator): void {
  k.state.validators.set(context, validator.operator, validator);
}

/** Puts a validator into the index of powers, unless it is jailed. */
export function addToPowerIndex(k: StakingCore, context: Context, validator: Validator): void {
  const { operator, jailed } = validator;
  if (!jailed) k.state.powerIndex.set(context, [potentialPower(validator), operator], operator);
}

/** Takes it out; before its tokens change. */
export function removeFromPowerIndex(k: StakingCore, context: Context, validator: Validator): void {
  k.state.powerIndex.remove(context, [potentialPower(validator), validator.operator]);
}

/** A record that was not there before, with all its indexes. */
export function insertValidator(k: StakingCore, context: Context, validator: Validator): void {
  setValidator(k, context, validator);
  k.state.operators.set(context, validator.consensusKey.address, validator.operator);
  addToPowerIndex(k, context, validator);
}

function replaceValidator(k: StakingCore, context: Context, change: ValidatorChange): void {
  removeFromPowerIndex(k, context, change.from);
  setValidator(k, context, change.to);
  addToPowerIndex(k, context, change.to);
}

interface ValidatorChange {
  readonly from: Validator;
  readonly to: Validator;
}

/** Gives a validator tokens, for new shares. */
export function addTokens(
  k: StakingCore,
  context: Context,
  given: { readonly to: Validator; readonly tokens: bigint },
): Issued<Decimal> {
  const result = withTokens(given.to, given.tokens);
  replaceValidator(k, context, { from: given.to, to: result.validator });
  return result;
}

/** Takes shares from a validator, for their tokens. */
export function removeShares(
  k: StakingCore,
  context: Context,
  taken: { readonly from: Validator; readonly shares: Decimal },
): Issued<bigint> {
  const result = withoutShares(taken.from, taken.shares);
  replaceValidator(k, context, { from: taken.from, to: result.validator });
  return result;
}

/** Takes tokens without shares: a slash. */
export function removeTokens(
  k: StakingCore,
  context: Context,
  taken: { readonly from: Validator; readonly tokens: bigint },
): Validator {
  const validator = { ...taken.from, tokens: taken.from.tokens - taken.tokens };
  assert(validator.tokens >= 0n, 'a slash takes more tokens than there are');
  replaceValidator(k, context, { from: taken.from, to: validator });
  return validator;
}

/** Forgets a validator that nobody has anything with. */
export function removeValidator(k: StakingCore, context: Context, validator: Validator): void {
  assert(
    validator.status === 'unbonded' && validator.tokens === 0n,
    'the validator removed still has tokens',
  );
  k.state.validators.remove(context, validator.operator);
  k.state.operators.remove(context, validator.consensusKey.address);
  removeFromPowerIndex(k, context, validator);
  k.hooks.afterValidatorRemoved(context, identityOf(validator));
}

/** Takes a validator out of the index of powers, and so out of the set when the block ends. */
export function jailValidator(k: StakingCore, context: Context, validator: Validator): Validator {
  assert(!validator.jailed, 'the validator is jailed already');
  const jailed = { ...validator, jailed: true };
  setValidator(k, context, jailed);
  removeFromPowerIndex(k, context, jailed);
  return jailed;
}

/** Lets it compete again. */
export function unjailValidator(k: StakingCore, context: Context, validator: Validator): Validator {
  assert(validator.jailed, 'the validator is not jailed');
  const free = { ...validator, jailed: false };
  setValidator(k, context, free);
  addToPowerIndex(k, context, free);
  return free;
}

/** A number for something that unbonds: 1, 2, 3, … */
export function nextUnbondingId(k: StakingCore, context: Context): bigint {
  const id = (k.state.lastUnbondingId.get(context) ?? 0n) + 1n;
  k.state.lastUnbondingId.set(context, id);
  return id;
}

/** Notes when a validator that unbonds is done. */
export function enqueueValidator(k: StakingCore, context: Context, validator: Validator): void {
  const at = [validator.unbondingTime, validator.unbondingHeight] as const;
  const queued = k.state.validatorQueue.get(context, at) ?? [];
  k.state.validatorQueue.set(context, at, [...queued, validator.operator]);
}

/** Forgets that. */
export function dequeueValidator(k: StakingCore, context: Context, validator: Validator): void {
  const at = [validator.unbondingTime, validator.unbondingHeight] as const;
  const queued = k.state.validatorQueue.get(context, at) ?? [];
  const rest = queued.filter((operator) => !equalBytes(operator, validator.operator));
  if (rest.length === 0) k.state.validatorQueue.remove(context, at);
  else k.state.validatorQueue.set(context, at, rest);
}
