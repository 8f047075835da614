import type { Address, AddressCodec } from '../../framework/address.ts';
import { type Item, type KeySet, Schema, type Sequence, type StateMap } from '../../framework/collections.ts';
import { IndexedMap, MultiIndex, UniqueIndex } from '../../framework/indexed-map.ts';
import {
  bytesKey,
  type Pair,
  type PairKeyCodec,
  pairKey,
  stringKey,
  type Triple,
  tripleKey,
  uint32Key,
  uint64Key,
} from '../../framework/keys.ts';
import { memoized, uint64Value } from '../../framework/values.ts';
import {
  Contribution,
  Datanet,
  DatanetTotals,
  Params,
  Snapshot,
  SumNode,
} from '../../proto/gen/openledger/datanet/v1/datanet.ts';

/** Store of datanet. */
export const STORE_NAME = 'datanet';

/** Key of an allow-list entry: Datanet, address. */
export const allowListKey: PairKeyCodec<bigint, Address> = pairKey(uint64Key, bytesKey);

/** Collections of datanet; the README tabulates them. */
export interface DatanetState {
  readonly params: Item<Params>;
  readonly datanetSequence: Sequence;
  readonly datanets: IndexedMap<bigint, Datanet>;
  readonly bySlug: UniqueIndex<string, bigint, Datanet>;
  readonly totals: StateMap<bigint, DatanetTotals>;
  readonly allowList: KeySet<Pair<bigint, Address>>;
  readonly contributionSequence: Sequence;
  readonly contributions: IndexedMap<bigint, Contribution>;
  readonly byDatanet: MultiIndex<bigint, bigint, Contribution>;
  readonly byContributor: MultiIndex<Address, bigint, Contribution>;
  /** The one contribution of a Datanet with a content. */
  readonly byContent: UniqueIndex<Pair<bigint, Uint8Array>, bigint, Contribution>;
  /** The first contribution of the chain with a content. */
  readonly canonical: StateMap<Uint8Array, bigint>;
  readonly snapshotSequence: Sequence;
  readonly snapshots: IndexedMap<bigint, Snapshot>;
  readonly snapshotsByDatanet: MultiIndex<bigint, bigint, Snapshot>;
  /** Full subtrees of each Datanet's log: Datanet, level, index. */
  readonly log: StateMap<Triple<bigint, number, bigint>, SumNode>;
  /** Accepted contributions by Datanet and position. */
  readonly byPosition: StateMap<Pair<bigint, bigint>, bigint>;
}

/** Declares the collections. */
export function datanetState(addresses: AddressCodec): DatanetState {
  const schema = new Schema(STORE_NAME);
  const at = (prefix: number, name: string) => ({ prefix: Uint8Array.of(prefix), name });
  const bySlug = new UniqueIndex<string, bigint, Datanet>(schema, {
    ...at(3, 'datanet_by_slug'),
    indexKey: stringKey,
    primaryKey: uint64Key,
    of: (_, datanet) => datanet.slug,
  });
  return {
    params: schema.item({ ...at(0, 'params'), value: memoized(Params) }),
    datanetSequence: schema.sequence(at(1, 'datanet_sequence')),
    datanets: new IndexedMap(schema, {
      ...at(2, 'datanets'),
      key: uint64Key,
      value: memoized(Datanet),
      indexes: [bySlug],
    }),
    bySlug,
    totals: schema.map({ ...at(4, 'totals'), key: uint64Key, value: DatanetTotals }),
    allowList: schema.keySet({ ...at(5, 'allow_list'), key: allowListKey }),
    ...contributionState(schema, addresses),
    ...snapshotState(schema),
  };
}

function contributionState(
  schema: Schema,
  addresses: AddressCodec,
): Pick<
  DatanetState,
  'contributionSequence' | 'contributions' | 'byDatanet' | 'byContributor' | 'byContent' | 'canonical'
> {
  const byDatanet = new MultiIndex<bigint, bigint, Contribution>(schema, {
    prefix: Uint8Array.of(8),
    name: 'contributions_by_datanet',
    indexKey: uint64Key,
    primaryKey: uint64Key,
    of: (_, contribution) => contribution.datanetId,
  });
  const byContributor = new MultiIndex<Address, bigint, Contribution>(schema, {
    prefix: Uint8Array.of(9),
    name: 'contributions_by_contributor',
    indexKey: bytesKey,
    primaryKey: uint64Key,
    of: (_, contribution) => addresses.toBytes(contribution.contributor),
  });
  const byContent = new UniqueIndex<Pair<bigint, Uint8Array>, bigint, Contribution>(schema, {
    prefix: Uint8Array.of(10),
    name: 'contribution_by_content',
    indexKey: pairKey(uint64Key, bytesKey),
    primaryKey: uint64Key,
    of: (_, contribution) => [contribution.datanetId, contribution.root],
  });
  return {
    contributionSequence: schema.sequence({ prefix: Uint8Array.of(6), name: 'contribution_sequence' }),
    contributions: new IndexedMap(schema, {
      prefix: Uint8Array.of(7),
      name: 'contributions',
      key: uint64Key,
      value: memoized(Contribution),
      indexes: [byDatanet, byContributor, byContent],
    }),
    byDatanet,
    byContributor,
    byContent,
    canonical: schema.map({
      prefix: Uint8Array.of(11),
      name: 'canonical',
      key: bytesKey,
      value: uint64Value,
    }),
  };
}

function snapshotState(
  schema: Schema,
): Pick<DatanetState, 'snapshotSequence' | 'snapshots' | 'snapshotsByDatanet' | 'log' | 'byPosition'> {
  const snapshotsByDatanet = new MultiIndex<bigint, bigint, Snapshot>(schema, {
    prefix: Uint8Array.of(14),
    name: 'snapshots_by_datanet',
    indexKey: uint64Key,
    primaryKey: uint64Key,
    of: (_, snapshot) => snapshot.datanetId,
  });
  return {
    snapshotSequence: schema.sequence({ prefix: Uint8Array.of(12), name: 'snapshot_sequence' }),
    snapshots: new IndexedMap(schema, {
      prefix: Uint8Array.of(13),
      name: 'snapshots',
      key: uint64Key,
      value: memoized(Snapshot),
      indexes: [snapshotsByDatanet],
    }),
    snapshotsByDatanet,
    log: schema.map({
      prefix: Uint8Array.of(15),
      name: 'log',
      key: tripleKey(uint64Key, uint32Key, uint64Key),
      value: SumNode,
    }),
    byPosition: schema.map({
      prefix: Uint8Array.of(16),
      name: 'contribution_by_position',
      key: pairKey(uint64Key, uint64Key),
      value: uint64Value,
    }),
  };
}
