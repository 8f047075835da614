/** Where shards, indexes and model cards stand: it follows from the height, so nothing is written for it. */
import { ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';

/** Heights of an object with a bond. */
export interface Bonded {
  readonly activeHeight: bigint;
  /** 0: not convicted. */
  readonly voidedHeight: bigint;
  /** 0: in use. */
  readonly releaseHeight: bigint;
  /** Of a model card: no new claims, though open ones may still rest on it. */
  readonly retired?: boolean;
}

/** Of a shard or a model card in the block of a height. */
export function standingOf(
  { activeHeight, voidedHeight, releaseHeight, retired = false }: Bonded,
  height: bigint,
): ObjectState {
  if (voidedHeight > 0n) return ObjectState.OBJECT_STATE_VOIDED;
  if (releaseHeight > 0n || retired) return ObjectState.OBJECT_STATE_UNBONDING;
  return height < activeHeight ? ObjectState.OBJECT_STATE_PENDING : ObjectState.OBJECT_STATE_ACTIVE;
}

/**
 * Of an index: voided when a shard is, else unbonding when it is retired, else pending while a shard is, else
 * active.
 */
export function standingOfIndex(
  { retired }: { readonly retired: boolean },
  shards: readonly Bonded[],
  height: bigint,
): ObjectState {
  const states = shards.map((shard) => standingOf(shard, height));
  if (states.includes(ObjectState.OBJECT_STATE_VOIDED)) return ObjectState.OBJECT_STATE_VOIDED;
  if (retired) return ObjectState.OBJECT_STATE_UNBONDING;
  return states.includes(ObjectState.OBJECT_STATE_PENDING)
    ? ObjectState.OBJECT_STATE_PENDING
    : ObjectState.OBJECT_STATE_ACTIVE;
}

/** For sentences. */
export const STANDING_NAMES: Readonly<Record<number, string>> = {
  [ObjectState.OBJECT_STATE_PENDING]: 'still in its challenge window',
  [ObjectState.OBJECT_STATE_ACTIVE]: 'active',
  [ObjectState.OBJECT_STATE_VOIDED]: 'voided',
  [ObjectState.OBJECT_STATE_UNBONDING]: 'retired',
};
