/** Whole nodes on real sockets and disks: one joins by state sync and is stopped at every step of it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openApplication } from '../../cli/application.ts';
import { createDevnet } from '../../cli/devnet/layout.ts';
import { checkGenesis } from '../../cli/home/genesis-file.ts';
import { openHome } from '../../cli/home/open.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { Application } from '../../node/application.ts';
import type { ConfiguredPaths } from '../../node/config/home.ts';
import type { NodeConfig, StateSyncConfig } from '../../node/config/config.ts';
import { defaultNodeConfig } from '../../node/config/toml.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { openLevelDatabase, type Database } from '../../node/database.ts';
import { machine, type NodeEnvironment } from '../../node/environment.ts';
import { type Closers, type CoreOptions, type Node, openCore, startNode } from '../../node/node.ts';
import { FilePrivValidator } from '../../node/privval/file-priv-validator.ts';
import { blockAt, heightOf } from '../e2e/rpc.ts';

const CHAIN_ID = 'state-sync-2';
const INTERVAL = 5;
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

let home = '';
let genesisText = '';
let nodes: Stoppable[] = [];

interface Stoppable {
  stop(): Promise<void>;
}

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'state-sync-'));
  await createDevnet({
    home,
    settings: {
      chainId: CHAIN_ID,
      prefix: 'open',
      denom: 'uopen',
      validators: 1,
      accounts: 1,
      blockTimeMs: 100,
      rpcPort: 0,
    },
    now: new Date(),
  });
  genesisText = readFileSync(join(home, 'node0', 'config', 'genesis.json'), 'utf8');
});

afterEach(async () => {
  for (const node of nodes.toReversed()) await node.stop();
  nodes = [];
  rmSync(home, { recursive: true, force: true });
});

function configOf(changed: Partial<NodeConfig>): NodeConfig {
  const defaults = defaultNodeConfig();
  return {
    ...defaults,
    rpc: { ...defaults.rpc, laddr: 'tcp://127.0.0.1:0' },
    p2p: { ...defaults.p2p, laddr: 'tcp://127.0.0.1:0' },
    consensus: { ...defaults.consensus, timeoutCommitMs: 100 },
    ...changed,
  };
}

/** An application and what a node over it is made of. */
async function optionsFor(
  name: string,
  parts: { readonly config: NodeConfig; readonly paths: ConfiguredPaths },
): Promise<CoreOptions & { readonly close: () => Promise<void> }> {
  const dataDir = join(home, name, 'data');
  const { application, close } = await openApplication({
    dataDir,
    chainId: CHAIN_ID,
    prefix: 'open',
    minimumGasPrices: '',
    txBytesMax: 1_000_000,
    snapshots: { interval: INTERVAL, keepRecent: 3 },
    verifierWorkers: 1,
    version: '0',
    log: quiet,
  });
  const { document } = checkGenesis(genesisText);
  return {
    ...parts,
    dataDir,
    genesis: document,
    nodeKey: sha256(utf8(name)),
    application,
    version: '0',
    logging: () => quiet,
    onFatal: (error) => {
      throw error;
    },
    close,
  };
}

async function start(options: Awaited<ReturnType<typeof optionsFor>>): Promise<Node> {
  const node = await startNode({ ...options, genesisText });
  nodes.push({
    stop: async () => {
      await node.stop();
      await options.close();
    },
  });
  return node;
}

async function startValidator(): Promise<Node> {
  const { paths } = openHome(join(home, 'node0'));
  return start(await optionsFor('node0', { config: configOf({}), paths }));
}

async function joinerPaths(): Promise<ConfiguredPaths> {
  const paths = {
    genesisFile: '',
    nodeKeyFile: '',
    addrBookFile: join(home, 'addrbook.json'),
    privValidatorKeyFile: join(home, 'key.json'),
    privValidatorStateFile: join(home, 'state.json'),
  };
  await FilePrivValidator.create(sha256(utf8('joiner')), {
    keyPath: paths.privValidatorKeyFile,
    statePath: paths.privValidatorStateFile,
    makeSigner: ed25519Signer,
  });
  return paths;
}

