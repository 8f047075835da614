/**
 * Commit latency of real processes: how much longer than the configured block time a height takes, from the
 * times in the headers, while a transaction comes now and then; and from the call of `broadcast_tx_sync` to
 * the event that the transaction is committed.
 */
import { rmSync } from 'node:fs';
import { accountAt } from '../e2e/account.ts';
import { RunningDevnet, temporaryHome } from '../e2e/program.ts';
import { makeSenders } from '../e2e/senders.ts';
import { type LatencyResult, measureLatency } from './latency.ts';
import { percentile } from './percentile.ts';
import { PREFIX, prepareHome, Workload } from './scenario.ts';

const WARM_UP_BLOCKS = 5;

/** What is measured. */
export interface CommitLatencyOptions {
  readonly validators: number;
  readonly blockTimeMs: number;
  readonly seconds: number;
  readonly note: (line: string) => void;
}

/** What was measured, in milliseconds. */
export interface CommitLatencyResult {
  readonly blocks: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly transactions: LatencyResult;
}

/** Runs a devnet for that long. */
export async function measureCommitLatency(options: CommitLatencyOptions): Promise<CommitLatencyResult> {
  const { validators, blockTimeMs, note } = options;
  const home = temporaryHome();
  try {
    const samples = Math.ceil((1000 * options.seconds) / (2 * blockTimeMs));
    const senders = makeSenders(samples, PREFIX);
    await prepareHome(home, options, senders);
    note(`starting ${validators} validator(s)`);
    const devnet = await RunningDevnet.start(['--home', home]);
    try {
      await devnet.waitForHeight(WARM_UP_BLOCKS);
      const rpc = devnet.ready.nodes[0]?.rpc ?? '';
      const { accountNumber } = await accountAt(rpc, senders[0]?.address ?? '');
      const workload = new Workload(senders, accountNumber);
      note(`watching blocks for ${options.seconds} s`);
      const times: number[] = [];
      const stopListening = devnet.onBlock(({ time }) => times.push(Date.parse(time)));
      const transactions = await measureLatency({
        rpc,
        transactions: senders.map((_, i) => workload.next(i)),
        pauseMs: 2 * blockTimeMs,
      });
      stopListening();
      return { ...intervals(times), transactions };
    } finally {
      await devnet.stop();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** @throws Error when there are too few blocks */
export function intervals(timesMs: readonly number[]): Omit<CommitLatencyResult, 'transactions'> {
  const gaps = timesMs.slice(1).map((time, i) => time - (timesMs[i] ?? time));
  if (gaps.length < 2) throw new Error(`only ${timesMs.length} blocks came: give more --seconds`);
  return {
    blocks: gaps.length,
    meanMs: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length,
    p50Ms: percentile(gaps, 0.5),
    p99Ms: percentile(gaps, 0.99),
  };
}
