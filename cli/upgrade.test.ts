/** An upgrade of a node's application: what the old program leaves, and that the new one goes on from it. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import type { Module } from '../framework/module.ts';
import { buildGenesis } from '../genesis/build.ts';
import { initChainRequest } from '../genesis/encode.ts';
import type { Application } from '../node/application.ts';
import { silentLogger } from '../p2p/network.ts';
import { Plan } from '../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import { UpgradeError } from '../modules/upgrade/errors.ts';
import { openLevel } from '../store/backend/level.ts';
import { emptyModule } from '../test/support/empty-module.ts';
import { type ApplicationOptions, type OpenedApplication, openApplication } from './application.ts';
import { writeUpgradeInfo } from './upgrade-info.ts';

const PLAN = Plan.create({ name: 'v2', height: 5n, info: 'get "it" here' });
const NEEDED = 'UPGRADE "v2" NEEDED at height: 5: get "it" here';

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'openledgerd-upgrade-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Stands for governance: plans the upgrade in block 3; counts blocks in its store. */
const counter = (store: string): Module =>
  emptyModule('counter', {
    storeNames: [store],
    beginBlock(context) {
      context.store(store).set(utf8(`block ${context.block.height}`), utf8('was here'));
      if (context.block.height === 3n) context.store('upgrade').set(Uint8Array.of(0), Plan.encode(PLAN));
    },
  });
const OLD = { furtherModules: [counter('counter')] };
const NEW = {
  furtherModules: [counter('counted')],
  upgrades: [{ name: 'v2', stores: { renamed: [{ from: 'counter', to: 'counted' }] } }],
};

function open(program: Partial<ApplicationOptions>): Promise<OpenedApplication> {
  return openApplication(
    {
      ...{ dataDir, chainId: 'app-1', prefix: 'open', minimumGasPrices: '', txBytesMax: 1_000_000 },
      ...{ verifierWorkers: 0, version: '', log: silentLogger },
      ...program,
    },
    {
      openBackend: openLevel,
      openPool: () => ({ verify: async () => [], stop: async () => undefined }),
    },
  );
}

async function makeBlocks(application: Application, from: bigint, to: bigint): Promise<void> {
  for (let height = from; height <= to; height++) {
    await application.finalizeBlock({
      txs: [],
      decidedLastCommit: { round: 0, votes: [] },
      misbehavior: [],
      hash: sha256(utf8(`${height}`)),
      height,
      time: { seconds: 1_700_000_000n + height, nanos: 0 },
      nextValidatorsHash: new Uint8Array(32),
      proposerAddress: new Uint8Array(20),
    });
    await application.commit();
  }
}

async function infoOf(application: Application): Promise<string> {
  const info = await application.info({ version: '', blockVersion: 0n, p2pVersion: 0n, abciVersion: '' });
  return `${info.lastBlockHeight} ${toHex(info.lastBlockAppHash)}`;
}

/** The old program on a new chain, which has come to the height before the upgrade's. */
async function begun(): ReturnType<typeof open> {
  const first = await open(OLD);
  const document = buildGenesis({
    chainId: 'app-1',
    genesisTime: { seconds: 1_700_000_000n, nanos: 0 },
    accounts: [],
    validators: [{ pubKey: sha256(utf8('validator')), power: 10n, name: 'validator' }],
  });
  await first.application.initChain(initChainRequest(document));
  await makeBlocks(first.application, 1n, 4n);
  return first;
}

it('a node that needs an upgrade says so at its height and at each start, and the new one goes on', async () => {
  const first = await begun();
  const file = join(dataDir, 'upgrade-info.json');
  expect(existsSync(file)).toBe(false);
  await expect(makeBlocks(first.application, 5n, 5n)).rejects.toThrow(NEEDED);
  const info = {
    name: 'v2',
    time: '0001-01-01T00:00:00Z',
    height: 5,
    info: 'get "it" here',
  };
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(info);
  await first.close();

  rmSync(file);
  await expect(open(OLD)).rejects.toThrow(NEEDED);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(info);

  const second = await open(NEW);
  await makeBlocks(second.application, 5n, 7n);
  const expected = await infoOf(second.application);
  await second.close();
  // What was renamed is in the change set of its block: a restart comes to the same state.
  const third = await open(NEW);
  expect(await infoOf(third.application)).toBe(expected);
  await makeBlocks(third.application, 8n, 8n);
  await third.close();
  await expect(open(OLD)).rejects.toThrow('upgrade handler is missing for v2 upgrade plan');
});

it('the operator may pass it over', async () => {
  const first = await begun();
  await first.close();
  const second = await open({ ...OLD, skipUpgrades: [5n] });
  await makeBlocks(second.application, 5n, 6n);
  await second.close();
  const third = await open(OLD);
  await third.close();
});

it('upgrade-info.json is that of the SDK, byte for byte', () => {
  const plan = Plan.create({ name: 'third', height: 1000n, info: 'https://example.org/info' });
  writeUpgradeInfo(dataDir, new UpgradeError('upgrade.needed', '', plan), 1000n);
  const expected = readFileSync(
    new URL('../test/vectors/upgrade/upgrade-info.json', import.meta.url),
    'utf8',
  );
  expect(readFileSync(join(dataDir, 'upgrade-info.json'), 'utf8')).toBe(expected);
});
