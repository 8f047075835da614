/** Becoming a validator, and changing what one says of oneself. */
import { utf8 } from '../../core/bytes.ts';
import { Decimal } from '../../core/decimal.ts';
import { addDuration, compareInstants } from '../../core/time.ts';
import type { Address } from '../../framework/address.ts';
import type { Coin } from '../../framework/coins.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import type { MessageHandler } from '../../framework/message.ts';
import { type SingleKey, singleKeyOf } from '../../framework/tx/public-key.ts';
import type * as staking from '../../proto/gen/cosmos/staking/v1beta1/staking.ts';
import * as wire from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { delegate } from './delegations.ts';
import { stakingErrors } from './errors.ts';
import { createdValidator, editedValidator } from './events.ts';
import { amountOrZero, decimalOf, invalidRequest, operatorOf, positiveCoin } from './fields.ts';
import { bondDenom } from './pools.ts';
import type { StakingCore } from './ports.ts';
import type { Commission, CommissionRates, Description, Validator } from './types.ts';
import { insertValidator, requireValidator, setValidator, validatorByKey } from './validators.ts';

/** Largest descriptions, in bytes of UTF-8. */
const DESCRIPTION_BYTES_MAX = [
  ['moniker', 'moniker', 70],
  ['identity', 'identity', 3000],
  ['website', 'website', 140],
  ['securityContact', 'security contact', 140],
  ['details', 'details', 280],
] as const;

/** What stands for "as it is" in an edited description. */
const DO_NOT_MODIFY = '[do-not-modify]';

const DAY = { seconds: 86_400n, nanos: 0 } as const;
const EPOCH: Timestamp = { seconds: 0n, nanos: 0 };

interface CreatePlan {
  readonly operator: Address;
  readonly key: SingleKey;
  readonly value: Coin;
  readonly description: Description;
  readonly rates: CommissionRates;
  readonly minSelfDelegation: bigint;
}

/** The handler of MsgCreateValidator. Its signer is the operator. */
export function msgCreateValidator(
  k: StakingCore,
): MessageHandler<wire.MsgCreateValidator, wire.MsgCreateValidatorResponse, CreatePlan> {
  return {
    type: wire.MsgCreateValidator,
    response: wire.MsgCreateValidatorResponse,
    signers: (message) => [signerOf(k, message.validatorAddress)],
    validate: (message) => void planCreate(k, message),
    check(context, message) {
      const planned = planCreate(k, message);
      checkCreate(k, context, planned);
      return planned;
    },
    execute(context, message, planned) {
      createValidator(k, context, planned);
      context.emit(createdValidator(message.validatorAddress, planned.value));
      return {};
    },
  };
}

/** Text of the account whose bytes the operator's address has. */
function signerOf({ addresses }: StakingCore, operator: string): string {
  return addresses.accounts.toText(operatorOf(addresses, operator, 'validator'));
}

function planCreate({ addresses }: StakingCore, message: wire.MsgCreateValidator): CreatePlan {
  const operator = operatorOf(addresses, message.validatorAddress, 'validator');
  if (message.pubkey === undefined) throw new StateError(stakingErrors.emptyValidatorPubKey);
  const key = singleKeyOf(message.pubkey);
  const value = positiveCoin(message.value, 'invalid delegation amount');
  if (isEmpty(message.description)) throw invalidRequest('empty description');
  const rates = ratesOf(message.commission);
  const minSelfDelegation = amountOrZero(message.minSelfDelegation);
  if (minSelfDelegation <= 0n) throw invalidRequest('minimum self delegation must be a positive integer');
  if (value.amount < minSelfDelegation) throw new StateError(stakingErrors.selfDelegationBelowMinimum);
  return { operator, key, value, description: message.description, rates, minSelfDelegation };
}

