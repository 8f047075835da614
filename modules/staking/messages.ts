import type { Decimal } from '../../core/decimal.ts';
import type { Address } from '../../framework/address.ts';
import type { Coin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors, unregisteredError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import * as wire from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { delegate, sharesToUnbond } from './delegations.ts';
import { stakingErrors } from './errors.ts';
import { cancelledUnbonding, delegated, redelegated, unbonded } from './events.ts';
import { accountOf, decimalOf, invalidRequest, operatorOf, positiveCoin } from './fields.ts';
import { validateParams } from './params.ts';
import { bondDenom, poolTokens } from './pools.ts';
import type { StakingCore } from './ports.ts';
import { beginRedelegation } from './redelegations.ts';
import { hasNoRate } from './shares.ts';
import type { StakingParams, Validator } from './types.ts';
import {
  type Cancellation,
  cancelUnbonding,
  findUnbonding,
  planCancellation,
  undelegate,
} from './unbonding.ts';
import { msgCreateValidator, msgEditValidator } from './validator-messages.ts';
import { requireValidator } from './validators.ts';
import { paramsOfWire } from './wire.ts';

/** `cosmos.staking.v1beta1.Msg`. */
export function stakingMessages(k: StakingCore): readonly MessageRoute[] {
  return [
    messageRoute(msgCreateValidator(k)),
    messageRoute(msgEditValidator(k)),
    messageRoute(msgDelegate(k)),
    messageRoute(msgBeginRedelegate(k)),
    messageRoute(msgUndelegate(k)),
    messageRoute(msgCancelUnbondingDelegation(k)),
    msgUpdateParams(k),
  ];
}

/** @throws StateError (sdk 18) when the coin is of another denomination than the staked one */
function requireBondDenom(k: StakingCore, context: ReadContext, { denom }: Coin): void {
  const expected = bondDenom(k, context);
  if (denom !== expected)
    throw invalidRequest(`invalid coin denomination: got ${denom}, expected ${expected}`);
}

interface PairPlan {
  readonly delegator: Address;
  readonly operator: Address;
  readonly amount: Coin;
}

/** What three messages say alike. */
function pairPlan(
  k: StakingCore,
  message: Pick<wire.MsgDelegate, 'delegatorAddress' | 'validatorAddress' | 'amount'>,
  problem: string,
): PairPlan {
  return {
    operator: operatorOf(k.addresses, message.validatorAddress, 'validator'),
    delegator: accountOf(k.addresses, message.delegatorAddress),
    amount: positiveCoin(message.amount, problem),
  };
}

function textsOf(message: Pick<wire.MsgDelegate, 'delegatorAddress' | 'validatorAddress'>): {
  readonly validator: string;
  readonly delegator: string;
} {
  return { validator: message.validatorAddress, delegator: message.delegatorAddress };
}

interface DelegatePlan extends PairPlan {
  readonly validator: Validator;
}

function msgDelegate(
  k: StakingCore,
): MessageHandler<wire.MsgDelegate, wire.MsgDelegateResponse, DelegatePlan> {
  const plan = (message: wire.MsgDelegate): PairPlan => pairPlan(k, message, 'invalid delegation amount');
  return {
    type: wire.MsgDelegate,
    response: wire.MsgDelegateResponse,
    signers: (message) => [message.delegatorAddress],
    validate: (message) => void plan(message),
    check(context, message) {
      const planned = plan(message);
      const validator = requireValidator(k, context, planned.operator);
      requireBondDenom(k, context, planned.amount);
      return { ...planned, validator };
    },
    execute(context, message, { delegator, validator, amount }) {
      const order = { delegator, validator, tokens: amount.amount, source: 'account' } as const;
      const shares = delegate(k, context, order);
      context.emit(delegated(textsOf(message), amount, shares.toString()));
      return {};
    },
  };
}

interface UndelegatePlan extends PairPlan {
  readonly shares: Decimal;
}

function msgUndelegate(
  k: StakingCore,
): MessageHandler<wire.MsgUndelegate, wire.MsgUndelegateResponse, UndelegatePlan> {
  const plan = (message: wire.MsgUndelegate): PairPlan => pairPlan(k, message, 'invalid shares amount');
  return {
    type: wire.MsgUndelegate,
    response: wire.MsgUndelegateResponse,
    signers: (message) => [message.delegatorAddress],
    validate: (message) => void plan(message),
    check(context, message) {
      const planned = plan(message);
      const { delegator, operator, amount } = planned;
      const shares = sharesToUnbond(k, context, { delegator, validator: operator, tokens: amount.amount });
      requireBondDenom(k, context, amount);
      return { ...planned, shares };
    },
    execute(context, message, { delegator, operator, amount, shares }) {
      const { completionTime, tokens } = undelegate(k, context, { delegator, validator: operator, shares });
      const coin = { denom: amount.denom, amount: tokens };
      context.emit(unbonded(textsOf(message), coin, completionTime));
      return { completionTime, amount: { denom: coin.denom, amount: tokens.toString() } };
    },
  };
}

interface RedelegatePlan {
  readonly delegator: Address;
  readonly source: Address;
  readonly destination: Address;
  readonly amount: Coin;
}

function msgBeginRedelegate(
  k: StakingCore,
): MessageHandler<
  wire.MsgBeginRedelegate,
  wire.MsgBeginRedelegateResponse,
  RedelegatePlan & { readonly shares: Decimal }
> {
  const plan = (message: wire.MsgBeginRedelegate): RedelegatePlan => ({
    source: operatorOf(k.addresses, message.validatorSrcAddress, 'source validator'),
    destination: operatorOf(k.addresses, message.validatorDstAddress, 'destination validator'),
    delegator: accountOf(k.addresses, message.delegatorAddress),
    amount: positiveCoin(message.amount, 'invalid shares amount'),
  });
  return {
    type: wire.MsgBeginRedelegate,
    response: wire.MsgBeginRedelegateResponse,
    signers: (message) => [message.delegatorAddress],
    validate: (message) => void plan(message),
    check(context, message) {
      const planned = plan(message);
      const { delegator, source, amount } = planned;
      const shares = sharesToUnbond(k, context, { delegator, validator: source, tokens: amount.amount });
      requireBondDenom(k, context, amount);
      return { ...planned, shares };
    },
    execute(context, message, { amount, ...order }) {
      const completionTime = beginRedelegation(k, context, order);
      const { validatorSrcAddress: source, validatorDstAddress: destination } = message;
      context.emit(redelegated({ source, destination }, amount, completionTime));
      return { completionTime };
    },
  };
}

function msgCancelUnbondingDelegation(
  k: StakingCore,
): MessageHandler<
  wire.MsgCancelUnbondingDelegation,
  wire.MsgCancelUnbondingDelegationResponse,
  Cancellation & { readonly amount: Coin }
> {
  const plan = (message: wire.MsgCancelUnbondingDelegation): PairPlan => {
    const planned = pairPlan(k, message, 'invalid amount');
    if (message.creationHeight <= 0n) throw invalidRequest('invalid height');
    return planned;
  };
  return {
    type: wire.MsgCancelUnbondingDelegation,
    response: wire.MsgCancelUnbondingDelegationResponse,
    signers: (message) => [message.delegatorAddress],
    validate: (message) => void plan(message),
    check(context, message) {
      const { delegator, operator, amount } = plan(message);
      requireBondDenom(k, context, amount);
      const validator = requireValidator(k, context, operator);
      if (hasNoRate(validator)) throw new StateError(stakingErrors.exRateInvalid);
      if (validator.jailed) throw new StateError(stakingErrors.validatorJailed);
      const unbonding = findUnbonding(k, context, { delegator, validator: operator });
      if (unbonding === undefined) throw notFound(message);
      const { creationHeight } = message;
      const order = { validator, unbonding, creationHeight, tokens: amount.amount };
      return { ...planCancellation(context, order), amount };
    },
    execute(context, message, { amount, ...planned }) {
      cancelUnbonding(k, context, planned);
      context.emit(cancelledUnbonding(textsOf(message), amount, message.creationHeight));
      return {};
    },
  };
}

/** The SDK answers with a gRPC status here, which in a transaction is an error without a number. */
function notFound({ delegatorAddress, validatorAddress }: wire.MsgCancelUnbondingDelegation): StateError {
  return unregisteredError(
    `rpc error: code = NotFound desc = unbonding delegation with delegator ${delegatorAddress} ` +
      `not found for validator ${validatorAddress}`,
  );
}

function msgUpdateParams(k: StakingCore): MessageRoute {
  const read = (params: wire.MsgUpdateParams['params']): StakingParams => {
    if (params.minCommissionRate === '') throw invalidRequest('minimum commission rate cannot be nil');
    const minCommissionRate = decimalOf(params.minCommissionRate, 'minimum commission rate');
    return paramsOfWire({ ...params, minCommissionRate: minCommissionRate.toWire() });
  };
  return paramsMessage(wire, {
    addresses: k.addresses.accounts,
    validate: (params) => validateParams(read(params)),
    set: (context, params) => changeParams(k, context, read(params)),
  });
}

/** @throws StateError (sdk 18) when the staked denomination would change under stakes */
function changeParams(k: StakingCore, context: Context, params: StakingParams): void {
  const { bonded, notBonded } = poolTokens(k, context);
  if (params.bondDenom !== bondDenom(k, context) && bonded + notBonded > 0n)
    throw new StateError(sdkErrors.invalidRequest, 'bond denom cannot change while tokens are staked');
  k.state.params.set(context, params);
}
