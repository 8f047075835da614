/** The rows of block sync and restart, beside the machine's limits in the same run. */
import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519Signer, verifyEd25519 } from '../../node/crypto/ed25519.ts';
import { measureSync, type SyncResult } from './sync.ts';

const VALIDATORS = 4;
const PEERS = [1, 2] as const;
const PROBE_SECONDS = 1;
const SYNCED_WRITE_BYTES = 1_000;

/** Which chain, and where the rows go. */
export interface SyncReportOptions {
  readonly name: 'empty' | 'full';
  readonly blocks: number;
  readonly txs: number;
  readonly memoBytes: number;
  readonly say: (name: string, keys: Readonly<Record<string, number | string>>, value: string) => void;
  readonly note: (line: string) => void;
}

/** Makes the chain, measures, says. */
export async function reportSync(options: SyncReportOptions): Promise<void> {
  const { name, say, note } = options;
  const folder = mkdtempSync(join(tmpdir(), 'openledgerd-bench-'));
  try {
    note('signature checks and synced writes of this machine');
    say('machine/ed25519-verify', { threads: 1 }, `${Math.round(checksPerSecond())} checks/s`);
    say('machine/fdatasync', { bytes: SYNCED_WRITE_BYTES }, `${Math.round(syncsPerSecond(folder))} a second`);
    const { chain, results, restarts } = await measureSync({
      ...options,
      folder,
      validators: VALIDATORS,
      peers: PEERS,
    });
    const megabytes = (chain.bytes / 1e6).toFixed(1);
    for (const result of results)
      say(`sync/${name}`, { peers: result.peers }, lineOf(result, `${chain.blocks} blocks, ${megabytes} MB`));
    const best = Math.min(...restarts).toFixed(2);
    const all = restarts.map((seconds) => seconds.toFixed(2)).join(', ');
    say('node/restart', { blocks: chain.blocks }, `${best} s from start to RPC (each: ${all}; aim 5)`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lineOf(result: SyncResult, what: string): string {
  const { blocks, bytes, seconds, cpuSeconds, peakRssBytes } = result;
  return (
    `${Math.round(blocks / seconds)} blocks/s, ${(bytes / seconds / 1e6).toFixed(1)} MB/s (${what}; ` +
    `${((1000 * cpuSeconds) / blocks).toFixed(2)} ms CPU a block, ${VALIDATORS} signatures each; ` +
    `${Math.round(peakRssBytes / 1e6)} MB resident at most)`
  );
}

function checksPerSecond(): number {
  const signer = ed25519Signer(Uint8Array.from(randomBytes(32)));
  const message = Uint8Array.from(randomBytes(110));
  const signature = signer.sign(message);
  return perSecond(() => verifyEd25519(signer.publicKey, message, signature));
}

function syncsPerSecond(folder: string): number {
  const file = openSync(join(folder, 'probe'), 'w');
  const bytes = randomBytes(SYNCED_WRITE_BYTES);
  try {
    return perSecond(() => {
      writeSync(file, bytes);
      fdatasyncSync(file);
    });
  } finally {
    closeSync(file);
  }
}

function perSecond(action: () => void): number {
  const beganMs = performance.now();
  let count = 0;
  while (performance.now() - beganMs < PROBE_SECONDS * 1000) {
    action();
    count++;
  }
  return count / ((performance.now() - beganMs) / 1000);
}
