/**
 * Changes of weights that wait: a queue for each pool, and turns among the pools, so that what is ordered in
 * one pool holds up another by no more than its share of a block. A pool with changes has one turn: the
 * height from which on it is served. Pools whose turn has come are served one change each, round by round,
 * the longest waiting first, equals by their keys; one that was served and has more is behind all that wait
 * already. So pools that a block serves at all get the same number of changes, to one.
 *
 * When governance makes epochs shorter, a change that was ordered before may be due long after one that is
 * ordered now. It does not hold the later one up: the next order of its pool brings it forward, and what is
 * due after the present epoch would end is due when its pool is served.
 */
import { assert } from '../../core/errors.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { WeightChange } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { CHANGE_ROWS_MAX, rowsOfSlot } from './limits.ts';
import { paramsOf } from './pools.ts';
import type { PoolsCore } from './ports.ts';
import { changeKeyCodec, type PoolKey, poolKey } from './state.ts';

type Waiting = readonly [number: bigint, change: WeightChange];

/** A pool whose turn it is. */
interface Served {
  readonly pool: PoolKey;
  /** Height of its turn. */
  readonly turn: bigint;
  readonly rows: number;
  readonly queue: Iterator<Waiting>;
  /** The next that waits; undefined when none does. */
  next: Waiting | undefined;
  readonly taken: Waiting[];
}

/** Puts an order behind those of its pool, which are not due after it. */
export function orderChange(k: PoolsCore, context: Context, number: bigint, change: WeightChange): void {
  const pool = poolKey(change.pool);
  const first = firstOf(k, context, pool);
  const { effectiveHeight } = change;
  if (first !== undefined && first[1].effectiveHeight > effectiveHeight) {
    k.state.changeTurns.remove(context, [first[1].effectiveHeight, pool]);
    k.state.changeTurns.add(context, [effectiveHeight, pool]);
    k.state.changes.set(context, [pool, first[0]], { ...first[1], effectiveHeight });
  }
  insertChange(k, context, number, change);
}

/** Puts a change behind those of its pool; numbers ascend. */
export function insertChange(k: PoolsCore, context: Context, number: bigint, change: WeightChange): void {
  const pool = poolKey(change.pool);
  if (firstOf(k, context, pool) === undefined)
    k.state.changeTurns.add(context, [change.effectiveHeight, pool]);
  k.state.changes.set(context, [pool, number], change);
}

/**
 * Removes the changes that this block does, in the order in which they are to be applied. A block does
 * `CHANGE_ROWS_MAX` rows; one change that is more comes alone.
 */
export function takeDueChanges(k: PoolsCore, context: Context): readonly WeightChange[] {
  const served = whoseTurnItIs(k, context);
  const due = takeByRounds(served, dueAt(k, context));
  for (const one of served) settleTurn(k, context, one);
  return due;
}

/** Pools whose turn has come, no more than a block can do one change of. */
function whoseTurnItIs(k: PoolsCore, context: ReadContext): readonly Served[] {
  const served: Served[] = [];
  let rows = 0;
  for (const [turn, pool] of k.state.changeTurns.iterate(context)) {
    if (turn > context.block.height) break;
    const one = rowsOfSlot(k.state.pools.require(context, pool));
    rows += one;
    if (served.length > 0 && rows > CHANGE_ROWS_MAX) break;
    const queue = waitingOf(k, context, pool);
    const next = nextOf(queue);
    assert(next !== undefined, 'a pool has a turn and no changes');
    served.push({ pool, turn, rows: one, queue, next, taken: [] });
  }
  return served;
}

/** Tells of a change that it is due, in this block. */
function dueAt(k: PoolsCore, context: ReadContext): (change: WeightChange) => boolean {
  const { height } = context.block;
  const epochEnds = epochEnd(height, paramsOf(k, context).epochBlocks);
  return ({ effectiveHeight }) => effectiveHeight <= height || effectiveHeight > epochEnds;
}

/** The height at which the epoch of a height ends: the least multiple that is not below it. */
export function epochEnd(height: bigint, epochBlocks: number): bigint {
  const of = BigInt(epochBlocks);
  return ((height + of - 1n) / of) * of;
}

/** One change of each pool a round, until nothing is due or the next does not fit. */
function takeByRounds(
  served: readonly Served[],
  isDue: (change: WeightChange) => boolean,
): readonly WeightChange[] {
  const due: WeightChange[] = [];
  let rows = 0;
  let open = served;
  while (open.length > 0) {
    const still: Served[] = [];
    for (const one of open) {
      const { next } = one;
      if (next === undefined || !isDue(next[1])) continue;
      rows += one.rows;
      if (due.length > 0 && rows > CHANGE_ROWS_MAX) return due;
      due.push(next[1]);
      one.taken.push(next);
      one.next = nextOf(one.queue);
      still.push(one);
    }
    open = still;
  }
  return due;
}

/** Removes what was taken; the next turn is when the next change is due, behind the pools that wait now. */
function settleTurn(k: PoolsCore, context: Context, one: Served): void {
  const { pool, turn, next, taken } = one;
  for (const [number] of taken) k.state.changes.remove(context, [pool, number]);
  k.state.changeTurns.remove(context, [turn, pool]);
  if (next === undefined) return;
  const [number, change] = next;
  const { height } = context.block;
  const isDue = dueAt(k, context)(change);
  // So that it is not due after its turn.
  if (isDue && change.effectiveHeight > height)
    k.state.changes.set(context, [pool, number], { ...change, effectiveHeight: height });
  k.state.changeTurns.add(context, [isDue ? height + 1n : change.effectiveHeight, pool]);
}

function firstOf(k: PoolsCore, context: ReadContext, pool: PoolKey): Waiting | undefined {
  return nextOf(waitingOf(k, context, pool));
}

function* waitingOf(k: PoolsCore, context: ReadContext, pool: PoolKey): Generator<Waiting> {
  const prefix = changeKeyCodec.prefix(pool);
  for (const [[, number], change] of k.state.changes.iterate(context, { prefix })) yield [number, change];
}

function nextOf(queue: Iterator<Waiting>): Waiting | undefined {
  const { done, value } = queue.next();
  return done === true ? undefined : value;
}
