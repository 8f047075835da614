import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shardInMemory } from '../prove/memory.ts';
import type { ShardArrays, ShardReader } from '../shard.ts';
import { naiveShard, textDocument } from '../testing/naive-shard.ts';
import type { Publisher } from './ports.ts';
import { FakeChain, memoryPublisher } from './testing/fake-chain.ts';
import { watcherIn } from './testing/watch-world.ts';

const texts = [
  textDocument(11, 'it was the best of times it was the worst of times it was the age of wisdom'),
  textDocument(12, 'we choose to go to the moon'),
  textDocument(13, 'it was the epoch of belief'),
];
const left = texts.map((text, i) => (i === 1 ? { ...text, content: undefined } : text));
const commit = (arrays: ShardArrays): ShardReader => shardInMemory(arrays, { datanetId: 1n });
const withText = commit(naiveShard(texts));
const withTombstone = commit(naiveShard(left));
/** Two ranks exchanged. */
const wrong = (arrays: ShardArrays): ShardReader =>
  commit({ ...arrays, suffix: (r) => arrays.suffix(r === 5 ? 6 : r === 6 ? 5 : r) });

let home = '';
const log: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'withdrawn-'));
  log.length = 0;
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Contribution 12 is withdrawn; looks until the shard is judged, at most so often. */
async function judged(shard: ShardReader, publisher: Publisher, rounds = 40): Promise<FakeChain> {
  const chain = new FakeChain(texts);
  chain.withdrawn.add(12n);
  chain.answering = shard;
  chain.publish(shard, 'a');
  for (let round = 0; round < rounds; round++) {
    await watcherIn({ home, chain, log, publishers: { a: publisher } }).lookAtPublished();
    if (log.at(-1)?.includes('is what its texts say') || !chain.published.has(1n)) break;
    chain.answer();
  }
  return chain;
}

const RIGHT = 'shard 1 is what its texts say';

test.each([
  ['text', withText, texts],
  ['tombstone, the text being known', withTombstone, texts],
  ['tombstone, the text being lost', withTombstone, left],
])('of what is withdrawn a shard may have a %s', async (_, shard, served) => {
  const chain = await judged(shard, memoryPublisher({ texts: served, shard }), 1);
  expect([log.at(-1), chain.sent]).toEqual([RIGHT, []]);
});

test('where nobody serves leaves, the chain is asked which of them it has', async () => {
  const buried = await judged(withTombstone, memoryPublisher({ texts }));
  expect([log.at(-1), buried.sent]).toEqual([RIGHT, []]);
  rmSync(home, { recursive: true, force: true });
  const chain = await judged(withText, memoryPublisher({ texts }));
  expect([log.at(-1), chain.sent]).toEqual([RIGHT, [['demand', 1n]]]);
});

test('who says tombstone and has committed to the text, or the other way round, is not convicted of a lie', async () => {
  for (const [shard, other] of [
    [withText, withTombstone],
    [withTombstone, withText],
  ] as const) {
    rmSync(home, { recursive: true, force: true });
    const liar: Publisher = {
      ...memoryPublisher({ texts, shard }),
      leaves: async (_, tree, { from }) => [other.leaf(tree, from)],
    };
    const chain = await judged(shard, liar);
    // What does not lead to the root is not believed; until the chain shows more, a tombstone is assumed.
    const demanded = shard === withText ? [['demand', 1n]] : [];
    expect([log.at(-1), chain.sent]).toEqual([RIGHT, demanded]);
  }
});

test('a text that a shard commits to is demanded where nobody serves it; a tombstone is an answer', async () => {
  const hint = memoryPublisher({ texts: left, shard: withText });
  const chain = await judged(withText, hint);
  expect([log.at(-1), chain.sent]).toEqual([RIGHT, [['demand', 1n]]]);
});

test.each([
  ['text', wrong(naiveShard(texts))],
  ['tombstone', wrong(naiveShard(left))],
])('a wrong shard with a %s is convicted, served or not', async (_, shard) => {
  for (const publisher of [memoryPublisher({ texts, shard }), memoryPublisher({ texts })]) {
    rmSync(home, { recursive: true, force: true });
    const chain = await judged(shard, publisher);
    expect(chain.sent.at(-1)).toEqual(['convict', 1n]);
  }
});

test('a shard with a tombstone that was wrong is right as soon as the contribution is withdrawn', async () => {
  const chain = new FakeChain(texts);
  chain.publish(withTombstone, 'a');
  // Nobody serves its leaves, so it is not convicted at once.
  const publishers = { a: memoryPublisher({ texts }) };
  await watcherIn({ home, chain, log, publishers }).lookAtPublished();
  expect(log.at(-1)).toContain('is demanded on the chain');
  chain.withdrawn.add(12n);
  await watcherIn({ home, chain, log, publishers }).lookAtPublished();
  expect(log.at(-1)).toBe(RIGHT);
});
