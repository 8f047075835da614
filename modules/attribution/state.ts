import type { Address } from '../../framework/address.ts';
import { type Item, type KeySet, Schema, type Sequence, type StateMap } from '../../framework/collections.ts';
import { IndexedMap, MultiIndex } from '../../framework/indexed-map.ts';
import {
  bytesKey,
  int64Key,
  type KeyCodec,
  type Pair,
  type PairKeyCodec,
  pairKey,
  type Triple,
  tripleKey,
  uint32Key,
  uint64Key,
} from '../../framework/keys.ts';
import { memoized, uint64Value } from '../../framework/values.ts';
import {
  ChunkRequest,
  ClaimRecord,
  Index,
  ModelCard,
  Params,
  ParamsVersion,
  Shard,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';

/** Store of attribution, and the name of its module account. */
export const STORE_NAME = 'attribution';

/** Key of the index of claims that pay a contribution: contribution, claim. */
export const contributionClaimKey: PairKeyCodec<bigint, bigint> = pairKey(uint64Key, uint64Key);

/** Key of a queue: height, then id. */
const queueKey: PairKeyCodec<bigint, bigint> = pairKey(int64Key, uint64Key);

/** What a request is about, by `TARGET_NUMBERS` and id; tree and document; chunk. */
export type PlaceKey = Triple<Pair<number, bigint>, Pair<number, number>, number>;

const placeKey: KeyCodec<PlaceKey> = tripleKey(
  pairKey(uint32Key, uint64Key),
  pairKey(uint32Key, uint32Key),
  uint32Key,
);

/** Key of the indexes that hold a shard and are not retired: shard, index. */
export const indexOfShardKey: PairKeyCodec<bigint, bigint> = pairKey(uint64Key, uint64Key);

/** What waits for a height, by height and id. */
export type HeightQueue = KeySet<Pair<bigint, bigint>>;

/** Collections of attribution; the README tabulates them. */
export interface AttributionState {
  readonly params: Item<Params>;
  readonly sequence: Sequence;
  readonly claims: StateMap<bigint, ClaimRecord>;
  readonly byContribution: KeySet<Pair<bigint, bigint>>;
  /** Changes of parameters so far. */
  readonly paramsChanges: Sequence;
  /** Versions that objects use. */
  readonly versions: StateMap<bigint, ParamsVersion>;
  readonly shardSequence: Sequence;
  readonly shards: StateMap<bigint, Shard>;
  /** Shards whose bonds are given back. */
  readonly shardReleases: HeightQueue;
  readonly indexSequence: Sequence;
  readonly indexes: IndexedMap<bigint, Index>;
  readonly bySnapshot: MultiIndex<bigint, bigint, Index>;
  /** Those that are not retired. */
  readonly indexesOfShard: KeySet<Pair<bigint, bigint>>;
  /** Convicted shards whose indexes end. */
  readonly voidedShards: HeightQueue;
  readonly requestSequence: Sequence;
  readonly requests: StateMap<bigint, ChunkRequest>;
  /** By the last block in which they can be answered. */
  readonly deadlines: HeightQueue;
  /** The open request for a place. */
  readonly requestPlaces: StateMap<PlaceKey, bigint>;
  /** Open requests of an account. */
  readonly requestsOf: StateMap<Address, bigint>;
  /** Optimistic claims by the block in which they are decided: `due_height`. */
  readonly openClaims: HeightQueue;
  /** Claims with their proofs by the last block in which they can be paid. */
  readonly provedClaims: HeightQueue;
  readonly cardSequence: Sequence;
  readonly cards: IndexedMap<bigint, ModelCard>;
  readonly byModel: MultiIndex<bigint, bigint, ModelCard>;
  /** Model cards whose bonds are given back. */
  readonly cardReleases: HeightQueue;
}

/** Declares the collections. */
export function attributionState(): AttributionState {
  const schema = new Schema(STORE_NAME);
  const at = (prefix: number, name: string) => ({ prefix: Uint8Array.of(prefix), name });
  const queue = (prefix: number, name: string): HeightQueue =>
    schema.keySet({ ...at(prefix, name), key: queueKey });
  return {
    params: schema.item({ ...at(0, 'params'), value: memoized(Params) }),
    sequence: schema.sequence(at(1, 'sequence')),
    claims: schema.map({ ...at(2, 'claims'), key: uint64Key, value: ClaimRecord }),
    byContribution: schema.keySet({ ...at(3, 'claims_by_contribution'), key: contributionClaimKey }),
    paramsChanges: schema.sequence(at(4, 'params_changes')),
    versions: schema.map({ ...at(5, 'params_versions'), key: uint64Key, value: ParamsVersion }),
    shardSequence: schema.sequence(at(6, 'shard_sequence')),
    shards: schema.map({ ...at(7, 'shards'), key: uint64Key, value: Shard }),
    shardReleases: queue(8, 'shard_releases'),
    ...indexState(schema),
    requestSequence: schema.sequence(at(12, 'request_sequence')),
    requests: schema.map({ ...at(13, 'requests'), key: uint64Key, value: ChunkRequest }),
    deadlines: queue(14, 'request_deadlines'),
    requestsOf: schema.map({ ...at(15, 'requests_by_account'), key: bytesKey, value: uint64Value }),
    openClaims: queue(16, 'open_claims'),
    provedClaims: queue(24, 'proved_claims'),
    indexesOfShard: schema.keySet({ ...at(25, 'indexes_of_shard'), key: indexOfShardKey }),
    voidedShards: queue(26, 'voided_shards'),
    ...cardState(schema),
    cardReleases: queue(20, 'card_releases'),
    requestPlaces: schema.map({ ...at(21, 'request_places'), key: placeKey, value: uint64Value }),
  };
}

function indexState(schema: Schema): Pick<AttributionState, 'indexSequence' | 'indexes' | 'bySnapshot'> {
  const bySnapshot = new MultiIndex<bigint, bigint, Index>(schema, {
    prefix: Uint8Array.of(11),
    name: 'indexes_by_snapshot',
    indexKey: uint64Key,
    primaryKey: uint64Key,
    of: (_, { snapshotId }) => snapshotId,
  });
  return {
    indexSequence: schema.sequence({ prefix: Uint8Array.of(9), name: 'index_sequence' }),
    indexes: new IndexedMap(schema, {
      prefix: Uint8Array.of(10),
      name: 'indexes',
      key: uint64Key,
      value: Index,
      indexes: [bySnapshot],
    }),
    bySnapshot,
  };
}

function cardState(schema: Schema): Pick<AttributionState, 'cardSequence' | 'cards' | 'byModel'> {
  const byModel = new MultiIndex<bigint, bigint, ModelCard>(schema, {
    prefix: Uint8Array.of(19),
    name: 'cards_by_model',
    indexKey: uint64Key,
    primaryKey: uint64Key,
    of: (_, { modelId }) => modelId,
  });
  return {
    cardSequence: schema.sequence({ prefix: Uint8Array.of(17), name: 'card_sequence' }),
    cards: new IndexedMap(schema, {
      prefix: Uint8Array.of(18),
      name: 'cards',
      key: uint64Key,
      value: ModelCard,
      indexes: [byModel],
    }),
    byModel,
  };
}
