/**
 * A node is killed again and again while it joins by state sync: the next start goes on, and agrees in the
 * end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDevnet } from '../../cli/devnet/layout.ts';
import { openHome } from '../../cli/home/open.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import { homePaths } from '../../node/config/home.ts';
import { writeAppConfig, writeNodeConfig } from '../../node/config/toml.ts';
import { env, mainFile, RunningDevnet, RunningNode, runProgram, temporaryHome } from './program.ts';
import { blockAt, call } from './rpc.ts';

const INTERVAL = 10;
/** Entries of the genesis that make the state large, and how large each is: several chunks of 4 MiB. */
const BULK_ENTRIES = 200;
const BULK_BYTES = 60_000;
/** Of chunks a second, once twice that has been sent: slow enough that there is a middle to be killed in. */
const ANSWER_RATE = 4_000_000;
const TRUST_HEIGHT = 5;

/**
 * In the middle of what, by the line of the log that begins it; `count`: the how many-th such line of a
 * start.
 */
interface Moment {
  readonly line: string;
  readonly count?: number;
  /** At a random moment within so much after the line. */
  readonly withinMs?: number;
  /** The home is also started as if it were whole. */
  readonly isTriedAsWhole?: true;
}

const RESTORING = 'restoring a snapshot';
const CHUNK = 'a chunk is applied';
const RESTORED = 'the state is restored and verified';
const BACKFILL = 'fetching headers that evidence may be about';
const DONE = 'state sync is done; the blocks that follow are fetched';

const MOMENTS: readonly Moment[] = [
  { line: RESTORING, withinMs: 500 },
  { line: CHUNK, isTriedAsWhole: true },
  { line: CHUNK, count: 2, withinMs: 300 },
  { line: RESTORED },
  { line: BACKFILL },
  { line: BACKFILL, withinMs: 50 },
  { line: DONE },
];

let home = '';
let elsewhere = '';
let devnet: RunningDevnet;
const joiners: Joiner[] = [];

beforeEach(async () => {
  home = temporaryHome();
  elsewhere = temporaryHome();
  const { nodes } = await createDevnet({
    home,
    settings: {
      chainId: 'state-sync-3',
      prefix: 'open',
      denom: 'uopen',
      validators: 1,
      accounts: 1,
      blockTimeMs: 500,
      rpcPort: 0,
    },
    now: new Date(),
  });
  const { node, app, paths, home: own } = openHome(nodes[0]?.home ?? '');
  const files = homePaths(own);
  addBulk(paths.genesisFile);
  const snapshots = { snapshotInterval: INTERVAL, snapshotKeepRecent: 0 };
  writeFileSync(files.appConfigFile, writeAppConfig({ ...app, ...snapshots }));
  writeFileSync(
    files.configFile,
    writeNodeConfig({ ...node, p2p: { ...node.p2p, answerRate: ANSWER_RATE } }),
  );
  devnet = await RunningDevnet.start(['--home', home]);
  await devnet.waitForHeight(INTERVAL + 3);
});

afterEach(async () => {
  await Promise.all(joiners.splice(0).map((joiner) => joiner.kill()));
  await devnet?.stop();
  for (const each of [home, elsewhere]) rmSync(each, { recursive: true, force: true });
});

it('killed in the middle of every step, it goes on where it was, serves nothing before, and agrees', async () => {
  const made = await newHome();
  let hereBefore = 0;
  for (const moment of MOMENTS) {
    const joiner = new Joiner(made);
    joiners.push(joiner);
    const name = JSON.stringify(moment);
    if (moment === MOMENTS[0]) await expectNothingServed(joiner);
    await joiner.until(moment.line, moment.count);
    await delay(Math.random() * (moment.withinMs ?? 0));
    await joiner.kill();
    const restoring = joiner.lines.find(({ msg }) => msg === RESTORING);
    if (restoring !== undefined) {
      expect(restoring.here, `${name}: chunks that were there at its start`).toBeGreaterThanOrEqual(
        hereBefore,
      );
      hereBefore = Math.max(restoring.here ?? 0, joiner.count(CHUNK));
    }
    if (moment.isTriedAsWhole) await expectUnfinished(made);
  }
  expect(hereBefore).toBeGreaterThan(1);
  await expectAgreement(made);
});

/** Metadata of tokens, with long descriptions that nothing can compress. */
function addBulk(genesisFile: string): void {
  const genesis: { app_state: { bank: { denom_metadata: unknown[] } } } = JSON.parse(
    readFileSync(genesisFile, 'utf8'),
  );
  for (let i = 0; i < BULK_ENTRIES; i++) {
    const display = `bulk${i}`;
    const base = `u${display}`;
    genesis.app_state.bank.denom_metadata.push({
      description: randomBytes(BULK_BYTES / 2).toString('hex'),
      denom_units: [
        { denom: base, exponent: 0, aliases: [] },
        { denom: display, exponent: 6, aliases: [] },
      ],
      base,
      display,
      name: display,
      symbol: display,
      uri: '',
      uri_hash: '',
    });
  }
  writeFileSync(genesisFile, JSON.stringify(genesis));
}

