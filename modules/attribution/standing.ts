/**
 * Where shards, indexes and model cards stand: it follows from the height, so nothing is written for it.
 * While requests about a pending object are open its window stands still: who answers late gains no time.
 */
import { ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';

/** Windows that the window of an object can stand still, altogether. */
const PAUSED_WINDOWS_MAX = 2n;

/** The challenge window of an object. */
export interface Window {
  /** Its end, if it does not stand still. */
  readonly activeHeight: bigint;
  /** Since when it stands still; 0 while it does not. */
  readonly pausedHeight: bigint;
  /** Blocks that it can still do so. */
  readonly pauseLeft: bigint;
}

/** Heights of an object with a bond. */
export interface Bonded extends Window {
  /** 0: not convicted. */
  readonly voidedHeight: bigint;
  /** 0: in use. */
  readonly releaseHeight: bigint;
  /** Of a model card: no new claims, though open ones may still rest on it. */
  readonly retired?: boolean;
}

/** Of a shard or a model card in the block of a height. */
export function standingOf(
  { voidedHeight, releaseHeight, retired = false, ...window }: Bonded,
  height: bigint,
): ObjectState {
  if (voidedHeight > 0n) return ObjectState.OBJECT_STATE_VOIDED;
  if (releaseHeight > 0n || retired) return ObjectState.OBJECT_STATE_UNBONDING;
  return isOpen(window, height) ? ObjectState.OBJECT_STATE_PENDING : ObjectState.OBJECT_STATE_ACTIVE;
}

/** The window of an object that is published at a height, of so many blocks. */
export function newWindow(height: bigint, blocks: bigint): Window {
  return { activeHeight: height + blocks, pausedHeight: 0n, pauseLeft: PAUSED_WINDOWS_MAX * blocks };
}

function isOpen(window: Window, height: bigint): boolean {
  return height - pausedFor(window, height) < window.activeHeight;
}

function pausedFor({ pausedHeight, pauseLeft }: Window, height: bigint): bigint {
  // A chain that was exported for height 0 goes on below the heights that it wrote.
  if (pausedHeight === 0n || pausedHeight > height) return 0n;
  const paused = height - pausedHeight;
  return paused < pauseLeft ? paused : pauseLeft;
}

/** An object that requests are about. */
type Asked = Window & { readonly openRequests: number };

/**
 * What cannot be of a window, standing still or not, for a person; undefined when all is right. A block
 * of standing still is taken from `pauseLeft` and put to `activeHeight`, so both bounds hold at all times, at
 * whatever height the chain is.
 */
export function problemOfPause(object: Asked & { readonly height: bigint }): string | undefined {
  const { height, activeHeight, pausedHeight, pauseLeft, openRequests } = object;
  if (pausedHeight < 0n || pauseLeft < 0n) return 'has a negative paused_height or pause_left';
  if (pausedHeight > 0n && openRequests === 0) return 'stands still although nothing is asked about it';
  if (pausedHeight > 0n && pausedHeight >= activeHeight)
    return `stands still since ${pausedHeight}, when its window was over (${activeHeight})`;
  const most = PAUSED_WINDOWS_MAX * (activeHeight - height);
  return pauseLeft > most ? `could stand still for ${pauseLeft} blocks more, at most ${most}` : undefined;
}

/** One more request is open: an open window stands still from the first one on. */
export function withRequest<T extends Asked>(object: T, height: bigint): T {
  const begins = object.openRequests === 0 && isOpen(object, height);
  const pausedHeight = begins ? height : object.pausedHeight;
  return { ...object, pausedHeight, openRequests: object.openRequests + 1 };
}

/** One request less is open: with the last one the window goes on. */
export function withoutRequest<T extends Asked>(object: T, height: bigint): T {
  const openRequests = object.openRequests - 1;
  if (openRequests > 0) return { ...object, openRequests };
  const paused = pausedFor(object, height);
  const activeHeight = object.activeHeight + paused;
  return { ...object, openRequests, activeHeight, pausedHeight: 0n, pauseLeft: object.pauseLeft - paused };
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