function checkCreate(k: StakingCore, context: ReadContext, planned: CreatePlan): void {
  const { operator, key, value, rates, description } = planned;
  // Transactions of the genesis document make the first validators.
  const isGenesis = context.block.height === 0n;
  if (!isGenesis && k.state.lastTotalPower.get(context) === undefined)
    throw invalidRequest('the validators of this chain are fixed by its genesis document');
  const { minCommissionRate } = k.state.params.require(context);
  if (rates.rate.lessThan(minCommissionRate))
    throw new StateError(
      stakingErrors.commissionLtMinRate,
      `cannot set validator commission to less than minimum rate of ${minCommissionRate}`,
    );
  if (k.state.validators.has(context, operator)) throw new StateError(stakingErrors.ownerExists);
  if (validatorByKey(k, context, key.address) !== undefined) throw new StateError(stakingErrors.pubKeyExists);
  const expected = bondDenom(k, context);
  if (value.denom !== expected)
    throw invalidRequest(`invalid coin denomination: got ${value.denom}, expected ${expected}`);
  requireLengths(description);
  const kinds = k.consensus.params(context).validator?.pubKeyTypes ?? [];
  if (!kinds.includes(key.kind))
    throw new StateError(
      stakingErrors.pubKeyTypeNotSupported,
      `got: ${key.kind}, expected: [${kinds.join(' ')}]`,
    );
}

function createValidator(k: StakingCore, context: Context, planned: CreatePlan): void {
  const { operator, value, rates } = planned;
  const validator: Validator = {
    operator,
    consensusKey: planned.key,
    jailed: false,
    status: 'unbonded',
    tokens: 0n,
    shares: Decimal.ZERO,
    description: planned.description,
    unbondingHeight: 0n,
    unbondingTime: EPOCH,
    commission: { ...rates, updateTime: context.block.time },
    minSelfDelegation: planned.minSelfDelegation,
    unbondingIds: [],
  };
  insertValidator(k, context, validator);
  k.hooks.afterValidatorCreated(context, operator);
  delegate(k, context, { delegator: operator, validator, tokens: value.amount, source: 'account' });
}

function ratesOf(held: staking.CommissionRates): CommissionRates {
  if (held.rate === '' && held.maxRate === '' && held.maxChangeRate === '')
    throw invalidRequest('empty commission');
  const rates = {
    rate: decimalOf(held.rate, 'commission rate'),
    maxRate: decimalOf(held.maxRate, 'commission max rate'),
    maxChangeRate: decimalOf(held.maxChangeRate, 'commission max change rate'),
  };
  validateRates(rates);
  return rates;
}

/** @throws StateError (staking 9 to 14) when the rates contradict each other */
export function validateRates({ rate, maxRate, maxChangeRate }: CommissionRates): void {
  if (maxRate.sign < 0) throw new StateError(stakingErrors.commissionNegative);
  if (maxRate.greaterThan(Decimal.ONE)) throw new StateError(stakingErrors.commissionHuge);
  if (rate.sign < 0) throw new StateError(stakingErrors.commissionNegative);
  if (rate.greaterThan(maxRate)) throw new StateError(stakingErrors.commissionGtMaxRate);
  if (maxChangeRate.sign < 0) throw new StateError(stakingErrors.commissionChangeRateNegative);
  if (maxChangeRate.greaterThan(maxRate)) throw new StateError(stakingErrors.commissionChangeRateGtMaxRate);
}

interface EditPlan {
  readonly operator: Address;
  readonly rate: Decimal | undefined;
  readonly minSelfDelegation: bigint | undefined;
}

