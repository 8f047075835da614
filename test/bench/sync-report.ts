/** The rows of block sync and restart, beside their aims and the machine's limits in the same run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportMachine } from './machine-limits.ts';
import { megabytes, type Report, type Row } from './report.ts';
import { measureRestart, measureSync, type SyncResult } from './sync.ts';

const VALIDATORS = 4;
const PEERS = [1, 2] as const;
const AIMS = { empty: '≥ 500 blocks/s', full: '≥ 20 MB/s' } as const;
const RESTART_AIM_SECONDS = 5;

/** Which chain. */
export interface SyncReportOptions {
  readonly name: 'empty' | 'full';
  readonly blocks: number;
  readonly txs: number;
  readonly memoBytes: number;
}

/** Makes the chain; a new node fetches it from one peer and from two, then starts again. */
export async function reportSync(
  { row, note }: Report,
  options: SyncReportOptions,
): Promise<readonly SyncResult[]> {
  reportMachine(row);
  return await inFolder(async (folder) => {
    const chain = { ...options, folder, validators: VALIDATORS, note };
    const { results, restarts } = await measureSync({ ...chain, peers: PEERS });
    for (const result of results)
      row(`sync/${options.name}`, { peers: result.peers }, lineOf(result, AIMS[options.name]));
    sayRestarts(row, options, restarts);
    return results;
  });
}

/** Makes a chain of empty blocks; a node that has it is started, several times. */
export async function reportRestart(
  { row, note }: Report,
  { blocks }: { readonly blocks: number },
): Promise<readonly number[]> {
  reportMachine(row);
  return await inFolder(async (folder) => {
    const chain = { blocks, txs: 0, memoBytes: 0, folder, validators: VALIDATORS, note };
    const restarts = await measureRestart(chain);
    sayRestarts(row, { blocks }, restarts);
    return restarts;
  });
}

function sayRestarts(row: Row, { blocks }: { readonly blocks: number }, restarts: readonly number[]): void {
  const worst = Math.max(...restarts).toFixed(2);
  const all = restarts.map((seconds) => seconds.toFixed(2)).join(', ');
  row(
    'node/restart',
    { blocks },
    `at most ${worst} s from start to RPC (aim ≤ ${RESTART_AIM_SECONDS}; each: ${all})`,
  );
}

function lineOf(result: SyncResult, aim: string): string {
  const { blocks, bytes, seconds, cpuSeconds, peakRssBytes } = result;
  return (
    `${Math.round(blocks / seconds)} blocks/s, ${(bytes / seconds / 1e6).toFixed(1)} MB/s (aim ${aim}; ${blocks} blocks, ` +
    `${(bytes / 1e6).toFixed(1)} MB; ${((1000 * cpuSeconds) / blocks).toFixed(2)} ms CPU a block, ${VALIDATORS} signatures ` +
    `each; ${megabytes(peakRssBytes)} MB resident at most)`
  );
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'openledgerd-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
