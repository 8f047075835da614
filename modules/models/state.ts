import type { Address, AddressCodec } from '../../framework/address.ts';
import { type Item, type KeySet, Schema, type Sequence } from '../../framework/collections.ts';
import { IndexedMap, MultiIndex } from '../../framework/indexed-map.ts';
import { bytesKey, type Pair, type PairKeyCodec, pairKey, uint64Key } from '../../framework/keys.ts';
import { memoized } from '../../framework/values.ts';
import { Model, Params } from '../../proto/gen/openledger/models/v1/models.ts';

/** Store of models. */
export const STORE_NAME = 'models';

/** Key of the index of users of a snapshot: snapshot, model. */
export const snapshotModelKey: PairKeyCodec<bigint, bigint> = pairKey(uint64Key, uint64Key);

/** Collections of models; the README tabulates them. */
export interface ModelState {
  readonly params: Item<Params>;
  readonly sequence: Sequence;
  readonly models: IndexedMap<bigint, Model>;
  readonly byOwner: MultiIndex<Address, bigint, Model>;
  readonly bySnapshot: KeySet<Pair<bigint, bigint>>;
}

/** Declares the collections. */
export function modelState(addresses: AddressCodec): ModelState {
  const schema = new Schema(STORE_NAME);
  const byOwner = new MultiIndex<Address, bigint, Model>(schema, {
    prefix: Uint8Array.of(3),
    name: 'models_by_owner',
    indexKey: bytesKey,
    primaryKey: uint64Key,
    of: (_, model) => addresses.toBytes(model.owner),
  });
  return {
    params: schema.item({ prefix: Uint8Array.of(0), name: 'params', value: memoized(Params) }),
    sequence: schema.sequence({ prefix: Uint8Array.of(1), name: 'sequence' }),
    models: new IndexedMap(schema, {
      prefix: Uint8Array.of(2),
      name: 'models',
      key: uint64Key,
      value: memoized(Model),
      indexes: [byOwner],
    }),
    byOwner,
    bySnapshot: schema.keySet({
      prefix: Uint8Array.of(4),
      name: 'models_by_snapshot',
      key: snapshotModelKey,
    }),
  };
}
