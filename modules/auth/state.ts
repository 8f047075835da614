import { utf8 } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import type { Address, AddressCodec } from '../../framework/address.ts';
import { type Item, type KeySet, Schema, type Sequence } from '../../framework/collections.ts';
import { IndexedMap, UniqueIndex } from '../../framework/indexed-map.ts';
import { bytesKey, int64Key, type Pair, pairKey, uint64Key } from '../../framework/keys.ts';
import type { ModulePermission } from '../../framework/module.ts';
import { publicKeyOf } from '../../framework/tx/public-key.ts';
import { memoized, remembered, type ValueCodec } from '../../framework/values.ts';
import { messageType } from '../../proto/codec/message.ts';
import { BaseAccount, ModuleAccount, Params } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';
import { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { Account } from './types.ts';
import { vestingOfAny, vestingToAny } from './vesting-wire.ts';

/** Store of auth; clients know it by the name the SDK gives it. */
export const STORE_NAME = 'acc';

/** Accounts kept decoded: those that send are read four times for each transaction, half a kilobyte each. */
const ACCOUNTS_REMEMBERED_MAX = 16_384;

/** Collections of auth, with the SDK's prefixes (x/auth/types/keys.go). */
export interface AuthState {
  readonly params: Item<Params>;
  readonly accounts: IndexedMap<Address, Account>;
  readonly byNumber: UniqueIndex<bigint, Address, Account>;
  readonly nextAccountNumber: Sequence;
  /** Timeouts of unordered transactions, in nanoseconds since 1970, with who signed (SDK v0.53). */
  readonly usedTimeouts: KeySet<Pair<bigint, Address>>;
}

/** Declares the collections. */
export function authState(addresses: AddressCodec): AuthState {
  const schema = new Schema(STORE_NAME);
  const params = schema.item({ prefix: Uint8Array.of(0), name: 'params', value: memoized(Params) });
  const nextAccountNumber = schema.sequence({ prefix: Uint8Array.of(2), name: 'account_number' });
  const byNumber = new UniqueIndex(schema, {
    prefix: utf8('accountNumber'),
    name: 'account_by_number',
    indexKey: uint64Key,
    primaryKey: bytesKey,
    of: (_: Address, account: Account) => account.accountNumber,
  });
  const accounts = new IndexedMap(schema, {
    prefix: Uint8Array.of(1),
    name: 'accounts',
    key: bytesKey,
    value: accountValue(addresses),
    hot: true,
    indexes: [byNumber],
  });
  const usedTimeouts = schema.keySet({
    prefix: Uint8Array.of(90),
    name: 'unordered_nonces',
    key: pairKey(int64Key, bytesKey),
  });
  return { params, accounts, byNumber, nextAccountNumber, usedTimeouts };
}

/** An account as the `Any` that state and queries hold. */
export function accountToAny(account: Account, addresses: AddressCodec): Any {
  const base = baseAccount(account, addresses);
  if (account.vesting !== undefined) return vestingToAny(base, account.vesting);
  if (account.module === undefined) return { typeUrl: BaseAccount.typeUrl, value: BaseAccount.encode(base) };
  const { name, permissions } = account.module;
  return {
    typeUrl: ModuleAccount.typeUrl,
    value: ModuleAccount.encode({ baseAccount: base, name, permissions }),
  };
}

function baseAccount(account: Account, addresses: AddressCodec): BaseAccount {
  return {
    address: addresses.toText(account.address),
    pubKey: account.pubKey?.any,
    accountNumber: account.accountNumber,
    sequence: account.sequence,
  };
}

interface AnyBaseAccount {
  readonly typeUrl: string;
  readonly value: BaseAccount;
}

/** An `Any` of a BaseAccount, written in one go: two encodings would be a tenth of what CheckTx costs. */
const AnyBaseAccount = messageType<AnyBaseAccount>(
  Any.name,
  () => ({ typeUrl: '', value: BaseAccount.create() }),
  () => [
    { number: 1, name: 'typeUrl', protoName: 'type_url', rule: 'single', value: { kind: 'string' } },
    {
      number: 2,
      name: 'value',
      protoName: 'value',
      rule: 'required',
      value: { kind: 'message', message: () => BaseAccount },
    },
  ],
);

function accountValue(addresses: AddressCodec): ValueCodec<Account> {
  return remembered(ACCOUNTS_REMEMBERED_MAX, {
    encode: (account) =>
      account.module === undefined && account.vesting === undefined
        ? AnyBaseAccount.encode({ typeUrl: BaseAccount.typeUrl, value: baseAccount(account, addresses) })
        : Any.encode(accountToAny(account, addresses)),
    decode: (bytes) => accountOfAny(Any.decode(bytes), addresses),
  });
}

/**
 * The account inside an `Any`.
 * @throws DecodeError, StateError when it is none
 */
export function accountOfAny(any: Any, addresses: AddressCodec): Account {
  const held = vestingOfAny(any);
  if (held !== undefined) {
    const base = baseOf(held.base ?? BaseAccount.create(), addresses);
    return { ...base, module: undefined, vesting: held.vesting };
  }
  switch (any.typeUrl) {
    case BaseAccount.typeUrl:
      return { ...baseOf(BaseAccount.decode(any.value), addresses), module: undefined, vesting: undefined };
    case ModuleAccount.typeUrl: {
      const { baseAccount, name, permissions } = ModuleAccount.decode(any.value);
      const base = baseOf(baseAccount ?? BaseAccount.create(), addresses);
      return { ...base, module: { name, permissions: permissions.filter(isPermission) }, vesting: undefined };
    }
    default:
      throw new DecodeError(`stored account is a ${any.typeUrl}`);
  }
}

function baseOf(base: BaseAccount, addresses: AddressCodec): Omit<Account, 'module' | 'vesting'> {
  return {
    address: addresses.toBytes(base.address),
    pubKey: base.pubKey === undefined ? undefined : publicKeyOf(base.pubKey),
    accountNumber: base.accountNumber,
    sequence: base.sequence,
  };
}

function isPermission(text: string): text is ModulePermission {
  return text === 'minter' || text === 'burner' || text === 'staking';
}
