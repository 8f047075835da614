import type { Address, AddressCodec } from '../../framework/address.ts';
import { coinToWire } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import { QueryError, toStateError } from '../../framework/errors.ts';
import { type PageRequest, type PageResponse, paginate } from '../../framework/pagination.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/cosmos/staking/v1beta1/query.ts';
import type {
  DelegationResponse,
  RedelegationResponse,
} from '../../proto/gen/cosmos/staking/v1beta1/staking.ts';
import { findDelegation } from './delegations.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { bondDenom, poolTokens } from './pools.ts';
import type { StakingCore } from './ports.ts';
import { findRedelegation } from './redelegations.ts';
import { tokensOfShares } from './shares.ts';
import { addressPairKey, addressTripleKey, byValidatorKey } from './state.ts';
import type { Delegation, DelegationPair, Redelegation, Validator } from './types.ts';
import { findUnbonding } from './unbonding.ts';
import { knownValidator } from './validators.ts';
import { paramsToWire, type StakingWire, statusOfName } from './wire.ts';

type Methods = Parameters<typeof queryService>[1];

/** `cosmos.staking.v1beta1.Query`. */
export function stakingQueries(k: StakingCore, form: StakingWire): readonly QueryRoute[] {
  const view = new QueryView(k, form);
  return queryService(wire.QueryService, {
    ...validatorQueries(k, form, view),
    ...pairQueries(k, form, view),
    ...delegatorQueries(k, form, view),
    ...redelegationQuery(k, view),
    ...chainQueries(k),
  });
}

/** What several methods say alike. */
class QueryView {
  readonly #k: StakingCore;
  readonly #form: StakingWire;

  constructor(k: StakingCore, form: StakingWire) {
    this.#k = k;
    this.#form = form;
  }

