import { messageOf } from '../../core/errors.ts';
import type { Address, AddressCodec } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { addDecCoins, type DecCoins, decCoinsToWire, NO_DEC_COINS } from '../../framework/dec-coins.ts';
import { QueryError, StateError, sdkErrors } from '../../framework/errors.ts';
import { paginate } from '../../framework/pagination.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/cosmos/distribution/v1beta1/query.ts';
import { communityPool } from './community-pool.ts';
import { pendingRewards, stakeOf, withdrawAddressOf } from './delegations.ts';
import { distributionErrors } from './errors.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { outstandingOf } from './periods.ts';
import type { DistributionCore } from './ports.ts';
import { slashKey } from './state.ts';
import { paramsToWire, slashToWire } from './wire.ts';

type Methods = Parameters<typeof queryService>[1];

/** `cosmos.distribution.v1beta1.Query`. */
export function distributionQueries(k: DistributionCore): readonly QueryRoute[] {
  const view = new QueryView(k);
  return queryService(wire.QueryService, {
    ...chainQueries(k),
    ...validatorQueries(k, view),
    ...slashQuery(k, view),
    ...delegatorQueries(k, view),
  });
}

/** What several methods say alike. */
class QueryView {
  readonly #k: DistributionCore;

  constructor(k: DistributionCore) {
    this.#k = k;
  }

