import type { Address } from '../../framework/address.ts';
import { type Item, type KeySet, Schema, type Sequence, type StateMap } from '../../framework/collections.ts';
import {
  bytesKey,
  type Pair,
  type PairKeyCodec,
  pairKey,
  stringKey,
  type Triple,
  type TripleKeyCodec,
  tripleKey,
  uint32Key,
  uint64Key,
} from '../../framework/keys.ts';
import { memoized, uint64Value } from '../../framework/values.ts';
import {
  AutoClaim,
  Credit,
  Params,
  Pool,
  type PoolId,
  Slot,
  WeightChange,
} from '../../proto/gen/openledger/pools/v1/pools.ts';
import type { Debt, NodeBalance, PoolTotals } from './arithmetic.ts';
import { balanceValue, debtValue, totalsValue } from './wire.ts';

/** Store of pools, and the name of its module account. */
export const STORE_NAME = 'pools';

/** A pool: kind, subject. */
export type PoolKey = Pair<number, bigint>;
/** A node: pool, level, index. */
export type NodeKey = Triple<PoolKey, number, bigint>;
/** A slot: pool, index. */
export type SlotKey = Pair<PoolKey, bigint>;

const poolKeyCodec: PairKeyCodec<number, bigint> = pairKey(uint32Key, uint64Key);
const slotKeyCodec: PairKeyCodec<PoolKey, bigint> = pairKey(poolKeyCodec, uint64Key);
const nodeKeyCodec: TripleKeyCodec<PoolKey, number, bigint> = tripleKey(poolKeyCodec, uint32Key, uint64Key);

/** Changes of a pool: pool, number. */
export const changeKeyCodec: PairKeyCodec<PoolKey, bigint> = pairKey(poolKeyCodec, uint64Key);

/** Slots of an owner: address, pool, slot. */
export const ownerKeyCodec: TripleKeyCodec<Address, PoolKey, bigint> = tripleKey(
  bytesKey,
  poolKeyCodec,
  uint64Key,
);

/** Credits of a node in a denomination: node, denomination, id. */
export const creditKeyCodec: TripleKeyCodec<NodeKey, string, bigint> = tripleKey(
  nodeKeyCodec,
  stringKey,
  uint64Key,
);

/** Key of a pool. */
export function poolKey({ kind, subject }: PoolId): PoolKey {
  return [kind, subject];
}

/** Collections of pools; the README tabulates them. */
export interface PoolState {
  readonly params: Item<Params>;
  readonly pools: StateMap<PoolKey, Pool>;
  /** Of nodes that have some. */
  readonly weights: StateMap<NodeKey, bigint>;
  /** Node, denomination. */
  readonly balances: StateMap<Pair<NodeKey, string>, NodeBalance>;
  readonly slots: StateMap<SlotKey, Slot>;
  /** Slot, denomination. */
  readonly debts: StateMap<Pair<SlotKey, string>, Debt>;
  /** Pool, denomination. */
  readonly totals: StateMap<Pair<PoolKey, string>, PoolTotals>;
  readonly byOwner: KeySet<Triple<Address, PoolKey, bigint>>;
  readonly changeSequence: Sequence;
  /** By pool and number: the order in which a pool's are applied. */
  readonly changes: StateMap<Pair<PoolKey, bigint>, WeightChange>;
  /** By pool and the number of a change: when that and those before it are due, if no earlier row says. */
  readonly changeDues: StateMap<Pair<PoolKey, bigint>, bigint>;
  /** Each pool that has changes, behind the height from which on it is its turn. */
  readonly changeTurns: KeySet<Pair<bigint, PoolKey>>;
  readonly autoClaims: StateMap<SlotKey, AutoClaim>;
  /** Height at which it is due, pool, slot. */
  readonly autoClaimQueue: KeySet<Triple<bigint, PoolKey, bigint>>;
  readonly creditSequence: Sequence;
  readonly credits: StateMap<bigint, Credit>;
  readonly creditsByNode: KeySet<Triple<NodeKey, string, bigint>>;
}

/** Declares the collections. */
export function poolState(): PoolState {
  const schema = new Schema(STORE_NAME);
  const at = (prefix: number, name: string) => ({ prefix: Uint8Array.of(prefix), name });
  const debtKey = pairKey(slotKeyCodec, stringKey);
  const balanceKey = pairKey(nodeKeyCodec, stringKey);
  const queueKey = tripleKey(uint64Key, poolKeyCodec, uint64Key);
  return {
    params: schema.item({ ...at(0, 'params'), value: memoized(Params) }),
    pools: schema.map({ ...at(1, 'pools'), key: poolKeyCodec, value: memoized(Pool) }),
    weights: schema.map({ ...at(2, 'weights'), key: nodeKeyCodec, value: uint64Value }),
    balances: schema.map({ ...at(3, 'balances'), key: balanceKey, value: balanceValue }),
    slots: schema.map({ ...at(4, 'slots'), key: slotKeyCodec, value: Slot }),
    debts: schema.map({ ...at(5, 'debts'), key: debtKey, value: debtValue }),
    totals: schema.map({ ...at(6, 'totals'), key: pairKey(poolKeyCodec, stringKey), value: totalsValue }),
    byOwner: schema.keySet({ ...at(7, 'slots_by_owner'), key: ownerKeyCodec }),
    changeSequence: schema.sequence(at(8, 'change_sequence')),
    changes: schema.map({ ...at(9, 'changes'), key: changeKeyCodec, value: WeightChange }),
    changeDues: schema.map({ ...at(16, 'change_dues'), key: changeKeyCodec, value: uint64Value }),
    changeTurns: schema.keySet({ ...at(15, 'change_turns'), key: pairKey(uint64Key, poolKeyCodec) }),
    autoClaims: schema.map({ ...at(10, 'auto_claims'), key: slotKeyCodec, value: AutoClaim }),
    autoClaimQueue: schema.keySet({ ...at(11, 'auto_claim_queue'), key: queueKey }),
    creditSequence: schema.sequence(at(12, 'credit_sequence')),
    credits: schema.map({ ...at(13, 'credits'), key: uint64Key, value: Credit }),
    creditsByNode: schema.keySet({ ...at(14, 'credits_by_node'), key: creditKeyCodec }),
  };
}
