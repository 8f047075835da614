import { messageOf } from '../../core/errors.ts';
import type { Address, AddressCodec } from '../../framework/address.ts';
import { moduleAddress } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { QueryError } from '../../framework/errors.ts';
import { byCodeUnit } from '../../framework/json.ts';
import { paginate } from '../../framework/pagination.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/cosmos/auth/v1beta1/query.ts';
import type { AuthKeeper } from './keeper.ts';
import { accountToAny, type AuthState } from './state.ts';
import type { Account } from './types.ts';

/** What the queries read. */
export interface AuthQueryPorts {
  readonly keeper: AuthKeeper;
  readonly state: AuthState;
  readonly addresses: AddressCodec;
}

/** `cosmos.auth.v1beta1.Query`. */
export function authQueries(ports: AuthQueryPorts): readonly QueryRoute[] {
  const { keeper, addresses } = ports;
  const toAny = (account: Account): ReturnType<typeof accountToAny> => accountToAny(account, addresses);
  return queryService(wire.QueryService, {
    ...accountQueries(ports),
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: keeper.fullParams(context),
    })),
    ModuleAccounts: query(wire.QueryModuleAccountsRequest, wire.QueryModuleAccountsResponse, (context) => ({
      accounts: [...keeper.moduleAccounts.keys()]
        .sort(byCodeUnit)
        .map((name) => toAny(requireModuleAccount(ports, context, name))),
    })),
    ModuleAccountByName: query(
      wire.QueryModuleAccountByNameRequest,
      wire.QueryModuleAccountByNameResponse,
      (context, { name }) => ({ account: toAny(requireModuleAccount(ports, context, name)) }),
    ),
    Bech32Prefix: query(wire.Bech32PrefixRequest, wire.Bech32PrefixResponse, () => ({
      bech32Prefix: addresses.prefix,
    })),
    AddressBytesToString: query(
      wire.AddressBytesToStringRequest,
      wire.AddressBytesToStringResponse,
      (_, { addressBytes }) => {
        if (addressBytes.length === 0) throw invalid('empty address bytes is not allowed');
        return { addressString: addresses.toText(addressBytes) };
      },
    ),
    AddressStringToBytes: query(
      wire.AddressStringToBytesRequest,
      wire.AddressStringToBytesResponse,
      (_, { addressString }) => ({ addressBytes: readAddress(addresses, addressString) }),
    ),
  });
}

function accountQueries({ keeper, state, addresses }: AuthQueryPorts): Parameters<typeof queryService>[1] {
  return {
    Accounts: query(wire.QueryAccountsRequest, wire.QueryAccountsResponse, (context, { pagination }) => {
      const page = paginate(context, state.accounts.map, {
        request: pagination,
        transform: (_, account) => accountToAny(account, addresses),
      });
      return { accounts: page.items, pagination: page.pagination };
    }),
    Account: query(wire.QueryAccountRequest, wire.QueryAccountResponse, (context, { address }) => {
      if (address === '') throw invalid('Address cannot be empty');
      return { account: accountToAny(requireAccount({ keeper, addresses }, context, address), addresses) };
    }),
    AccountAddressByID: query(
      wire.QueryAccountAddressByIDRequest,
      wire.QueryAccountAddressByIDResponse,
      (context, { id, accountId }) => {
        if (id !== 0n) throw invalid("requesting with id isn't supported, try to request using account-id");
        const address = state.byNumber.find(context, accountId);
        if (address === undefined)
          throw new QueryError('NotFound', `account address not found with account number ${accountId}`);
        return { accountAddress: addresses.toText(address) };
      },
    ),
    AccountInfo: query(
      wire.QueryAccountInfoRequest,
      wire.QueryAccountInfoResponse,
      (context, { address }) => {
        if (address === '') throw invalid('address cannot be empty');
        const { pubKey, accountNumber, sequence } = requireAccount({ keeper, addresses }, context, address);
        return { info: { address, pubKey: pubKey?.any, accountNumber, sequence } };
      },
    ),
  };
}

function requireAccount(
  { keeper, addresses }: Omit<AuthQueryPorts, 'state'>,
  context: ReadContext,
  text: string,
): Account {
  const account = keeper.find(context, readAddress(addresses, text));
  if (account === undefined) throw new QueryError('NotFound', `account ${text} not found`);
  return account;
}

function requireModuleAccount({ keeper }: AuthQueryPorts, context: ReadContext, name: string): Account {
  if (name === '') throw invalid('module name is empty');
  const known = keeper.moduleAccounts.has(name);
  const account = known ? keeper.find(context, moduleAddress(name)) : undefined;
  if (account === undefined) throw new QueryError('NotFound', `account ${name} not found`);
  return account;
}

function readAddress(addresses: AddressCodec, text: string): Address {
  try {
    return addresses.toBytes(text);
  } catch (error) {
    throw invalid(messageOf(error));
  }
}

function invalid(description: string): QueryError {
  return new QueryError('InvalidArgument', description);
}
