/**
 * Memory of a full node: it fetches the blocks that a devnet has made under load, then follows while the load
 * goes on, with everything at its default.
 */
import { rmSync } from 'node:fs';
import { accountAt } from '../e2e/account.ts';
import { RunningDevnet, temporaryHome } from '../e2e/program.ts';
import { makeSenders } from '../e2e/senders.ts';
import { FullNode } from './full-node.ts';
import { processStats } from './process-stats.ts';
import { PREFIX, prepareHome, Workload } from './scenario.ts';
import { laneCount, runLoad, type ThroughputResult } from './throughput.ts';

const SENDERS_PER_LANE = 50;
const VALIDATORS = 1;

/** The load, and how long before and after the full node joins. */
export interface MemoryOptions {
  readonly blockTimeMs: number;
  readonly seconds: number;
  /** Transactions a second. */
  readonly rate: number;
  readonly note: (line: string) => void;
}

/** Resident memory, in bytes. */
export interface MemoryResult {
  readonly blocksSynced: number;
  readonly syncedRssBytes: number;
  /** Once for each block that it followed. */
  readonly following: readonly number[];
  readonly peakRssBytes: number;
  readonly load: ThroughputResult;
}

/** Measures. */
export async function measureMemory(options: MemoryOptions): Promise<MemoryResult> {
  const { seconds, rate, note } = options;
  const home = temporaryHome();
  try {
    const lanes = laneCount(VALIDATORS);
    const senders = makeSenders(lanes * SENDERS_PER_LANE, PREFIX);
    await prepareHome(home, { ...options, validators: VALIDATORS }, senders);
    const devnet = await RunningDevnet.start(['--home', home]);
    let joiner: FullNode | undefined;
    try {
      await devnet.waitForHeight(2);
      const rpc = devnet.ready.nodes[0]?.rpc ?? '';
      const { accountNumber } = await accountAt(rpc, senders[0]?.address ?? '');
      const workload = new Workload(senders, accountNumber);
      const lists = workload.lists(lanes, 2 * seconds * rate);
      note(`${rate} transactions a second for ${2 * seconds} s; half-way a full node joins`);
      const load = runLoad({ devnet, lists, seconds: 2 * seconds, rate });
      await devnet.moreBlocks(Math.ceil((1000 * seconds) / options.blockTimeMs));
      const target = devnet.height;
      joiner = await FullNode.start({ folder: home, moniker: 'joiner', devnet });
      const { process } = joiner;
      const rss = (): number => processStats(process.pid)?.rssBytes ?? 0;
      await joiner.waitForHeight(target);
      const syncedRssBytes = rss();
      const following: number[] = [];
      const stopListening = devnet.onBlock(() => following.push(rss()));
      const result = await load;
      stopListening();
      const peakRssBytes = processStats(process.pid)?.peakRssBytes ?? 0;
      return { blocksSynced: target, syncedRssBytes, following, peakRssBytes, load: result };
    } finally {
      await joiner?.process.stop();
      await devnet.stop();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
