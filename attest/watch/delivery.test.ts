/** Texts that are on their way are not demanded on the chain before that is needed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { equalBytes } from '../../core/bytes.ts';
import { shardInMemory } from '../prove/memory.ts';
import { naiveShard, textDocument } from '../testing/naive-shard.ts';
import type { Publisher } from './ports.ts';
import { FakeChain, memoryPublisher } from './testing/fake-chain.ts';
import { watcherIn } from './testing/watch-world.ts';

const texts = Array.from({ length: 6 }, (_, i) =>
  textDocument(i + 1, `${'a text of some words '.repeat(5)}${i}`),
);
const shard = shardInMemory(naiveShard(texts), { datanetId: 1n, entriesPerLeaf: 8 });

let home = '';
const log: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'delivery-'));
  log.length = 0;
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Serves the first texts, as many as it is let. */
function slowly(): Publisher & { let: number } {
  const slow = {
    ...memoryPublisher({}),
    let: 0,
    async content(root: Uint8Array) {
      return texts.slice(0, slow.let).find((text) => equalBytes(text.root, root))?.content;
    },
  };
  return slow;
}

/** A shard that is due in so many blocks. */
function world(blocks: bigint) {
  const chain = new FakeChain(texts);
  chain.dueHeight = chain.at + blocks;
  chain.publish(shard, 'a');
  const slow = slowly();
  return { chain, slow, watcher: watcherIn({ home, chain, log, publishers: { a: slow } }) };
}

test('who delivers a text in each round is not asked on the chain', async () => {
  const { chain, slow, watcher } = world(20_000n);
  for (slow.let = 1; slow.let <= texts.length; slow.let++) await watcher.lookAtPublished();
  expect([chain.sent, log.at(-1)]).toEqual([[], 'shard 1 is what its texts say']);
});

test('who never delivers is asked at once', async () => {
  const { chain, watcher } = world(20_000n);
  await watcher.lookAtPublished();
  expect(chain.sent).toHaveLength(4);
});

test('who stops delivering is waited for as long as a pause for being slow may last', async () => {
  const { chain, slow, watcher } = world(1_000_000n);
  slow.let = 2;
  for (let round = 1; round <= 66; round++) await watcher.lookAtPublished();
  expect(chain.sent).toEqual([]);
  await watcher.lookAtPublished();
  expect(chain.sent).toHaveLength(4);
});

test('what is still missing is demanded while it can be answered, and used, before the shard is due', async () => {
  // 4 texts, four at a time; then down the largest tree, of 25 leaves and more, and four further steps.
  const leaves = Math.ceil(shard.commitment.tokens / 8);
  const needed = 500n * BigInt(1 + Math.ceil(Math.log2(leaves + 1)) + 4);
  for (const [blocks, demanded] of [
    [needed + 1n, 0],
    [needed, 4],
    [1n, 4],
    [-5n, 4],
  ] as const) {
    rmSync(home, { recursive: true, force: true });
    const { chain, slow, watcher } = world(blocks);
    slow.let = 2;
    await watcher.lookAtPublished();
    expect([blocks, chain.sent.length]).toEqual([blocks, demanded]);
    // Blocks go on: now there is no more time to wait.
    chain.at += 1n;
    await watcher.lookAtPublished();
    expect([blocks, chain.sent.length]).toEqual([blocks, 4]);
  }
});

test('endpoints of a shard whose texts are not to be had are looked up again, and a new one is asked', async () => {
  const { chain, watcher } = world(1n);
  await watcher.lookAtPublished();
  expect(chain.lookedUpAgain).toEqual([1n]);
  const known = chain.published.get(1n);
  if (known === undefined) throw new Error('no shard');
  chain.published.set(1n, { ...known, endpoints: ['a', 'b'] });
  const served = watcherIn({ home, chain, log, publishers: { b: memoryPublisher({ texts }) } });
  await served.lookAtPublished();
  expect(log.at(-1)).toBe('shard 1 is what its texts say');
});

test('of many endpoints of one shard the latest four are asked in a round', async () => {
  const { chain } = world(1n);
  const known = chain.published.get(1n);
  if (known === undefined) throw new Error('no shard');
  const endpoints = Array.from({ length: 100 }, (_, i) => `e${i}`);
  chain.published.set(1n, { ...known, endpoints });
  const publishers = Object.fromEntries(endpoints.map((name) => [name, memoryPublisher({})]));
  await watcherIn({ home, chain, log, publishers }).lookAtPublished();
  const asked = endpoints.filter((name) => (publishers[name]?.asked.length ?? 0) > 0);
  expect(asked).toEqual(['e96', 'e97', 'e98', 'e99']);
});
