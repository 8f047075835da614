import { Decimal } from '../../core/decimal.ts';
import { messageOf } from '../../core/errors.ts';
import { type Address, type AddressCodec, moduleAddress } from '../../framework/address.ts';
import { type Coins, coinsToWire, parseCoins, type WireCoin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { decCoinsOf } from '../../framework/dec-coins.ts';
import { invalidAuthority, StateError, sdkErrors } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import type { Params } from '../../proto/gen/cosmos/distribution/v1beta1/distribution.ts';
import * as wire from '../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import type { DelegationPair, Validator } from '../staking/types.ts';
import { allocateToValidator, SPREAD_MAX } from './allocation.ts';
import { withdrawCommission } from './commission.ts';
import { fundCommunityPool, spendCommunityPool } from './community-pool.ts';
import { requireValidator, withdrawRewards } from './delegations.ts';
import { distributionErrors } from './errors.ts';
import { withdrawAddressSet } from './events.ts';
import { DEFAULT_PARAMS, validateParams } from './params.ts';
import type { DistributionCore } from './ports.ts';
import { STORE_NAME } from './state.ts';
import type { DistributionParams } from './types.ts';
import { paramsOfWire } from './wire.ts';

/** `cosmos.distribution.v1beta1.Msg`. */
export function distributionMessages(k: DistributionCore): readonly MessageRoute[] {
  return [
    messageRoute(msgSetWithdrawAddress(k)),
    messageRoute(msgWithdrawDelegatorReward(k)),
    messageRoute(msgWithdrawValidatorCommission(k)),
    messageRoute(msgFundCommunityPool(k)),
    msgUpdateParams(k),
    messageRoute(msgCommunityPoolSpend(k)),
    messageRoute(msgDepositValidatorRewardsPool(k)),
  ];
}

/** @throws StateError (sdk 7) */
function addressOf(addresses: AddressCodec, text: string, role: string): Address {
  try {
    return addresses.toBytes(text);
  } catch (error) {
    throw new StateError(sdkErrors.invalidAddress, `invalid ${role} address: ${messageOf(error)}`);
  }
}

/** @throws StateError (sdk 10) when there are none, or they are no `Coins` */
function someCoins(amount: readonly WireCoin[]): Coins {
  if (amount.length === 0) throw new StateError(sdkErrors.invalidCoins, 'amount cannot be nil');
  return parseCoins(amount);
}

/** @throws StateError (sdk 4) for accounts of modules that must not get anything */
function refuseBlocked(k: DistributionCore, to: Address): void {
  if (!k.bank.isBlocked(to)) return;
  const text = k.addresses.accounts.toText(to);
  throw new StateError(sdkErrors.unauthorized, `${text} is not allowed to receive external funds`);
}

interface Redirection {
  readonly delegator: Address;
  readonly to: Address;
}

function msgSetWithdrawAddress(
  k: DistributionCore,
): MessageHandler<wire.MsgSetWithdrawAddress, wire.MsgSetWithdrawAddressResponse, Redirection> {
  const plan = ({ delegatorAddress, withdrawAddress }: wire.MsgSetWithdrawAddress): Redirection => ({
    delegator: addressOf(k.addresses.accounts, delegatorAddress, 'delegator'),
    to: addressOf(k.addresses.accounts, withdrawAddress, 'withdraw'),
  });
  return {
    type: wire.MsgSetWithdrawAddress,
    response: wire.MsgSetWithdrawAddressResponse,
    signers: ({ delegatorAddress }) => [delegatorAddress],
    validate: (message) => void plan(message),
    check(context, message) {
      const planned = plan(message);
      refuseBlocked(k, planned.to);
      const { withdrawAddrEnabled } = k.state.params.get(context) ?? DEFAULT_PARAMS;
      if (!withdrawAddrEnabled) throw new StateError(distributionErrors.setWithdrawAddrDisabled);
      return planned;
    },
    execute(context, { withdrawAddress }, { delegator, to }) {
      context.emit(withdrawAddressSet(withdrawAddress));
      k.state.withdrawAddresses.set(context, delegator, to);
      return {};
    },
  };
}

function msgWithdrawDelegatorReward(
  k: DistributionCore,
): MessageHandler<wire.MsgWithdrawDelegatorReward, wire.MsgWithdrawDelegatorRewardResponse, DelegationPair> {
  const plan = (message: wire.MsgWithdrawDelegatorReward): DelegationPair => ({
    validator: addressOf(k.addresses.validators, message.validatorAddress, 'validator'),
    delegator: addressOf(k.addresses.accounts, message.delegatorAddress, 'delegator'),
  });
  return {
    type: wire.MsgWithdrawDelegatorReward,
    response: wire.MsgWithdrawDelegatorRewardResponse,
    signers: ({ delegatorAddress }) => [delegatorAddress],
    validate: (message) => void plan(message),
    check: (_, message) => plan(message),
    execute: (context, _, pair) => ({ amount: coinsToWire(withdrawRewards(k, context, pair)) }),
  };
}

function msgWithdrawValidatorCommission(
  k: DistributionCore,
): MessageHandler<wire.MsgWithdrawValidatorCommission, wire.MsgWithdrawValidatorCommissionResponse, Address> {
  const plan = ({ validatorAddress }: wire.MsgWithdrawValidatorCommission): Address =>
    addressOf(k.addresses.validators, validatorAddress, 'validator');
  return {
    type: wire.MsgWithdrawValidatorCommission,
    response: wire.MsgWithdrawValidatorCommissionResponse,
    // The operator's account.
    signers: (message) => [k.addresses.accounts.toText(plan(message))],
    validate: (message) => void plan(message),
    check: (_, message) => plan(message),
    execute: (context, _, operator) => ({ amount: coinsToWire(withdrawCommission(k, context, operator)) }),
  };
}

interface Gift {
  readonly from: Address;
  readonly coins: Coins;
}

function msgFundCommunityPool(
  k: DistributionCore,
): MessageHandler<wire.MsgFundCommunityPool, wire.MsgFundCommunityPoolResponse, Gift> {
  const plan = ({ depositor, amount }: wire.MsgFundCommunityPool): Gift => ({
    from: addressOf(k.addresses.accounts, depositor, 'depositor'),
    coins: someCoins(amount),
  });
  return {
    type: wire.MsgFundCommunityPool,
    response: wire.MsgFundCommunityPoolResponse,
    signers: ({ depositor }) => [depositor],
    validate: (message) => void plan(message),
    check: (_, message) => plan(message),
    execute(context, _, gift) {
      fundCommunityPool(k, context, gift);
      return {};
    },
  };
}

function msgUpdateParams(k: DistributionCore): MessageRoute {
  return paramsMessage(wire, {
    addresses: k.addresses.accounts,
    validate: (params) => void paramsOfMessage(params),
    set: (context, params) => k.state.params.set(context, paramsOfMessage(params)),
  });
}

/** @throws StateError (sdk 18) */
function paramsOfMessage(held: Params): DistributionParams {
  const params = readParams(held);
  if (params.baseProposerReward.sign !== 0 || params.bonusProposerReward.sign !== 0)
    throw new StateError(
      sdkErrors.invalidRequest,
      'cannot update base or bonus proposer reward because these are deprecated fields',
    );
  if (held.communityTax === '')
    throw new StateError(sdkErrors.invalidRequest, 'community tax must be not nil');
  validateParams(params);
  return { ...params, baseProposerReward: Decimal.ZERO, bonusProposerReward: Decimal.ZERO };
}

function readParams(held: Params): DistributionParams {
  try {
    return paramsOfWire(held);
  } catch (error) {
    throw new StateError(sdkErrors.invalidRequest, messageOf(error));
  }
}

interface Spending {
  readonly to: Address;
  readonly coins: Coins;
}

function msgCommunityPoolSpend(
  k: DistributionCore,
): MessageHandler<wire.MsgCommunityPoolSpend, wire.MsgCommunityPoolSpendResponse, Spending> {
  const { accounts } = k.addresses;
  const plan = ({ recipient, amount }: wire.MsgCommunityPoolSpend): Spending => ({
    coins: someCoins(amount),
    to: accounts.toBytesBare(recipient),
  });
  return {
    type: wire.MsgCommunityPoolSpend,
    response: wire.MsgCommunityPoolSpendResponse,
    signers: ({ authority }) => [authority],
    validate: (message) => void plan(message),
    check(_, message) {
      const { authority } = message;
      const expected = accounts.toText(moduleAddress('gov'));
      if (authority !== expected)
        throw new StateError(invalidAuthority, `invalid authority; expected ${expected}, got ${authority}`);
      const planned = plan(message);
      refuseBlocked(k, planned.to);
      return planned;
    },
    execute(context, _, spending) {
      spendCommunityPool(k, context, spending);
      return {};
    },
  };
}

interface Deposit extends Gift {
  readonly operator: Address;
}

function msgDepositValidatorRewardsPool(
  k: DistributionCore,
): MessageHandler<wire.MsgDepositValidatorRewardsPool, wire.MsgDepositValidatorRewardsPoolResponse, Deposit> {
  const plan = (message: wire.MsgDepositValidatorRewardsPool): Deposit => ({
    from: addressOf(k.addresses.accounts, message.depositor, 'depositor'),
    coins: spreadable(parseCoins(message.amount)),
    operator: k.addresses.validators.toBytesBare(message.validatorAddress),
  });
  const validatorOf = (context: ReadContext, { operator }: Deposit): Validator =>
    requireValidator(k, context, operator);
  return {
    type: wire.MsgDepositValidatorRewardsPool,
    response: wire.MsgDepositValidatorRewardsPoolResponse,
    signers: ({ depositor }) => [depositor],
    validate: (message) => void plan(message),
    check: (_, message) => plan(message),
    execute(context: Context, _, deposit) {
      const { from, coins } = deposit;
      k.bank.sendToModule(context, { from, module: STORE_NAME, coins });
      allocateToValidator(k, context, { validator: validatorOf(context, deposit), coins: decCoinsOf(coins) });
      return {};
    },
  };
}

/** @throws StateError (sdk 18) when so much would leave 256 bits as rewards per token some day */
function spreadable(coins: Coins): Coins {
  const large = coins.find(({ amount }) => amount > SPREAD_MAX);
  if (large === undefined) return coins;
  throw new StateError(
    sdkErrors.invalidRequest,
    `a deposit of ${large.amount}${large.denom} is larger than ${SPREAD_MAX}`,
  );
}
