/** Which node of which pool's tree others mean, and how a credit writes down what it is for. */
import type { Address } from '../../framework/address.ts';
import { type Credit, type PoolId, PoolKind } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { nodesOfPrefix, type Place } from './tree.ts';
import type { PoolPlace, PoolSource } from './types.ts';

/** A node of a pool. */
export interface PoolNode {
  readonly pool: PoolId;
  /** A node, or those who have the slots below a number. Default: the root, which is everybody. */
  readonly place?: Place | SlotPrefix;
}

/** The slots below a number, which is above 0. */
export interface SlotPrefix {
  readonly slotsBelow: bigint;
}

/** As a credit has it. Zeros: neither receipt nor epoch. */
export type CreditSource = Pick<Credit, 'receiptId' | 'epochId' | 'epochRow'>;

/** Money for a node: a slot's is its owner's whole, that of a node above is divided by weight below it. */
export interface NodeRow extends PoolNode {
  readonly amount: bigint;
  readonly source: CreditSource;
}

/** Money of one payer for any number of nodes. */
export interface NodePayment {
  readonly from: Address;
  readonly denom: string;
  readonly rows: readonly NodeRow[];
}

/** The pool of a Datanet's contributors: a slot for each position of its log. */
export function datanetPool(datanetId: bigint): PoolId {
  return { kind: PoolKind.POOL_KIND_DATANET, subject: datanetId };
}

/** The pool of a model's lineage. */
export function modelPool(modelId: bigint): PoolId {
  return { kind: PoolKind.POOL_KIND_MODEL, subject: modelId };
}

/** The node of a place. */
export function nodeOf(place: PoolPlace): PoolNode {
  if ('modelId' in place) return { pool: modelPool(place.modelId) };
  const pool = datanetPool(place.datanetId);
  if ('positions' in place) return { pool, place: { slotsBelow: place.positions } };
  return { pool, place: { level: 0, index: place.position } };
}

/** The nodes that a credit was paid to: one, or those that tile a prefix. */
export function nodesOfCredit({ place, prefix }: Pick<Credit, 'place' | 'prefix'>): readonly Place[] {
  return prefix === 0n ? [place] : nodesOfPrefix(prefix, place.level);
}

/** What a credit writes down. */
export function creditSource(source: PoolSource): CreditSource {
  return { receiptId: 0n, epochId: 0n, epochRow: 0, ...source };
}
