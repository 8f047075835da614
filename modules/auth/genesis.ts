import { type AddressCodec, moduleAddress } from '../../framework/address.ts';
import type { JsonReader, JsonObject, JsonValue } from '../../framework/json.ts';
import type { GenesisHandler, ModuleAccountSpec, ModulePermission } from '../../framework/module.ts';
import { AnyTypes } from '../../framework/any-types.ts';
import { KEY_TYPES } from '../../framework/key-types.ts';
import { STORED_ELEMENTS_MAX } from '../../framework/limits.ts';
import { anyFromJson, anyToJson } from '../../framework/proto-json.ts';
import { type PublicKey, publicKeyOf } from '../../framework/tx/public-key.ts';
import type { AuthKeeper } from './keeper.ts';
import { DEFAULT_PARAMS, paramsFromJson, paramsToJson } from './params.ts';
import { type AuthState, accountOfAny, accountToAny } from './state.ts';
import { validateVesting, VESTING_TYPES } from './vesting-wire.ts';
import type { Account } from './types.ts';

const BASE = '/cosmos.auth.v1beta1.BaseAccount';
const MODULE = '/cosmos.auth.v1beta1.ModuleAccount';
const KEYS = new AnyTypes(KEY_TYPES);
const ACCOUNTS = new AnyTypes([...KEY_TYPES, ...VESTING_TYPES], { elementsMax: STORED_ELEMENTS_MAX });

/** Genesis of auth: `{ params, accounts }` as x/auth writes it. */
export function authGenesis(ports: ReadPorts & { readonly state: AuthState }): GenesisHandler {
  const { keeper, state, addresses } = ports;
  return {
    defaults: () => ({ params: paramsToJson(DEFAULT_PARAMS), accounts: [] }),
    validate: (json) => void readGenesis(json, ports),
    init(context, json) {
      const { params, accounts } = readGenesis(json, ports);
      keeper.setParams(context, params);
      const numbered = numberAccounts(accounts);
      let next = 0n;
      for (const account of numbered) if (account.accountNumber >= next) next = account.accountNumber + 1n;
      state.nextAccountNumber.set(context, next);
      for (const account of numbered) keeper.set(context, account);
      for (const spec of keeper.moduleAccounts.values()) keeper.ensureModuleAccount(context, spec);
      return [];
    },
    export(context) {
      const accounts = [...state.accounts.iterate(context)].map(([, account]) =>
        accountToJson(account, addresses),
      );
      return { params: paramsToJson(keeper.fullParams(context)), accounts };
    },
  };
}

interface ReadPorts {
  readonly keeper: AuthKeeper;
  readonly addresses: AddressCodec;
}

interface AuthGenesis {
  readonly params: ReturnType<typeof paramsFromJson>;
  readonly accounts: readonly Account[];
}

function readGenesis(json: JsonReader, { keeper, addresses }: ReadPorts): AuthGenesis {
  json.onlyMembers('params', 'accounts');
  const seen = new Set<string>();
  const names = [...keeper.moduleAccounts.keys()];
  const modules = new Map(names.map((name) => [addresses.toText(moduleAddress(name)), name]));
  const accounts = json
    .member('accounts')
    .elements()
    .map((element) => {
      const account = readAccount(element, addresses);
      const text = addresses.toText(account.address);
      if (seen.has(text)) element.fail(`account ${text} is listed twice`);
      seen.add(text);
      // Nor does a chain of the SDK start with one: there its module panics (`GetModuleAccount`).
      if (modules.has(text) && account.module === undefined)
        element.fail(
          `account ${text} is not a module account, but its address is that of ${modules.get(text)}`,
        );
      return account;
    });
  return { params: paramsFromJson(json.member('params')), accounts };
}

function readAccount(json: JsonReader, addresses: AddressCodec): Account {
  const type = json.member('@type').text();
  switch (type) {
    case BASE:
      return { ...readBase(json, addresses), module: undefined, vesting: undefined };
    case MODULE:
      return {
        ...readBase(json.member('base_account'), addresses),
        module: readModule(json),
        vesting: undefined,
      };
    default:
      if (!VESTING_TYPES.some((known) => known.type.typeUrl === type))
        return json.member('@type').fail(`${type} accounts are not supported`);
      return readVesting(json, addresses);
  }
}

function readVesting(json: JsonReader, addresses: AddressCodec): Account {
  const any = anyFromJson(json, { types: ACCOUNTS, accepts: undefined });
  return json.attempt(() => {
    const account = accountOfAny(any, addresses);
    if (account.vesting !== undefined) validateVesting(account.vesting);
    return account;
  });
}

function readModule(json: JsonReader): ModuleAccountSpec {
  const permissions = json
    .member('permissions')
    .elements()
    .map((element): ModulePermission => {
      const text = element.text();
      if (text === 'minter' || text === 'burner' || text === 'staking') return text;
      return element.fail(`${text} is no permission`);
    });
  return { name: json.member('name').text(), permissions };
}

function readBase(json: JsonReader, addresses: AddressCodec): Omit<Account, 'module' | 'vesting'> {
  const address = json.member('address');
  const pubKey = json.member('pub_key');
  return {
    address: address.attempt(() => addresses.toBytes(address.text())),
    pubKey: pubKey.present ? readPublicKey(pubKey) : undefined,
    accountNumber: json.member('account_number').uint64(),
    sequence: json.member('sequence').uint64(),
  };
}

function readPublicKey(json: JsonReader): PublicKey {
  return json.attempt(() => publicKeyOf(anyFromJson(json, { types: KEYS, accepts: undefined })));
}

/**
 * Gives each account a number of its own: the first that names a number keeps it, others get the lowest that
 * is free, in the order of the list, so that a list of zeros is numbered 0, 1, 2, … (SDK
 * `SanitizeGenesisAccounts`).
 */
function numberAccounts(accounts: readonly Account[]): readonly Account[] {
  const taken = new Set<bigint>();
  const keeps = accounts.map(({ accountNumber }) => {
    if (taken.has(accountNumber)) return false;
    taken.add(accountNumber);
    return true;
  });
  let free = 0n;
  return accounts.map((account, i) => {
    if (keeps[i] === true) return account;
    while (taken.has(free)) free++;
    taken.add(free);
    return { ...account, accountNumber: free };
  });
}

function accountToJson(account: Account, addresses: AddressCodec): JsonValue {
  if (account.vesting !== undefined) return anyToJson(accountToAny(account, addresses), ACCOUNTS);
  const base: JsonObject = {
    address: addresses.toText(account.address),
    pub_key: account.pubKey === undefined ? null : anyToJson(account.pubKey.any, KEYS),
    account_number: account.accountNumber.toString(),
    sequence: account.sequence.toString(),
  };
  if (account.module === undefined) return { '@type': BASE, ...base };
  const { name, permissions } = account.module;
  return { '@type': MODULE, base_account: base, name, permissions };
}
