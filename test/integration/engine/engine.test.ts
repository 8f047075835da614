import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EMPTY_BYTES, toHex, utf8 } from '../../../core/bytes.ts';
import { Broadcast, openTestNode, type TestHome, type TestNode, testGenesis } from './test-node.ts';

const home = (index: number): TestHome => ({
  directory: mkdtempSync(join(tmpdir(), 'engine-')),
  index,
  application: { height: 0n, hash: EMPTY_BYTES },
});

function joinNetwork(network: Broadcast, index: number, node: TestNode): void {
  network.join(index, node.engine);
  node.engine.start();
  node.engine.joinConsensus();
}

test('a single validator makes blocks, stops, and continues where it stopped', async () => {
  const genesis = testGenesis(1);
  const network = new Broadcast();
  const mine = home(0);
  const txs = [utf8('a transaction')];
  const first = await openTestNode({
    home: mine,
    genesis,
    publisher: network.publisher(0),
    transactions: () => txs,
  });
  joinNetwork(network, 0, first);
  await first.reached(5n);
  await first.stop();
  const stoppedAt = first.engine.lastHeight();
  expect(first.committed[0]?.block.txs).toEqual(txs);
  const second = await openTestNode({ home: mine, genesis, publisher: network.publisher(0) });
  expect(second.engine.lastHeight()).toBe(stoppedAt);
  joinNetwork(network, 0, second);
  await second.reached(stoppedAt + 3n);
  await second.stop();
  expect(second.committed[0]?.height).toBe(stoppedAt + 1n);
  expect(network.misbehaved).toEqual([]);
});

test('four validators agree on every block and every app hash', async () => {
  const genesis = testGenesis(4);
  const network = new Broadcast();
  const nodes: TestNode[] = [];
  for (let index = 0; index < 4; index++) {
    const transactions = (): Uint8Array[] => [utf8(`from ${index}`)];
    nodes.push(
      await openTestNode({ home: home(index), genesis, publisher: network.publisher(index), transactions }),
    );
  }
  for (const [index, node] of nodes.entries()) joinNetwork(network, index, node);
  await Promise.all(nodes.map((node) => node.reached(12n)));
  await Promise.all(nodes.map((node) => node.stop()));
  const ids = (node: TestNode): string[] =>
    node.committed.slice(0, 12).map(({ blockId, results }) => toHex(blockId.hash) + toHex(results.appHash));
  const [first, ...others] = nodes.map(ids);
  for (const other of others) expect(other).toEqual(first);
  expect(network.misbehaved).toEqual([]);
  const proposers = new Set(nodes[0]?.committed.map(({ block }) => toHex(block.header.proposerAddress)));
  expect(proposers.size).toBe(4);
});