async function reaches(node: Node, height: number): Promise<void> {
  const deadline = Date.now() + 25_000;
  while ((await heightOf(node.rpc)) < height) {
    if (Date.now() > deadline) throw new Error(`not at height ${height} within 25 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Where a start ends: what throws in its application and on its disk. */
interface Fault {
  readonly application?: (application: Application) => Application;
  /** By database: which write fails, counted from 1. */
  readonly writes?: Readonly<Record<string, number>>;
  /** It fails as on a full disk. */
  readonly isFull?: boolean;
}

const crash = (): LedgerError => new LedgerError('test.crash', 'the process is gone');
/** As LevelDB says it. */
const noSpace = (): Error =>
  Object.assign(new Error('IO error: 000003.log: No space left on device'), { code: 'LEVEL_IO_ERROR' });
const FULL = {
  code: 'statesync.disk',
  message: expect.stringMatching(
    /^state sync, step store: .+No space left on device.+: free or repair the disk/,
  ),
};

const FAULTS: Readonly<Record<string, Fault>> = {
  'before a chunk is applied': {
    application: (application) => {
      const snapshots = defined(application.snapshots, 'snapshots');
      return {
        ...application,
        snapshots: { ...bound(snapshots), applySnapshotChunk: () => Promise.reject(crash()) },
      };
    },
  },
  'when the state is restored': {
    application: (application) => {
      const snapshots = bound(defined(application.snapshots, 'snapshots'));
      const applySnapshotChunk: typeof snapshots.applySnapshotChunk = async (request) => {
        await snapshots.applySnapshotChunk(request);
        throw crash();
      };
      return { ...application, snapshots: { ...snapshots, applySnapshotChunk } };
    },
  },
  'before the block is stored': { writes: { 'blockstore.db': 1 } },
  'no room for the block': { writes: { 'blockstore.db': 1 }, isFull: true },
  'before the state is stored': { writes: { 'state.db': 1 } },
  'before the first older header': { writes: { 'blockstore.db': 1 } },
  'in the middle of the older headers': { writes: { 'blockstore.db': 3 } },
  'between older validators and their header': { writes: { 'state.db': 2 } },
};

function bound(snapshots: NonNullable<Application['snapshots']>): NonNullable<Application['snapshots']> {
  return {
    listSnapshots: () => snapshots.listSnapshots(),
    offerSnapshot: (request) => snapshots.offerSnapshot(request),
    loadSnapshotChunk: (request) => snapshots.loadSnapshotChunk(request),
    applySnapshotChunk: (request) => snapshots.applySnapshotChunk(request),
  };
}

function environmentOf({ writes = {}, isFull = false }: Fault): NodeEnvironment {
  return {
    ...machine,
    openDatabase: async (directory) => {
      const database = await openLevelDatabase(directory);
      const failing = Object.entries(writes).find(([name]) => directory.endsWith(name))?.[1];
      return failing === undefined ? database : failingAt(database, failing, isFull ? noSpace : crash);
    },
  };
}

function failingAt(database: Database, failing: number, failure: () => Error): Database {
  let writes = 0;
  return {
    getSync: (key) => database.getSync(key),
    close: () => database.close(),
    batch: () => {
      const batch = database.batch();
      return {
        put: (key, value) => batch.put(key, value),
        del: (key) => batch.del(key),
        write: async (options) => {
          if (++writes === failing) throw failure();
          await batch.write(options);
        },
      };
    },
  };
}

test('stopped at every step of state sync, a node goes on where it was and agrees in the end', async () => {
  const validator = await startValidator();
  await reaches(validator, 2 * INTERVAL + 3);
  const url = new URL(validator.rpc);
  const stateSync: StateSyncConfig = {
    ...defaultNodeConfig().stateSync,
    enable: true,
    rpcServers: [validator.rpc, `http://localhost:${url.port}`],
    trustHeight: INTERVAL,
    trustHash: (await blockAt(validator.rpc, INTERVAL)).hash,
    discoveryTimeMs: 300,
  };
  // Without peer exchange: a node that asks for addresses with each of seven starts in seconds is banned.
  const p2p = { ...configOf({}).p2p, persistentPeers: [...validator.p2p], pex: false };
  const config = configOf({ stateSync, p2p });
  const paths = await joinerPaths();
  for (const [name, fault] of Object.entries(FAULTS)) {
    const options = await optionsFor('joiner', { config, paths });
    const application = fault.application?.(options.application) ?? options.application;
    const closers: Closers = [];
    await expect(
      openCore({ ...options, application }, environmentOf(fault), closers),
      name,
    ).rejects.toMatchObject(fault.isFull === true ? FULL : { code: 'test.crash' });
    for (const close of closers.toReversed()) await close();
    await options.close();
  }

  const off = await optionsFor('joiner', { config: configOf({ p2p }), paths });
  await expect(startNode({ ...off, genesisText })).rejects.toMatchObject({ code: 'statesync.unfinished' });
  await off.close();

  const alone = await optionsFor('joiner', { config: configOf({ stateSync }), paths });
  const stopped = new AbortController();
  const waiting = startNode({ ...alone, genesisText, signal: stopped.signal });
  stopped.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'statesync.stopped' });
  await alone.close();

  const joiner = await start(await optionsFor('joiner', { config, paths }));
  const target = (await heightOf(validator.rpc)) + 3;
  await Promise.all([reaches(joiner, target), reaches(validator, target)]);
  for (let height = target - 5; height <= target; height++)
    expect(await blockAt(joiner.rpc, height)).toEqual(await blockAt(validator.rpc, height));
}, 120_000);
