import type { Address } from '../../framework/address.ts';
import { type Item, type KeySet, Schema, type StateMap } from '../../framework/collections.ts';
import { type Index, IndexedMap } from '../../framework/indexed-map.ts';
import {
  bytesKey,
  lengthPrefixedBytesKey,
  type Pair,
  type PairKeyCodec,
  pairKey,
  stringKey,
} from '../../framework/keys.ts';
import { boolValue, integerValue, memoized } from '../../framework/values.ts';
import type { Context } from '../../framework/context.ts';
import { Metadata, Params } from '../../proto/gen/cosmos/bank/v1beta1/bank.ts';

/** Store of bank. */
export const STORE_NAME = 'bank';

/** Key of a balance: address, denomination. */
export const balanceKey: PairKeyCodec<Address, string> = pairKey(bytesKey, stringKey);

/** Key of the index of holders: denomination, address. */
export const holderKey: PairKeyCodec<string, Address> = pairKey(stringKey, lengthPrefixedBytesKey);

/** Collections of bank, with the SDK's prefixes (x/bank/types/keys.go). */
export interface BankState {
  readonly supply: StateMap<string, bigint>;
  readonly metadata: StateMap<string, Metadata>;
  /** Never holds a zero. */
  readonly balances: IndexedMap<Pair<Address, string>, bigint>;
  readonly holders: HolderIndex;
  readonly sendEnabled: StateMap<string, boolean>;
  readonly params: Item<Params>;
}

/** Addresses by denomination: the SDK's reverse-pair index. */
export class HolderIndex implements Index<Pair<Address, string>, bigint> {
  readonly entries: KeySet<Pair<string, Address>>;

  constructor(schema: Schema) {
    this.entries = schema.keySet({ prefix: Uint8Array.of(3), name: 'address_by_denom', key: holderKey });
  }

  update(
    context: Context,
    [address, denom]: Pair<Address, string>,
    change: { readonly from: bigint | undefined; readonly to: bigint | undefined },
  ): void {
    if (change.from === undefined && change.to !== undefined) this.entries.add(context, [denom, address]);
    if (change.from !== undefined && change.to === undefined) this.entries.remove(context, [denom, address]);
  }
}

/** Declares the collections. */
export function bankState(): BankState {
  const schema = new Schema(STORE_NAME);
  const holders = new HolderIndex(schema);
  return {
    supply: schema.map({ prefix: Uint8Array.of(0), name: 'supply', key: stringKey, value: integerValue }),
    metadata: schema.map({
      prefix: Uint8Array.of(1),
      name: 'denom_metadata',
      key: stringKey,
      value: Metadata,
    }),
    balances: new IndexedMap(schema, {
      prefix: Uint8Array.of(2),
      name: 'balances',
      key: balanceKey,
      value: integerValue,
      hot: true,
      indexes: [holders],
    }),
    holders,
    sendEnabled: schema.map({
      prefix: Uint8Array.of(4),
      name: 'send_enabled',
      key: stringKey,
      value: boolValue,
    }),
    params: schema.item({ prefix: Uint8Array.of(5), name: 'params', value: memoized(Params) }),
  };
}