/** The handler of MsgEditValidator. */
export function msgEditValidator(
  k: StakingCore,
): MessageHandler<wire.MsgEditValidator, wire.MsgEditValidatorResponse, EditedValidator> {
  return {
    type: wire.MsgEditValidator,
    response: wire.MsgEditValidatorResponse,
    signers: (message) => [signerOf(k, message.validatorAddress)],
    validate: (message) => void planEdit(k, message),
    check(context, message) {
      const planned = planEdit(k, message);
      const { minCommissionRate } = k.state.params.require(context);
      if (planned.rate?.lessThan(minCommissionRate) === true)
        throw invalidRequest(
          `commission rate cannot be less than the min commission rate ${minCommissionRate}`,
        );
      const validator = requireValidator(k, context, planned.operator);
      const description = editedDescription(validator.description, message.description);
      const rate = planned.rate;
      const commission =
        rate === undefined ? validator.commission : editedCommission(validator.commission, rate, context);
      const minSelfDelegation = editedMinimum(validator, planned.minSelfDelegation);
      return { validator: { ...validator, description, commission, minSelfDelegation }, rate };
    },
    execute(context, _, { validator, rate }) {
      if (rate !== undefined) k.hooks.beforeValidatorModified(context, validator.operator);
      setValidator(k, context, validator);
      context.emit(editedValidator(validator));
      return {};
    },
  };
}

interface EditedValidator {
  readonly validator: Validator;
  /** Undefined when it stays. */
  readonly rate: Decimal | undefined;
}

function planEdit({ addresses }: StakingCore, message: wire.MsgEditValidator): EditPlan {
  const operator = operatorOf(addresses, message.validatorAddress, 'validator');
  if (isEmpty(message.description)) throw invalidRequest('empty description');
  const { minSelfDelegation: minimum, commissionRate } = message;
  const minSelfDelegation = minimum === '' ? undefined : amountOrZero(minimum);
  if (minSelfDelegation !== undefined && minSelfDelegation <= 0n)
    throw invalidRequest('minimum self delegation must be a positive integer');
  const rate = commissionRate === '' ? undefined : decimalOf(commissionRate, 'commission rate');
  if (rate !== undefined && (rate.sign < 0 || rate.greaterThan(Decimal.ONE)))
    throw invalidRequest('commission rate must be between 0 and 1 (inclusive)');
  return { operator, rate, minSelfDelegation };
}

function editedCommission(before: Commission, rate: Decimal, { block }: ReadContext): Commission {
  if (compareInstants(block.time, addDuration(before.updateTime, DAY)) < 0)
    throw new StateError(stakingErrors.commissionUpdateTime);
  if (rate.greaterThan(before.maxRate)) throw new StateError(stakingErrors.commissionGtMaxRate);
  if (rate.subtract(before.rate).greaterThan(before.maxChangeRate))
    throw new StateError(stakingErrors.commissionGtMaxChangeRate);
  return { ...before, rate, updateTime: block.time };
}

function editedMinimum(validator: Validator, minimum: bigint | undefined): bigint {
  if (minimum === undefined) return validator.minSelfDelegation;
  if (minimum <= validator.minSelfDelegation) throw new StateError(stakingErrors.minSelfDelegationDecreased);
  if (minimum > validator.tokens) throw new StateError(stakingErrors.selfDelegationBelowMinimum);
  return minimum;
}

function editedDescription(before: Description, edit: Description): Description {
  const pick = (name: keyof Description): string =>
    edit[name] === DO_NOT_MODIFY ? before[name] : edit[name];
  const description = {
    moniker: pick('moniker'),
    identity: pick('identity'),
    website: pick('website'),
    securityContact: pick('securityContact'),
    details: pick('details'),
  };
  requireLengths(description);
  return description;
}

function isEmpty(description: Description): boolean {
  return DESCRIPTION_BYTES_MAX.every(([name]) => description[name] === '');
}

/** @throws StateError (sdk 18) when one of the texts is too long */
export function requireLengths(description: Description): void {
  for (const [name, title, bytesMax] of DESCRIPTION_BYTES_MAX) {
    const { length } = utf8(description[name]);
    if (length > bytesMax) throw invalidRequest(`invalid ${title} length; got: ${length}, max: ${bytesMax}`);
  }
}
