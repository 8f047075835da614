/** The rows of commit latency, state sync and memory, beside their aims. */
import { CHECKPOINT_BYTES_MAX } from '../../node/engine/checkpoints.ts';
import { DEFAULT_BLOCK_SYNC } from '../../node/blocksync/block-sync.ts';
import { defaultNodeConfig } from '../../node/config/toml.ts';
import { type CommitLatencyResult, measureCommitLatency } from './commit-latency.ts';
import { reportMachine } from './machine-limits.ts';
import { measureMemory, type MemoryResult } from './memory.ts';
import { megabytes, type Report } from './report.ts';
import { measureSimulated, type SimulatedResult } from './simulated.ts';
import { measureStateSync, type StateSyncResult } from './state-sync.ts';

const ADDED_AIM = '≤ 15 %';
const WIRES = { latencyMinMs: 20, latencyMaxMs: 80 } as const;
/** Simulated heights: fewer of the larger networks, they take seconds of CPU each. */
const SIMULATED_NODE_HEIGHTS = 160;
const SIMULATED_HEIGHTS = { min: 2, max: 10 } as const;

/** Real processes: how much longer than the block time a height takes. */
export async function reportLatency(
  { row, note }: Report,
  options: { readonly validators: readonly number[]; readonly seconds: number; readonly blockTimeMs: number },
): Promise<readonly CommitLatencyResult[]> {
  reportMachine(row);
  const results: CommitLatencyResult[] = [];
  for (const validators of options.validators) {
    const result = await measureCommitLatency({ ...options, validators, note });
    results.push(result);
    const { meanMs, p50Ms, p99Ms, blocks, transactions } = result;
    const ms = Math.round;
    const { blockTimeMs } = options;
    row(
      'latency/height',
      { validators },
      `${ms(meanMs)} ms on average, p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}: ${added(meanMs, blockTimeMs)} over the block ` +
        `time${validators === 4 ? ` (aim ${ADDED_AIM})` : ''}; ${blocks} blocks, from the times in their headers`,
    );
    row(
      'latency/transaction',
      { validators },
      `p50 ${ms(transactions.p50Ms)} ms, p99 ${ms(transactions.p99Ms)} ms from broadcast to commit ` +
        `(${transactions.samples} samples, one at a time)`,
    );
  }
  return results;
}

/** Simulated validators on virtual time. */
export async function reportSimulated(
  { row, note }: Report,
  { validators, blockTimeMs }: { readonly validators: readonly number[]; readonly blockTimeMs: number },
): Promise<readonly SimulatedResult[]> {
  const { latencyMinMs, latencyMaxMs } = WIRES;
  note(`wires with ${latencyMinMs} to ${latencyMaxMs} ms each way; computing takes no virtual time`);
  const results: SimulatedResult[] = [];
  const trip = (latencyMinMs + latencyMaxMs) / 2;
  for (const count of validators) {
    const { min, max } = SIMULATED_HEIGHTS;
    const heights = Math.min(max, Math.max(min, Math.round(SIMULATED_NODE_HEIGHTS / count)));
    note(`${count} validators, ${heights} heights`);
    const result = await measureSimulated({ ...WIRES, validators: count, blockTimeMs, heights });
    results.push(result);
    row(
      'simulated/height',
      { validators: count, connections: result.connections },
      `${Math.round(result.meanMs)} ms: ${added(result.meanMs, blockTimeMs)} over the block time (proposal and two ` +
        `votes take three trips of ${trip} ms on average); ${Math.round(result.spreadMs)} ms from the first node to the last; ${Math.round(result.messagesPerNode)} messages ` +
        `and ${Math.round(result.bytesPerNode / 1000)} kB sent by each node; ${heights} heights, ` +
        `${result.cpuSeconds.toFixed(0)} s CPU`,
    );
  }
  return results;
}

/** State sync of a large state. */
export async function reportStateSync(
  { row, note }: Report,
  options: { readonly keys: number; readonly blockTimeMs: number },
): Promise<StateSyncResult> {
  reportMachine(row);
  const result = await measureStateSync({ ...options, note });
  const { keys, snapshotBytes } = result;
  row(
    'statesync/snapshot',
    { keys },
    `${result.snapshotSeconds.toFixed(1)} s until it is offered, ${megabytes(snapshotBytes)} MB; blocks go on meanwhile; ` +
      `${megabytes(result.serverPeakRssBytes)} MB resident at most, since genesis`,
  );
  row(
    'statesync/restore',
    { keys },
    `${result.restoreSeconds.toFixed(1)} s from the start of the process to its RPC, ${result.followSeconds.toFixed(1)} s ` +
      `until it follows; ${megabytes(result.joinerPeakRssBytes)} MB resident at most`,
  );
  return result;
}

/** Memory of a full node, with the settings that bound it. */
export async function reportMemory(
  { row, note }: Report,
  options: { readonly seconds: number; readonly rate: number; readonly blockTimeMs: number },
): Promise<MemoryResult> {
  const result = await measureMemory({ ...options, note });
  const { following, blocksSynced, syncedRssBytes, peakRssBytes, load } = result;
  const half = following.slice(Math.floor(following.length / 2));
  const mean = half.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, half.length);
  row(
    'memory/full-node',
    { rate: options.rate },
    `${megabytes(syncedRssBytes)} MB resident after syncing ${blocksSynced} blocks, ${megabytes(mean)} MB on average over the ` +
      `second half of ${following.length} followed, ${megabytes(peakRssBytes)} MB at most; ${load.committed} transactions`,
  );
  const { mempool } = defaultNodeConfig();
  row(
    'memory/bounds',
    {},
    `mempool ${mempool.size} transactions and ${megabytes(mempool.maxTxsBytes)} MB, blocks waiting in block sync ` +
      `${megabytes(DEFAULT_BLOCK_SYNC.bufferBytesMax)} MB, blocks not yet durable ${megabytes(CHECKPOINT_BYTES_MAX)} MB; the ` +
      'state itself is in memory (store/README.md: bytes a key)',
  );
  return result;
}

function added(ms: number, blockTimeMs: number): string {
  const share = (100 * (ms - blockTimeMs)) / blockTimeMs;
  return `${share >= 0 ? '+' : ''}${share.toFixed(1)} %`;
}