  operator(text: string): Address {
    return addressOf(this.#k.addresses.validators, text, 'validator');
  }

  delegator(text: string): Address {
    return addressOf(this.#k.addresses.accounts, text, 'delegator');
  }

  /** The operator of a validator that is there. */
  knownOperator(context: ReadContext, text: string): Address {
    const operator = this.operator(text);
    if (this.#k.staking.validator(context, operator) === undefined)
      throw asUnknown(distributionErrors.noValidator.description);
    return operator;
  }

  rewards(context: ReadContext, delegator: Address, validator: Address): DecCoins {
    const pair = { delegator, validator };
    const stake = attempt(() => stakeOf(this.#k, context, pair));
    return pendingRewards(this.#k, context, stake);
  }
}

function addressOf(addresses: AddressCodec, text: string, role: string): Address {
  if (text === '') throw new QueryError('InvalidArgument', `empty ${role} address`);
  try {
    return addresses.toBytes(text);
  } catch (error) {
    // No gRPC status in the SDK, so baseapp wraps it as it is.
    throw new StateError(sdkErrors.invalidRequest, messageOf(error));
  }
}

/** An error of a module: baseapp makes an unknown request of it (`gRPCErrorToSDKError`). */
function asUnknown(description: string): StateError {
  return new StateError(sdkErrors.unknownRequest, description);
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof StateError) throw asUnknown(error.message);
    throw error;
  }
}

function chainQueries(k: DistributionCore): Methods {
  return {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: paramsToWire(k.state.params.get(context) ?? DEFAULT_PARAMS),
    })),
    CommunityPool: query(wire.QueryCommunityPoolRequest, wire.QueryCommunityPoolResponse, (context) => ({
      pool: decCoinsToWire(communityPool(k, context)),
    })),
  };
}

function validatorQueries(k: DistributionCore, view: QueryView): Methods {
  const commissionOf = (context: ReadContext, operator: Address): DecCoins =>
    k.state.commissions.get(context, operator) ?? NO_DEC_COINS;
  return {
    ValidatorDistributionInfo: query(
      wire.QueryValidatorDistributionInfoRequest,
      wire.QueryValidatorDistributionInfoResponse,
      (context, { validatorAddress }) => {
        const operator = view.operator(validatorAddress);
        return {
          operatorAddress: k.addresses.accounts.toText(operator),
          selfBondRewards: decCoinsToWire(view.rewards(context, operator, operator)),
          commission: decCoinsToWire(commissionOf(context, operator)),
        };
      },
    ),
    ValidatorOutstandingRewards: query(
      wire.QueryValidatorOutstandingRewardsRequest,
      wire.QueryValidatorOutstandingRewardsResponse,
      (context, { validatorAddress }) => {
        const operator = view.knownOperator(context, validatorAddress);
        return { rewards: { rewards: decCoinsToWire(outstandingOf(k, context, operator)) } };
      },
    ),
    ValidatorCommission: query(
      wire.QueryValidatorCommissionRequest,
      wire.QueryValidatorCommissionResponse,
      (context, { validatorAddress }) => {
        const operator = view.knownOperator(context, validatorAddress);
        return { commission: { commission: decCoinsToWire(commissionOf(context, operator)) } };
      },
    ),
  };
}

/** As the SDK's: the bounds are compared with the numbers of periods, not with heights. */
function slashQuery(k: DistributionCore, view: QueryView): Methods {
  return {
    ValidatorSlashes: query(
      wire.QueryValidatorSlashesRequest,
      wire.QueryValidatorSlashesResponse,
      (context, { validatorAddress, startingHeight, endingHeight, pagination: request }) => {
        if (validatorAddress === '') throw new QueryError('InvalidArgument', 'empty validator address');
        if (endingHeight < startingHeight)
          throw new QueryError(
            'InvalidArgument',
            `starting height greater than ending height (${startingHeight} > ${endingHeight})`,
          );
        const { items, pagination } = paginate(context, k.state.slashes, {
          request,
          prefix: slashKey.prefix(slashedOperator(view, validatorAddress)),
          include: (_, { period }) => period >= startingHeight && period <= endingHeight,
          transform: (_, slash) => slashToWire(slash),
        });
        return { slashes: items, pagination };
      },
    ),
  };
}

function slashedOperator(view: QueryView, text: string): Address {
  try {
    return view.operator(text);
  } catch {
    throw new QueryError('InvalidArgument', 'invalid validator address');
  }
}

function delegatorQueries(k: DistributionCore, view: QueryView): Methods {
  return {
    DelegationRewards: query(
      wire.QueryDelegationRewardsRequest,
      wire.QueryDelegationRewardsResponse,
      (context, { delegatorAddress, validatorAddress }) => {
        if (delegatorAddress === '') throw new QueryError('InvalidArgument', 'empty delegator address');
        const operator = view.knownOperator(context, validatorAddress);
        const rewards = view.rewards(context, view.delegator(delegatorAddress), operator);
        return { rewards: decCoinsToWire(rewards) };
      },
    ),
    DelegationTotalRewards: query(
      wire.QueryDelegationTotalRewardsRequest,
      wire.QueryDelegationTotalRewardsResponse,
      (context, { delegatorAddress }) => {
        const delegator = view.delegator(delegatorAddress);
        let total = NO_DEC_COINS;
        const rewards = [...k.staking.delegationsOf(context, delegator)].map(({ validator }) => {
          const reward = view.rewards(context, delegator, validator);
          total = addDecCoins(total, reward);
          const validatorAddress = k.addresses.validators.toText(validator);
          return { validatorAddress, reward: decCoinsToWire(reward) };
        });
        return { rewards, total: decCoinsToWire(total) };
      },
    ),
    DelegatorValidators: query(
      wire.QueryDelegatorValidatorsRequest,
      wire.QueryDelegatorValidatorsResponse,
      (context, { delegatorAddress }) => {
        const held = k.staking.delegationsOf(context, view.delegator(delegatorAddress));
        return { validators: [...held].map(({ validator }) => k.addresses.validators.toText(validator)) };
      },
    ),
    DelegatorWithdrawAddress: query(
      wire.QueryDelegatorWithdrawAddressRequest,
      wire.QueryDelegatorWithdrawAddressResponse,
      (context, { delegatorAddress }) => {
        const to = withdrawAddressOf(k, context, view.delegator(delegatorAddress));
        return { withdrawAddress: k.addresses.accounts.toText(to) };
      },
    ),
  };
}
