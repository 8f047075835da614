/**
 * Sustained load: signed transactions broadcast in batches over several connections, counted when committed.
 */
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningDevnet } from '../e2e/program.ts';
import { Lane } from './lane.ts';

/** Transactions in one JSON-RPC batch. */
const BATCH = 100;
/** Connections to each node. */
const LANES_PER_NODE = 8;
/** Sent and not yet committed at most: beyond it the senders wait for blocks. */
const OUTSTANDING_MAX = 12_000;

/** What a load gave. */
export interface ThroughputResult {
  readonly committed: number;
  readonly failed: number;
  readonly refused: number;
  readonly refusal: string | undefined;
  readonly seconds: number;
  readonly perSecond: number;
  readonly blocks: number;
  readonly largestBlock: number;
}

/** What is sent: one list for each lane; a sender's transactions are in one list, in order. */
export interface Load {
  readonly devnet: RunningDevnet;
  readonly lists: readonly (readonly Uint8Array[])[];
  readonly seconds: number;
  /** Transactions a second over all lists; undefined: as fast as the chain takes them. */
  readonly rate?: number | undefined;
  readonly onBlock?: () => void;
}

/** How many lists a load needs. */
export function laneCount(nodes: number): number {
  return nodes * LANES_PER_NODE;
}

/**
 * Sends until the time is over or nothing is left. The rate is that of the blocks between the first that
 * holds load and the last one before the end: filling and draining are not counted.
 */
export async function runLoad(load: Load): Promise<ThroughputResult> {
  const { devnet } = load;
  const window = new Window();
  const arrivals: Arrival[] = [];
  const stopListening = devnet.onBlock((block) => {
    arrivals.push({ atMs: performance.now(), txs: block.txs, failed: block.failed });
    window.committed(block.txs);
    load.onBlock?.();
  });
  const endMs = performance.now() + load.seconds * 1000;
  const tallies = await Promise.all(
    load.lists.map((list, i) => {
      const node = devnet.ready.nodes[i % devnet.ready.nodes.length];
      const rate = load.rate === undefined ? undefined : load.rate / load.lists.length;
      return sendList({ rpc: node?.rpc ?? '', list, endMs, window, rate });
    }),
  );
  const sentUntilMs = performance.now();
  await window.drained(() => devnet.moreBlocks(1));
  stopListening();
  const failed = sum(arrivals.map((each) => each.failed));
  const loaded = loadedBlocks(arrivals, sentUntilMs);
  const first = loaded[0];
  const last = loaded.at(-1);
  const counted = sum(loaded.slice(1).map((each) => each.txs - each.failed));
  const seconds = first === undefined || last === undefined ? 0 : (last.atMs - first.atMs) / 1000;
  return {
    committed: sum(arrivals.map((each) => each.txs)) - failed,
    failed,
    refused: sum(tallies.map((tally) => tally.refused)),
    refusal: tallies.find((tally) => tally.refusal !== undefined)?.refusal,
    seconds,
    perSecond: seconds === 0 ? 0 : counted / seconds,
    blocks: loaded.length,
    largestBlock: Math.max(0, ...loaded.map((each) => each.txs)),
  };
}

interface Arrival {
  readonly atMs: number;
  readonly txs: number;
  readonly failed: number;
}

/**
 * The blocks that the rate is taken of: those with load until the sending ended, or, where fewer than two
 * came in that time, all with load.
 * @throws Error when there are fewer than two: there is no rate then
 */
function loadedBlocks(arrivals: readonly Arrival[], sentUntilMs: number): readonly Arrival[] {
  const all = arrivals.filter((each) => each.txs > 0);
  const inTime = all.filter((each) => each.atMs <= sentUntilMs);
  const loaded = inTime.length >= 2 ? inTime : all;
  if (loaded.length >= 2) return loaded;
  throw new Error(
    `only ${loaded.length} block(s) with load were committed (${arrivals.length} blocks came in all): there is no ` +
      `rate to report. The machine is too busy (load average ${(loadavg()[0] ?? 0).toFixed(1)}) or the time too ` +
      'short: quieten it, or give more --seconds',
  );
}

interface Sending {
  readonly rpc: string;
  readonly list: readonly Uint8Array[];
  readonly endMs: number;
  readonly window: Window;
  /** Of this list. */
  readonly rate: number | undefined;
}

async function sendList({
  rpc,
  list,
  endMs,
  window,
  rate,
}: Sending): Promise<{ refused: number; refusal?: string }> {
  const lane = new Lane(rpc);
  const startMs = performance.now();
  let refused = 0;
  let refusal: string | undefined;
  for (let i = 0; i < list.length && performance.now() < endMs; i += BATCH) {
    const batch = list.slice(i, i + BATCH);
    if (rate !== undefined) await delay(Math.max(0, startMs + (1000 * i) / rate - performance.now()));
    await window.take(batch.length, endMs);
    const result = await lane.broadcast(batch);
    window.refused(result.refused);
    refused += result.refused;
    refusal ??= result.refusal;
  }
  lane.close();
  return refusal === undefined ? { refused } : { refused, refusal };
}

/** Bounds what is sent and not yet committed. */
class Window {
  #outstanding = 0;
  #waiting: (() => void)[] = [];

  committed(count: number): void {
    this.#outstanding -= count;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  refused(count: number): void {
    this.#outstanding -= count;
  }

  async take(count: number, endMs: number): Promise<void> {
    while (this.#outstanding + count > OUTSTANDING_MAX && performance.now() < endMs) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#outstanding += count;
  }

  /** Waits until everything is committed, or blocks come without anything left to commit. */
  async drained(nextBlock: () => Promise<unknown>): Promise<void> {
    let before = Number.POSITIVE_INFINITY;
    while (this.#outstanding > 0 && this.#outstanding < before) {
      before = this.#outstanding;
      await nextBlock();
      await nextBlock();
    }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
