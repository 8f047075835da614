import { messageOf } from '../../core/errors.ts';
import type { Address, AddressCodec } from '../../framework/address.ts';
import { coinToWire, isDenom } from '../../framework/coins.ts';
import { QueryError } from '../../framework/errors.ts';
import { type Page, type PageRequest, paginate } from '../../framework/pagination.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { DenomOwner } from '../../proto/gen/cosmos/bank/v1beta1/query.ts';
import * as wire from '../../proto/gen/cosmos/bank/v1beta1/query.ts';
import type { Metadata } from '../../proto/gen/cosmos/bank/v1beta1/bank.ts';
import type { Coin } from '../../proto/gen/cosmos/base/v1beta1/coin.ts';
import type { Bank } from './keeper.ts';
import { type BankState, balanceKey, holderKey } from './state.ts';

/** What the queries read. */
export interface BankQueryPorts {
  readonly bank: Bank;
  readonly state: BankState;
  readonly addresses: AddressCodec;
}

type Methods = Parameters<typeof queryService>[1];

/** `cosmos.bank.v1beta1.Query`. */
export function bankQueries(ports: BankQueryPorts): readonly QueryRoute[] {
  return queryService(wire.QueryService, {
    ...balanceQueries(ports),
    ...supplyQueries(ports),
    ...metadataQueries(ports),
    ...ownerQueries(ports),
  });
}

function balanceQueries({ bank, state, addresses }: BankQueryPorts): Methods {
  const page = (
    context: ReadContext,
    text: string,
    options: {
      readonly request: PageRequest | undefined;
      readonly coin: (denom: string, amount: bigint) => Coin;
    },
  ): Page<Coin> =>
    paginate(context, state.balances.map, {
      request: options.request,
      prefix: balanceKey.prefix(readAddress(addresses, text)),
      transform: ([, denom], amount) => options.coin(denom, amount),
    });
  return {
    Balance: query(wire.QueryBalanceRequest, wire.QueryBalanceResponse, (context, { address, denom }) => {
      requireDenom(denom);
      const amount = bank.balance(context, readAddress(addresses, address), denom);
      return { balance: coinToWire({ denom, amount }) };
    }),
    AllBalances: query(wire.QueryAllBalancesRequest, wire.QueryAllBalancesResponse, (context, request) => {
      const { items, pagination } = page(context, request.address, {
        request: request.pagination,
        coin: (denom, amount) => {
          const shown = request.resolveDenom ? state.metadata.get(context, denom)?.display : undefined;
          return coinToWire({ denom: shown ?? denom, amount });
        },
      });
      return { balances: items, pagination };
    }),
    SpendableBalances: query(
      wire.QuerySpendableBalancesRequest,
      wire.QuerySpendableBalancesResponse,
      (context, request) => {
        const owner = readAddress(addresses, request.address);
        const { items, pagination } = page(context, request.address, {
          request: request.pagination,
          coin: (denom) => coinToWire({ denom, amount: bank.spendable(context, owner, denom) }),
        });
        return { balances: items, pagination };
      },
    ),
    SpendableBalanceByDenom: query(
      wire.QuerySpendableBalanceByDenomRequest,
      wire.QuerySpendableBalanceByDenomResponse,
      (context, { address, denom }) => {
        const owner = readAddress(addresses, address);
        requireDenom(denom);
        return { balance: coinToWire({ denom, amount: bank.spendable(context, owner, denom) }) };
      },
    ),
  };
}

function supplyQueries({ bank, state }: BankQueryPorts): Methods {
  return {
    TotalSupply: query(wire.QueryTotalSupplyRequest, wire.QueryTotalSupplyResponse, (context, request) => {
      const { items, pagination } = paginate(context, state.supply, {
        request: request.pagination,
        transform: (denom, amount) => coinToWire({ denom, amount }),
      });
      return { supply: items, pagination };
    }),
    SupplyOf: query(wire.QuerySupplyOfRequest, wire.QuerySupplyOfResponse, (context, { denom }) => {
      requireDenom(denom);
      return { amount: coinToWire({ denom, amount: bank.supply(context, denom) }) };
    }),
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: bank.params(context),
    })),
    SendEnabled: query(wire.QuerySendEnabledRequest, wire.QuerySendEnabledResponse, (context, request) => {
      if (request.denoms.length > 0)
        return { sendEnabled: sendEnabledOf(state, context, request.denoms), pagination: undefined };
      const { items, pagination } = paginate(context, state.sendEnabled, {
        request: request.pagination,
        transform: (denom, enabled) => ({ denom, enabled }),
      });
      return { sendEnabled: items, pagination };
    }),
  };
}

function sendEnabledOf(
  state: BankState,
  context: ReadContext,
  denoms: readonly string[],
): readonly { readonly denom: string; readonly enabled: boolean }[] {
  return denoms.flatMap((denom) => {
    const enabled = state.sendEnabled.get(context, denom);
    return enabled === undefined ? [] : [{ denom, enabled }];
  });
}

function metadataQueries({ state }: BankQueryPorts): Methods {
  const find = (context: ReadContext, denom: string): Metadata => {
    requireDenom(denom);
    const metadata = state.metadata.get(context, denom);
    if (metadata === undefined) throw new QueryError('NotFound', `client metadata for denom ${denom}`);
    return metadata;
  };
  return {
    DenomMetadata: query(
      wire.QueryDenomMetadataRequest,
      wire.QueryDenomMetadataResponse,
      (context, { denom }) => ({ metadata: find(context, denom) }),
    ),
    DenomMetadataByQueryString: query(
      wire.QueryDenomMetadataByQueryStringRequest,
      wire.QueryDenomMetadataByQueryStringResponse,
      (context, { denom }) => ({ metadata: find(context, denom) }),
    ),
    DenomsMetadata: query(
      wire.QueryDenomsMetadataRequest,
      wire.QueryDenomsMetadataResponse,
      (context, request) => {
        const { items, pagination } = paginate(context, state.metadata, {
          request: request.pagination,
          transform: (_, metadata) => metadata,
        });
        return { metadatas: items, pagination };
      },
    ),
  };
}

function ownerQueries({ bank, state, addresses }: BankQueryPorts): Methods {
  const owners = (
    context: ReadContext,
    request: { readonly denom: string; readonly pagination: PageRequest | undefined },
  ): { readonly denomOwners: readonly DenomOwner[]; readonly pagination: Page<DenomOwner>['pagination'] } => {
    requireDenom(request.denom);
    const { items, pagination } = paginate(context, state.holders.entries.map, {
      request: request.pagination,
      prefix: holderKey.prefix(request.denom),
      transform: ([denom, owner]) => ({
        address: addresses.toText(owner),
        balance: coinToWire({ denom, amount: bank.balance(context, owner, denom) }),
      }),
    });
    return { denomOwners: items, pagination };
  };
  return {
    DenomOwners: query(wire.QueryDenomOwnersRequest, wire.QueryDenomOwnersResponse, owners),
    DenomOwnersByQuery: query(
      wire.QueryDenomOwnersByQueryRequest,
      wire.QueryDenomOwnersByQueryResponse,
      owners,
    ),
  };
}

function requireDenom(denom: string): void {
  if (!isDenom(denom)) throw new QueryError('InvalidArgument', `invalid denom: ${denom}`);
}

function readAddress(addresses: AddressCodec, text: string): Address {
  try {
    return addresses.toBytes(text);
  } catch (error) {
    throw new QueryError('InvalidArgument', `invalid address: ${messageOf(error)}`);
  }
}