/** A home that joins: it knows the validator, and two names of its RPC. */
async function newHome(): Promise<string> {
  const [validator] = devnet.ready.nodes;
  const made = join(elsewhere, 'joiner');
  const genesis = join(validator?.home ?? '', 'config', 'genesis.json');
  const { code, stderr } = await runProgram(['init', 'joiner', '--home', made, '--genesis', genesis]);
  expect([code, stderr]).toEqual([0, '']);
  writeSettings(made, {
    enable: true,
    rpcServers: [validator?.rpc ?? '', `http://localhost:${new URL(validator?.rpc ?? '').port}`],
    trustHeight: TRUST_HEIGHT,
    trustHash: (await blockAt(validator?.rpc ?? '', TRUST_HEIGHT)).hash,
    discoveryTimeMs: 500,
    chunkRequestTimeoutMs: 60_000,
  });
  return made;
}

function writeSettings(made: string, stateSync: Partial<NodeConfig['stateSync']>): void {
  const { node } = openHome(made);
  const changed: NodeConfig = {
    ...node,
    base: { ...node.base, logFormat: 'json', logLevel: 'statesync:debug,*:info' },
    rpc: { ...node.rpc, laddr: 'tcp://127.0.0.1:0' },
    // Without peer exchange: one that asks for addresses with each of so many starts is banned.
    p2p: {
      ...node.p2p,
      laddr: 'tcp://127.0.0.1:0',
      persistentPeers: devnet.ready.nodes.map(({ p2p }) => p2p),
      pex: false,
    },
    stateSync: { ...node.stateSync, ...stateSync },
  };
  writeFileSync(homePaths(made).configFile, writeNodeConfig(changed));
}

/** RPC tells of the node, and of no state. */
async function expectNothingServed(joiner: Joiner): Promise<void> {
  const { port } = await joiner.until('RPC is listening');
  const rpc = `http://127.0.0.1:${port}`;
  expect(await call(rpc, 'health')).toEqual({});
  const status = await call<{
    sync_info: { catching_up: boolean; latest_block_height: string };
    node_info: { network: string; moniker: string };
  }>(rpc, 'status');
  expect(status.sync_info).toMatchObject({ catching_up: true, latest_block_height: '0' });
  expect(status.node_info).toMatchObject({ network: 'state-sync-3', moniker: 'joiner' });
  await joiner.until('a peer offers snapshots');
  expect(await call(rpc, 'net_info')).toMatchObject({ n_peers: '1' });
  for (const method of ['abci_info', 'abci_query', 'broadcast_tx_sync'])
    await expect(call(rpc, method, { tx: '', path: '/', data: '' })).rejects.toThrow('state sync');
}

/** As long as the state sync is not finished, the home is not run as if it were. */
async function expectUnfinished(made: string): Promise<void> {
  writeSettings(made, { enable: false });
  const { code, stderr } = await runProgram(['start', '--home', made]);
  writeSettings(made, { enable: true });
  expect(code).toBe(1);
  expect(stderr).toContain('a state sync was begun in this data directory and is not finished');
}

async function expectAgreement(made: string): Promise<void> {
  const joiner = await RunningNode.start(made);
  const target = (await devnet.moreBlocks(2)) + 1;
  await Promise.all([joiner.waitForHeight(target), devnet.waitForHeight(target)]);
  const rpc = devnet.ready.nodes[0]?.rpc ?? '';
  const { sync_info: info } = await call<{ sync_info: { earliest_block_height: string } }>(
    joiner.rpc,
    'status',
  );
  const first = Number(info.earliest_block_height);
  expect(first % INTERVAL).toBe(0);
  for (let height = first; height <= target; height++)
    expect(await blockAt(joiner.rpc, height)).toEqual(await blockAt(rpc, height));
  const query = {
    path: '/cosmos.bank.v1beta1.Query/TotalSupply',
    data: '',
    height: String(target - 1),
    prove: false,
  };
  const supplyAt = async (url: string): Promise<unknown> =>
    (await call<{ response: { value: string } }>(url, 'abci_query', query)).response.value;
  expect(await supplyAt(joiner.rpc)).toEqual(await supplyAt(rpc));
  expect(existsSync(join(made, 'data', 'statesync'))).toBe(false);
  await joiner.stop();
}

interface LogLine {
  readonly msg?: string;
  readonly here?: number;
  readonly port?: number;
}

/** A node that runs, by what it writes. */
class Joiner {
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #isRunning = true;
  #look: () => void = () => undefined;

  constructor(made: string) {
    this.#child = spawn(process.execPath, [mainFile, 'start', '--home', made], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#isRunning = false;
        this.#look();
        resolve();
      });
    });
    if (this.#child.stdout === null) throw new Error('the node has no output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line));
      this.#look();
    });
  }

  count(msg: string): number {
    return this.lines.filter((line) => line.msg === msg).length;
  }

  /** Resolves with the line when it has been written so often. */
  async until(msg: string, count = 1): Promise<LogLine> {
    for (;;) {
      const found = this.lines.filter((line) => line.msg === msg)[count - 1];
      if (found !== undefined) return found;
      if (!this.#isRunning) throw new Error(`ended before "${msg}": ${JSON.stringify(this.lines.slice(-5))}`);
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
