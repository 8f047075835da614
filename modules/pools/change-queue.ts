/**
 * Changes of weights that wait: a queue for each pool, and turns among the pools, so that what is ordered in
 * one pool holds up another by no more than its share of a block. A pool with changes has one turn: the
 * height from which on it is served. Pools whose turn has come are served one change each, round by round,
 * the longest waiting first, equals by their keys; one that was served and has more is behind all that wait
 * already. So pools that a block serves at all get the same number of changes, to one.
 *
 * When governance makes epochs shorter, a change that was ordered before may be due long after one that is
 * ordered now. It does not hold the later one up: a change is due when any of its pool that was ordered
 * behind it is, and never within an epoch. `changeDues` has a row for each height at which some are due, with
 * the number of the last of them; heights ascend as numbers do, and an order removes rows of later heights.
 */
import { assert } from '../../core/errors.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { WeightChange } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { CHANGE_ROWS_MAX, rowsOfSlot } from './limits.ts';
import type { PoolsCore } from './ports.ts';
import { changeKeyCodec, type PoolKey, poolKey } from './state.ts';

/** A change that waits. */
interface Waiting {
  readonly number: bigint;
  readonly change: WeightChange;
  /** Height from which on it is due. */
  readonly due: bigint;
  /** The last that is due then, of its pool. */
  readonly isLast: boolean;
}

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

/** Puts an order behind those of its pool, which are due when it is; numbers ascend. */
export function orderChange(k: PoolsCore, context: Context, number: bigint, change: WeightChange): void {
  const { changes, changeDues, changeTurns } = k.state;
  const pool = poolKey(change.pool);
  const prefix = changeKeyCodec.prefix(pool);
  const { effectiveHeight } = change;
  const first = nextOf(changeDues.iterate(context, { prefix }));
  for (const key of duesFrom(k, context, pool, effectiveHeight)) changeDues.remove(context, key);
  changeDues.set(context, [pool, number], effectiveHeight);
  changes.set(context, [pool, number], change);
  const due = first?.[1];
  if (due !== undefined && due <= effectiveHeight) return;
  if (due !== undefined) changeTurns.remove(context, [due, pool]);
  changeTurns.add(context, [effectiveHeight, pool]);
}

/** Rows of a pool that name this height or a later one. */
function duesFrom(
  k: PoolsCore,
  context: ReadContext,
  pool: PoolKey,
  height: bigint,
): readonly (readonly [PoolKey, bigint])[] {
  const found: (readonly [PoolKey, bigint])[] = [];
  const prefix = changeKeyCodec.prefix(pool);
  for (const [key, due] of k.state.changeDues.iterate(context, { prefix, reverse: true })) {
    if (due < height) break;
    found.push(key);
  }
  return found;
}

/**
 * Removes the changes that this block does, in the order in which they are to be applied. A block does
 * `CHANGE_ROWS_MAX` rows; one change that is more comes alone.
 */
export function takeDueChanges(k: PoolsCore, context: Context): readonly WeightChange[] {
  const served = whoseTurnItIs(k, context);
  const due = takeByRounds(served, context.block.height);
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

/** The height at which the epoch of a height ends: the least multiple that is not below it. */
export function epochEnd(height: bigint, epochBlocks: number): bigint {
  const of = BigInt(epochBlocks);
  return ((height + of - 1n) / of) * of;
}

/** One change of each pool a round, until nothing is due or the next does not fit. */
function takeByRounds(served: readonly Served[], height: bigint): readonly WeightChange[] {
  const due: WeightChange[] = [];
  let rows = 0;
  let open = served;
  while (open.length > 0) {
    const still: Served[] = [];
    for (const one of open) {
      const { next } = one;
      if (next === undefined || next.due > height) continue;
      rows += one.rows;
      if (due.length > 0 && rows > CHANGE_ROWS_MAX) return due;
      due.push(next.change);
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
  for (const { number, isLast } of taken) {
    k.state.changes.remove(context, [pool, number]);
    if (isLast) k.state.changeDues.remove(context, [pool, number]);
  }
  k.state.changeTurns.remove(context, [turn, pool]);
  if (next === undefined) return;
  const { height } = context.block;
  k.state.changeTurns.add(context, [next.due > height ? next.due : height + 1n, pool]);
}

function* waitingOf(k: PoolsCore, context: ReadContext, pool: PoolKey): Generator<Waiting> {
  const prefix = changeKeyCodec.prefix(pool);
  const dues = k.state.changeDues.iterate(context, { prefix });
  let until = nextOf(dues);
  for (const [[, number], change] of k.state.changes.iterate(context, { prefix })) {
    assert(until !== undefined, 'a change is never due');
    const [[, last], due]: readonly [readonly [PoolKey, bigint], bigint] = until;
    yield { number, change, due, isLast: number === last };
    if (number === last) until = nextOf(dues);
  }
}

function nextOf<T>(queue: Iterator<T>): T | undefined {
  const { done, value } = queue.next();
  return done === true ? undefined : value;
}
