import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { initChainRequest } from '../../genesis/encode.ts';
import { silentLogger } from '../../p2p/network.ts';
import { openApplication } from '../application.ts';
import { readGenesisFile } from '../home/genesis-file.ts';
import { nodeLockPath } from '../home/node-lock.ts';
import { openHome } from '../home/open.ts';
import { lockOrRefuse } from '../process-lock.ts';
import { createProgram } from '../program.ts';
import { tryGenesis } from './try.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'openledgerd-export-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs one command; resolves to its standard output. */
async function run(node: string, ...args: readonly string[]): Promise<string> {
  let out = '';
  const terminal = {
    out: (text: string) => {
      out += text;
    },
    note: () => undefined,
    interactive: false,
    ask: async () => '',
  };
  await createProgram(terminal).parseAsync(['node', 'openledgerd', ...args, '--home', join(root, node)]);
  return out;
}

const init = (node: string, ...args: readonly string[]) =>
  run(node, 'init', node, ...args, '--p2p-laddr', 'tcp://127.0.0.1:1', '--rpc-laddr', 'tcp://127.0.0.1:0');

/** Executes blocks without a node, on the home's own database. @returns the first height */
async function makeBlocks(node: string, count: number): Promise<bigint> {
  const home = openHome(join(root, node));
  const { document, prefix } = readGenesisFile(home.paths.genesisFile);
  const { chainId, initialHeight } = document;
  const { application, close } = await openApplication({
    ...{ dataDir: home.dataDir, chainId, prefix, initialHeight, minimumGasPrices: '', txBytesMax: 1000 },
    ...{ verifierWorkers: 0, version: '', log: silentLogger },
  });
  await application.initChain(initChainRequest(document));
  for (let i = 0n; i < BigInt(count); i++) {
    await application.finalizeBlock({
      txs: [],
      decidedLastCommit: { round: 0, votes: [] },
      misbehavior: [],
      hash: new Uint8Array(32),
      height: initialHeight + i,
      time: { seconds: document.genesisTime.seconds + i, nanos: 0 },
      nextValidatorsHash: new Uint8Array(32),
      proposerAddress: new Uint8Array(20),
    });
    await application.commit();
  }
  await close();
  return initialHeight;
}

it('export prints a genesis in the SDK’s shape, from which a chain begins at the next height', async () => {
  await init('a', '--chain-id', 'export-1');
  await expect(run('a', 'export')).rejects.toThrow('its node has never run');
  expect(await makeBlocks('a', 5)).toBe(1n);
  const text = await run('a', 'export');
  const document = JSON.parse(text);
  expect(document).toMatchObject({
    app_name: 'openledgerd',
    chain_id: 'export-1',
    initial_height: 6,
    app_hash: null,
    consensus: { params: { version: { app: '0' } }, validators: [{ power: '100', name: 'a' }] },
  });
  expect(text.trim().includes('\n')).toBe(false);
  const file = join(root, 'b.json');
  expect(await run('a', 'export', '--output-document', file)).toBe('');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(document);
  expect(tryGenesis(file, readGenesisFile(file))).toBe(1);

  await init('b', '--genesis', file);
  expect(await makeBlocks('b', 2)).toBe(6n);
  expect(JSON.parse(await run('b', 'export'))).toMatchObject({ initial_height: 8, chain_id: 'export-1' });
  await expect(run('b', 'export', '--height', '5')).rejects.toThrow(
    'the state of height 5 is not kept: the database has heights 6 to 7',
  );
});

it('export reaches back to every height that the database has, and to height 0', async () => {
  await init('a', '--chain-id', 'export-1');
  await makeBlocks('a', 150);
  const early = JSON.parse(await run('a', 'export', '--height', '3', '--modules-to-export', 'bank, gov'));
  expect([early.initial_height, Object.keys(early.app_state)]).toEqual([4, ['bank', 'gov']]);
  const zero = JSON.parse(await run('a', 'export', '--for-zero-height'));
  expect(zero.initial_height).toBe(0);
  const file = join(root, 'zero.json');
  writeFileSync(file, JSON.stringify(zero));
  expect(readGenesisFile(file).document.initialHeight).toBe(1n);
});

it('export refuses in one sentence: a running node, a wrong height, a module that there is not', async () => {
  await init('a', '--chain-id', 'export-1');
  await makeBlocks('a', 1);
  await expect(run('a', 'export', '--height', '0')).rejects.toThrow('--height 0 is no height');
  await expect(run('a', 'export', '--modules-to-export', 'bonk')).rejects.toThrow('module bonk not found');
  const unlock = lockOrRefuse(nodeLockPath(join(root, 'a')), 'this test');
  await expect(run('a', 'export')).rejects.toThrow(/the node in .* is running already .*; stop it first/);
  unlock();
});
