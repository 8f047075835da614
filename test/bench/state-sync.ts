/**
 * State sync of a large state: a devnet of one validator whose genesis has many accounts makes snapshots, and
 * a new node restores one over sockets.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createDevnet } from '../../cli/devnet/layout.ts';
import { openHome } from '../../cli/home/open.ts';
import { toBech32 } from '../../core/bech32.ts';
import { homePaths } from '../../node/config/home.ts';
import { writeAppConfig } from '../../node/config/toml.ts';
import { RunningDevnet, temporaryHome } from '../e2e/program.ts';
import { blockAt } from '../e2e/rpc.ts';
import { FullNode } from './full-node.ts';
import { processStats } from './process-stats.ts';

/** Account, number of the account, balance, holder of the denomination. */
const KEYS_PER_ACCOUNT = 4;
const ADDRESS_BYTES = 20;
const PREFIX = 'open';
/** Blocks between two snapshots: the second is made while the first is restored. */
const INTERVAL = 20;
const POLL_MS = 20;
const SNAPSHOT_MS_MAX = 180_000;
const SYNC_MS_MAX = 240_000;

/** How large the state is. */
export interface StateSyncOptions {
  readonly keys: number;
  readonly blockTimeMs: number;
  readonly note: (line: string) => void;
}

/** What it took. */
export interface StateSyncResult {
  readonly keys: number;
  /** Of the snapshot, all chunks together. */
  readonly snapshotBytes: number;
  /** From the commit of its height until it is offered; blocks go on meanwhile. */
  readonly snapshotSeconds: number;
  /** From the start of the process until its RPC answers: the state is restored and verified. */
  readonly restoreSeconds: number;
  /** Until it told of its first block. */
  readonly followSeconds: number;
  /** Of the node that makes snapshots and of the one that restores. */
  readonly serverPeakRssBytes: number;
  readonly joinerPeakRssBytes: number;
}

/** Makes the chain and measures. */
export async function measureStateSync(options: StateSyncOptions): Promise<StateSyncResult> {
  const { keys, note } = options;
  const home = temporaryHome();
  try {
    note(`a genesis with ${keys} keys`);
    const serverHome = await prepare(home, options);
    const devnet = await RunningDevnet.start(['--home', home]);
    try {
      return { keys, ...(await measure({ devnet, serverHome, folder: home, note })) };
    } finally {
      await devnet.stop();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function prepare(home: string, { keys, blockTimeMs }: StateSyncOptions): Promise<string> {
  const accounts = Math.ceil(keys / KEYS_PER_ACCOUNT);
  const { nodes } = await createDevnet({
    home,
    settings: {
      chainId: 'state-sync-bench',
      prefix: PREFIX,
      denom: 'uopen',
      validators: 1,
      accounts: 1,
      blockTimeMs,
      rpcPort: 0,
    },
    extraAccounts: Array.from({ length: accounts }, () =>
      toBech32(PREFIX, Uint8Array.from(randomBytes(ADDRESS_BYTES))),
    ),
    now: new Date(),
  });
  const serverHome = nodes[0]?.home ?? '';
  const { app } = openHome(serverHome);
  writeFileSync(
    homePaths(serverHome).appConfigFile,
    writeAppConfig({ ...app, snapshotInterval: INTERVAL, snapshotKeepRecent: 2 }),
  );
  return serverHome;
}

interface Measuring {
  readonly devnet: RunningDevnet;
  readonly serverHome: string;
  readonly folder: string;
  readonly note: (line: string) => void;
}

async function measure({
  devnet,
  serverHome,
  folder,
  note,
}: Measuring): Promise<Omit<StateSyncResult, 'keys'>> {
  const [server] = devnet.ready.nodes;
  const rpc = server?.rpc ?? '';
  note('waiting for the first snapshot');
  await devnet.waitForHeight(INTERVAL);
  const committedMs = performance.now();
  const snapshot = join(serverHome, 'data', 'snapshots', String(INTERVAL));
  await until(() => existsSync(snapshot), SNAPSHOT_MS_MAX, `no snapshot in ${snapshot}`);
  const snapshotSeconds = (performance.now() - committedMs) / 1000;
  const sizes = readdirSync(snapshot).map((file) => statSync(join(snapshot, file)).size);
  await devnet.waitForHeight(INTERVAL + 2); // the light client needs the two heights after it
  note('a new node restores it');
  const { hash } = await blockAt(rpc, INTERVAL);
  const beganMs = performance.now();
  const joiner = await FullNode.start({
    folder,
    moniker: 'joiner',
    devnet,
    stateSync: {
      enable: true,
      rpcServers: [rpc, rpc.replace('127.0.0.1', 'localhost')],
      trustHeight: INTERVAL,
      trustHash: hash,
      discoveryTimeMs: 1_000,
    },
  });
  const seconds = (): number => (performance.now() - beganMs) / 1000;
  try {
    await within(joiner.process.ready(), SYNC_MS_MAX);
    const restoreSeconds = seconds();
    await within(joiner.waitForHeight(INTERVAL + 1), SYNC_MS_MAX);
    return {
      snapshotBytes: sizes.reduce((sum, size) => sum + size, 0),
      snapshotSeconds,
      restoreSeconds,
      followSeconds: seconds(),
      serverPeakRssBytes: processStats(server?.pid ?? 0)?.peakRssBytes ?? 0,
      joinerPeakRssBytes: processStats(joiner.process.pid)?.peakRssBytes ?? 0,
    };
  } finally {
    await joiner.process.stop();
  }
}

async function until(isDone: () => boolean, withinMs: number, otherwise: string): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!isDone()) {
    if (performance.now() > endMs) throw new Error(`${otherwise} after ${withinMs / 1000} s`);
    await delay(POLL_MS);
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  const timeout = delay(ms, undefined, { ref: false }).then(() => {
    throw new Error(`the node that joins is not there after ${ms / 1000} s`);
  });
  return await Promise.race([promise, timeout]);
}