  operator(text: string): Address {
    return requiredAddress(this.#k.addresses.validators, text, 'validator');
  }

  delegator(text: string): Address {
    return requiredAddress(this.#k.addresses.accounts, text, 'delegator');
  }

  pair(request: { readonly delegatorAddr: string; readonly validatorAddr: string }): DelegationPair {
    return {
      delegator: this.delegator(request.delegatorAddr),
      validator: this.operator(request.validatorAddr),
    };
  }

  delegation(context: ReadContext, delegation: Delegation): DelegationResponse {
    const validator = knownValidator(this.#k, context, delegation.validator);
    const amount = tokensOfShares(validator, delegation.shares).truncate();
    return {
      delegation: this.#form.delegation(delegation),
      balance: coinToWire({ denom: bondDenom(this.#k, context), amount }),
    };
  }

  /** The SDK's form: the entries stand beside the redelegation, not in it. */
  redelegation(context: ReadContext, redelegation: Redelegation): RedelegationResponse {
    // The destination may be gone when all that was moved has left it again.
    const destination = this.#k.state.validators.get(context, redelegation.destination);
    const worth = (i: number): bigint => {
      const shares = redelegation.entries[i]?.sharesDst;
      if (destination === undefined || shares === undefined || destination.shares.sign === 0) return 0n;
      return tokensOfShares(destination, shares).truncate();
    };
    const held = this.#form.redelegation(redelegation);
    return {
      redelegation: { ...held, entries: [] },
      entries: held.entries.map((redelegationEntry, i) => ({
        redelegationEntry,
        balance: worth(i).toString(),
      })),
    };
  }
}

function requiredAddress(addresses: AddressCodec, text: string, role: string): Address {
  if (text === '') throw new QueryError('InvalidArgument', `${role} address cannot be empty`);
  try {
    return addresses.toBytes(text);
  } catch (error) {
    throw new QueryError('InvalidArgument', toStateError(error).message);
  }
}

function validatorQueries({ state }: StakingCore, form: StakingWire, view: QueryView): Methods {
  return {
    Validators: query(wire.QueryValidatorsRequest, wire.QueryValidatorsResponse, (context, request) => {
      const wanted = request.status === '' ? undefined : statusOfName(request.status);
      if (request.status !== '' && wanted === undefined)
        throw new QueryError('InvalidArgument', `invalid validator status ${request.status}`);
      const { items, pagination } = paginate(context, state.validators, {
        request: request.pagination,
        include: (_, { status }) => wanted === undefined || status === wanted,
        transform: (_, validator) => form.validator(validator),
      });
      return { validators: items, pagination };
    }),
    Validator: query(wire.QueryValidatorRequest, wire.QueryValidatorResponse, (context, request) => {
      const validator = state.validators.get(context, view.operator(request.validatorAddr));
      if (validator === undefined)
        throw new QueryError('NotFound', `validator ${request.validatorAddr} not found`);
      return { validator: form.validator(validator) };
    }),
    ValidatorDelegations: query(
      wire.QueryValidatorDelegationsRequest,
      wire.QueryValidatorDelegationsResponse,
      (context, { validatorAddr, pagination: request }) => {
        const { items, pagination } = paginate(context, state.delegationIndex.map, {
          request,
          prefix: byValidatorKey.prefix(view.operator(validatorAddr)),
          transform: ([validator, delegator]) =>
            view.delegation(context, state.delegations.require(context, [delegator, validator])),
        });
        return { delegationResponses: items, pagination };
      },
    ),
    ValidatorUnbondingDelegations: query(
      wire.QueryValidatorUnbondingDelegationsRequest,
      wire.QueryValidatorUnbondingDelegationsResponse,
      (context, { validatorAddr, pagination: request }) => {
        const { items, pagination } = paginate(context, state.unbondingIndex.map, {
          request,
          prefix: addressPairKey.prefix(view.operator(validatorAddr)),
          transform: ([validator, delegator]) =>
            form.unbonding(state.unbondings.require(context, [delegator, validator])),
        });
        return { unbondingResponses: items, pagination };
      },
    ),
  };
}

/** The SDK's sentence about a pair that has nothing. */
function missing(
  what: string,
  request: { readonly delegatorAddr: string; readonly validatorAddr: string },
): QueryError {
  const { delegatorAddr, validatorAddr } = request;
  return new QueryError(
    'NotFound',
    `${what} with delegator ${delegatorAddr} not found for validator ${validatorAddr}`,
  );
}

function pairQueries(k: StakingCore, form: StakingWire, view: QueryView): Methods {
  return {
    Delegation: query(wire.QueryDelegationRequest, wire.QueryDelegationResponse, (context, request) => {
      const delegation = findDelegation(k, context, view.pair(request));
      if (delegation === undefined) throw missing('delegation', request);
      return { delegationResponse: view.delegation(context, delegation) };
    }),
    UnbondingDelegation: query(
      wire.QueryUnbondingDelegationRequest,
      wire.QueryUnbondingDelegationResponse,
      (context, request) => {
        const unbonding = findUnbonding(k, context, view.pair(request));
        if (unbonding === undefined) throw missing('unbonding delegation', request);
        return { unbond: form.unbonding(unbonding) };
      },
    ),
    DelegatorValidator: query(
      wire.QueryDelegatorValidatorRequest,
      wire.QueryDelegatorValidatorResponse,
      (context, request) => {
        const delegation = findDelegation(k, context, view.pair(request));
        if (delegation === undefined)
          throw new QueryError('Internal', 'no delegation for (address, validator) tuple');
        return { validator: form.validator(knownValidator(k, context, delegation.validator)) };
      },
    ),
  };
}

function delegatorQueries(k: StakingCore, form: StakingWire, view: QueryView): Methods {
  const { state } = k;
  const page = <T>(
    context: ReadContext,
    request: { readonly delegatorAddr: string; readonly pagination: PageRequest | undefined },
    transform: (delegation: Delegation) => T,
  ): { readonly items: readonly T[]; readonly pagination: PageResponse } =>
    paginate(context, state.delegations, {
      request: request.pagination,
      prefix: addressPairKey.prefix(view.delegator(request.delegatorAddr)),
      transform: (_, delegation) => transform(delegation),
    });
  const validatorOf = (context: ReadContext, { validator }: Delegation): Validator =>
    knownValidator(k, context, validator);
  return {
    DelegatorDelegations: query(
      wire.QueryDelegatorDelegationsRequest,
      wire.QueryDelegatorDelegationsResponse,
      (context, request) => {
        const { items, pagination } = page(context, request, (held) => view.delegation(context, held));
        return { delegationResponses: items, pagination };
      },
    ),
    DelegatorValidators: query(
      wire.QueryDelegatorValidatorsRequest,
      wire.QueryDelegatorValidatorsResponse,
      (context, request) => {
        const { items, pagination } = page(context, request, (held) =>
          form.validator(validatorOf(context, held)),
        );
        return { validators: items, pagination };
      },
    ),
    DelegatorUnbondingDelegations: query(
      wire.QueryDelegatorUnbondingDelegationsRequest,
      wire.QueryDelegatorUnbondingDelegationsResponse,
      (context, { delegatorAddr, pagination: request }) => {
        const { items, pagination } = paginate(context, state.unbondings, {
          request,
          prefix: addressPairKey.prefix(view.delegator(delegatorAddr)),
          transform: (_, unbonding) => form.unbonding(unbonding),
        });
        return { unbondingResponses: items, pagination };
      },
    ),
  };
}

/** One path when all three addresses are given, those of a source when it alone is, else an account's. */
function redelegationQuery(k: StakingCore, view: QueryView): Methods {
  const answer = (
    context: ReadContext,
    request: wire.QueryRedelegationsRequest,
  ): wire.QueryRedelegationsResponse => {
    const { delegatorAddr, srcValidatorAddr, dstValidatorAddr, pagination: page } = request;
    if (delegatorAddr !== '' && srcValidatorAddr !== '' && dstValidatorAddr !== '') {
      const found = findRedelegation(k, context, {
        delegator: view.delegator(delegatorAddr),
        source: view.operator(srcValidatorAddr),
        destination: view.operator(dstValidatorAddr),
      });
      if (found === undefined)
        throw new QueryError(
          'NotFound',
          `redelegation not found for delegator address ${delegatorAddr} ` +
            `from validator address ${srcValidatorAddr}`,
        );
      return { redelegationResponses: [view.redelegation(context, found)], pagination: undefined };
    }
    if (delegatorAddr === '' && srcValidatorAddr !== '' && dstValidatorAddr === '') {
      const { items, pagination } = paginate(context, k.state.redelegationsBySource.map, {
        request: page,
        prefix: addressTripleKey.prefix(view.operator(srcValidatorAddr)),
        transform: ([source, delegator, destination]) =>
          view.redelegation(
            context,
            k.state.redelegations.require(context, [delegator, source, destination]),
          ),
      });
      return { redelegationResponses: items, pagination };
    }
    const { items, pagination } = paginate(context, k.state.redelegations, {
      request: page,
      prefix: addressTripleKey.prefix(view.delegator(delegatorAddr)),
      transform: (_, redelegation) => view.redelegation(context, redelegation),
    });
    return { redelegationResponses: items, pagination };
  };
  return { Redelegations: query(wire.QueryRedelegationsRequest, wire.QueryRedelegationsResponse, answer) };
}

function chainQueries(k: StakingCore): Methods {
  return {
    HistoricalInfo: query(
      wire.QueryHistoricalInfoRequest,
      wire.QueryHistoricalInfoResponse,
      (context, { height }) => {
        if (height < 0n) throw new QueryError('InvalidArgument', 'height cannot be negative');
        const hist = k.state.history.get(context, height);
        if (hist === undefined)
          throw new QueryError('NotFound', `historical info for height ${height} not found`);
        return { hist };
      },
    ),
    Pool: query(wire.QueryPoolRequest, wire.QueryPoolResponse, (context) => {
      const { bonded, notBonded } = poolTokens(k, context);
      return { pool: { notBondedTokens: notBonded.toString(), bondedTokens: bonded.toString() } };
    }),
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: paramsToWire(k.state.params.get(context) ?? DEFAULT_PARAMS),
    })),
  };
}
