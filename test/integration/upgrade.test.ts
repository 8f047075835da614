/**
 * A whole node, on a real socket and disk, that comes to an upgrade; and one whose chain begins above height
 * 1.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ApplicationOptions, openApplication } from '../../cli/application.ts';
import { exportGenesis } from '../../cli/genesis/export.ts';
import { initNode } from '../../cli/home/init-node.ts';
import { readGenesisFile } from '../../cli/home/genesis-file.ts';
import { readNodeKey } from '../../cli/home/node-key.ts';
import { openHome } from '../../cli/home/open.ts';
import { messageOf } from '../../core/errors.ts';
import type { Module } from '../../framework/module.ts';
import { startNode } from '../../node/node.ts';
import { silentLogger } from '../../p2p/network.ts';
import { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';

const NEEDED = 'UPGRADE "v2" NEEDED at height: 4: soon';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'openledgerd-upgrade-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function init(name: string, genesis?: string): Promise<string> {
  const home = join(root, name);
  const addresses = { rpcLaddr: 'tcp://127.0.0.1:0', p2pLaddr: 'tcp://127.0.0.1:0' };
  const chain = genesis === undefined ? { chainId: 'upgrade-1' } : { genesis };
  await initNode({
    home,
    moniker: name,
    newChainId: 'x',
    account: [],
    now: new Date(),
    ...addresses,
    ...chain,
  });
  return home;
}

/** Stands for governance: plans the upgrade in block 2. */
const PLANNER: Module = {
  name: 'planner',
  consensusVersion: 1,
  storeNames: [],
  messages: [],
  queries: [],
  genesis: undefined,
  beginBlock(context) {
    const plan = Plan.create({ name: 'v2', height: 4n, info: 'soon' });
    if (context.block.height === 2n) context.store('upgrade').set(Uint8Array.of(0), Plan.encode(plan));
  },
  invariants: [],
};

interface Running {
  /** Resolves to why the node cannot go on. */
  readonly failure: Promise<string>;
  /** Resolves when the block is there; rejects when the node cannot go on. */
  readonly reached: Promise<void>;
  stop(): Promise<void>;
}

/** Runs the node of a home until a height, or until it cannot go on. */
async function run(homeDir: string, until: bigint, program: Partial<ApplicationOptions>): Promise<Running> {
  const home = openHome(homeDir);
  const genesis = readGenesisFile(home.paths.genesisFile);
  const { chainId, initialHeight } = genesis.document;
  const { application, close } = await openApplication({
    ...{ dataDir: home.dataDir, chainId, prefix: genesis.prefix, initialHeight, minimumGasPrices: '' },
    ...{ txBytesMax: 1_000_000, verifierWorkers: 0, version: '', log: silentLogger },
    ...program,
  });
  const failed = Promise.withResolvers<string>();
  const reached = Promise.withResolvers<void>();
  reached.promise.catch(() => undefined);
  try {
    const node = await startNode({
      config: { ...home.node, consensus: { ...home.node.consensus, timeoutCommitMs: 20 } },
      ...{ dataDir: home.dataDir, paths: home.paths, genesis: genesis.document, genesisText: genesis.text },
      ...{ nodeKey: readNodeKey(home.paths.nodeKeyFile), application, version: '' },
      logging: () => silentLogger,
      onBlock: ({ height }) => height >= until && reached.resolve(),
      onFatal: (error) => {
        failed.resolve(messageOf(error));
        reached.reject(error);
      },
    });
    const stop = async (): Promise<void> => {
      await node.stop();
      await close();
    };
    return { failure: failed.promise, reached: reached.promise, stop };
  } catch (error) {
    await close();
    throw error;
  }
}

it('stops at the height of the plan, says so at each start, and the new program goes on', async () => {
  const home = await init('a');
  const old = { furtherModules: [PLANNER] };
  const first = await run(home, 4n, old);
  expect(await first.failure).toBe(NEEDED);
  await first.stop();
  const info = join(home, 'data', 'upgrade-info.json');
  expect(JSON.parse(readFileSync(info, 'utf8'))).toMatchObject({ name: 'v2', height: 4, info: 'soon' });
  for (let i = 0; i < 2; i++) await expect(run(home, 4n, old)).rejects.toThrow(NEEDED);

  const program = { ...old, upgrades: [{ name: 'v2' }] };
  const second = await run(home, 6n, program);
  await second.reached;
  await second.stop();
  const third = await run(home, 8n, program);
  await third.reached;
  await third.stop();
  await expect(run(home, 9n, old)).rejects.toThrow('upgrade handler is missing for v2 upgrade plan');
}, 30_000);

it('goes on from an export at its height, with the key of its validator, and over a restart', async () => {
  const home = await init('a');
  const first = await run(home, 3n, {});
  await first.reached;
  await first.stop();
  const options = { home, height: '-1', jailAllowedAddrs: [], modulesToExport: [] };
  const text = (await exportGenesis(options)) ?? '';
  const file = join(root, 'exported.json');
  writeFileSync(file, text);
  const from = readGenesisFile(file).document.initialHeight;
  expect(from).toBeGreaterThan(3n);

  const next = await init('b', file);
  const key = join('config', 'priv_validator_key.json');
  expect(existsSync(join(home, key))).toBe(true);
  writeFileSync(join(next, key), readFileSync(join(home, key)));
  for (const until of [from + 2n, from + 4n]) {
    const node = await run(next, until, {});
    await node.reached;
    await node.stop();
  }
}, 30_000);
