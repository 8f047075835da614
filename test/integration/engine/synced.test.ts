/** Blocks from block sync, given to a node that takes part or follows, one by one. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { EMPTY_BYTES, toHex, utf8 } from '../../../core/bytes.ts';
import { defined } from '../../../core/errors.ts';
import type { SyncedBlock } from '../../../node/engine/ports.ts';
import {
  Broadcast,
  openTestNode,
  type TestHome,
  type TestNode,
  type TestNodeOptions,
  testGenesis,
} from './test-node.ts';

const genesis = testGenesis(1);
const network = new Broadcast();
const opened: TestNode[] = [];

const home = (index: number, hash: Uint8Array = EMPTY_BYTES): TestHome => ({
  directory: mkdtempSync(join(tmpdir(), 'synced-')),
  index,
  application: { height: 0n, hash },
});

async function open(options: Partial<TestNodeOptions>): Promise<TestNode> {
  const publisher = network.publisher(opened.length);
  const node = await openTestNode({ home: home(9), genesis, publisher, validates: false, ...options });
  opened.push(node);
  node.engine.start();
  return node;
}

/** The chain of a single validator up to a height. */
async function chainOf(height: bigint, txs: readonly Uint8Array[]): Promise<(at: bigint) => SyncedBlock> {
  const node = await open({ home: home(0), validates: true, transactions: () => txs });
  node.engine.joinConsensus();
  await node.reached(height);
  return (at) => ({
    height: at,
    blockBytes: defined(node.blocks.blockBytes(at), 'block'),
    commit: defined(node.blocks.commit(at), 'commit'),
  });
}

afterEach(() => Promise.all(opened.splice(0).map((node) => node.stop())));

test('tendermint#925: a node that waits for something to make a block of takes the blocks that others made', async () => {
  const block = await chainOf(6n, []);
  const node = await open({ createEmptyBlocks: false });
  node.engine.joinConsensus();
  for (let height = 1n; height <= 5n; height++) await node.engine.applySynced(block(height));
  expect(node.engine.lastHeight()).toBe(5n);
  expect(node.committed.map(({ height }) => height)).toEqual([1n, 2n, 3n, 4n, 5n]);
});

test('a block that comes while the one before is told of waits for that', async () => {
  const block = await chainOf(4n, [utf8('a transaction')]);
  const told: bigint[] = [];
  let second: Promise<void> | undefined;
  const node = await open({
    onCommit: async (height) => {
      // The state is that of this height, and the core has not begun the next.
      if (height === 1n) second = node.engine.applySynced(block(2n));
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      told.push(height);
    },
  });
  node.engine.joinConsensus();
  await node.engine.applySynced(block(1n));
  await second;
  await node.engine.applySynced(block(3n));
  expect(told).toEqual([1n, 2n, 3n]);
});

test('stopped at any moment while it joins consensus, a node stays stopped', async () => {
  const block = await chainOf(1n, []);
  for (let moment = 0; moment < 12; moment++) {
    const node = await open({});
    node.engine.joinConsensus();
    for (let turn = 0; turn < moment; turn++) await Promise.resolve();
    await node.engine.stop();
    await expect(node.engine.applySynced(block(1n)), `${moment}`).rejects.toMatchObject({
      code: 'engine.stopped',
    });
  }
});

for (const joined of [false, true])
  test(`cometbft#2701: a node whose own state is another than the network's stops and blames nobody (${joined ? 'in consensus' : 'syncing'})`, async () => {
    const block = await chainOf(3n, [utf8('a transaction')]);
    const node = await open({ home: home(9, Uint8Array.of(7)) });
    if (joined) node.engine.joinConsensus();
    await expect(node.engine.applySynced(block(1n))).rejects.toMatchObject({ code: 'sync.diverged' });
    expect(await node.fatal).toMatchObject({
      code: 'sync.diverged',
      message: expect.stringMatching(
        /app hash after block 0 is empty there and 07 here.*install the version/,
      ),
    });
  });

test('a block that nobody decided is its sender’s fault, whatever is in it', async () => {
  const block = await chainOf(3n, [utf8('a transaction')]);
  const node = await open({ home: home(9, Uint8Array.of(7)) });
  const { commit } = block(2n);
  const undecided = node.engine.applySynced({ ...block(1n), commit: { ...commit, height: 1n } });
  await expect(undecided).rejects.toMatchObject({ code: 'sync.invalid_block' });
  expect(node.engine.lastHeight()).toBe(0n);
  expect(toHex(node.application.disk.hash)).toBe('07');
  await expect(node.engine.applySynced(block(1n))).rejects.toMatchObject({ code: 'sync.diverged' });
});
