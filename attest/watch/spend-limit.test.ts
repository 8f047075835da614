import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { suffixArray } from '../index/sais.ts';
import { shardInMemory } from '../prove/memory.ts';
import { sortedShard, textDocument } from '../testing/naive-shard.ts';
import { WatchMetrics } from './metrics.ts';
import { FakeChain, memoryPublisher } from './testing/fake-chain.ts';
import { watcherIn } from './testing/watch-world.ts';

/** Right shards of one text in two sections each, whose texts are shown on the chain only. */
const texts = Array.from({ length: 6 }, (_, i) => textDocument(11 + i, `${i}x`.repeat(10_000)));
const options = { datanetId: 1n, entriesPerLeaf: 8 };
const shards = texts.map((text, i) =>
  shardInMemory(
    sortedShard([text], (tokens) => suffixArray(Uint32Array.from(tokens))),
    { ...options, firstPosition: BigInt(i) },
  ),
);

let home = '';
let log: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'watch-'));
  log = [];
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

async function rounds(chain: FakeChain, spendMax: bigint | undefined, metrics = new WatchMetrics()) {
  const spentFile = join(home, 'spent');
  const watcher = watcherIn({ home, chain, log, metrics, options: { spendMax, spentFile } });
  for (let round = 0; round < 8; round++) {
    await watcher.lookAtPublished();
    for (const id of chain.published.keys()) for (let i = 0; i < 4; i++) chain.answerOldest(id);
  }
  return metrics;
}

function spentOn(chain: FakeChain): bigint {
  return [...chain.published.keys()].reduce((sum, id) => sum + chain.bondsOf(id), 0n);
}

test('over all shards no more is put at stake in a window than may be, also by a watcher that was killed', async () => {
  const chain = new FakeChain(texts);
  for (const shard of shards) chain.publish(shard, 'nowhere');
  const metrics = await rounds(chain, 1_000n);
  expect(spentOn(chain)).toBe(1_000n);
  const said = log.filter((line) => line.includes('(--spend-max)'));
  expect(said).toEqual([
    'nothing more is demanded on the chain that is no step to a conviction: bonds of 1000 were put at stake in 20000 blocks, at most 1000 may be (--spend-max)',
  ]);
  const reached = /attest_watch_failures_total\{where="spend_max"\} (\d+)/.exec(
    await metrics.registry.metrics(),
  );
  expect(Number(reached?.[1])).toBeGreaterThan(0);
  await rounds(chain, 1_000n);
  expect(spentOn(chain)).toBe(1_000n);
  chain.at += 19_999n;
  await rounds(chain, 1_000n);
  expect(spentOn(chain)).toBe(1_000n);
  chain.at += 1n;
  await rounds(chain, 1_000n);
  // Both sections of each.
  expect(chain.sent).toHaveLength(12);
});

test('four times what a conviction pays, if nobody says another sum', async () => {
  const chain = new FakeChain(texts);
  for (const shard of shards) chain.publish(shard, 'nowhere');
  writeFileSync(join(home, 'spent'), '1 19600\n');
  await rounds(chain, undefined);
  expect(spentOn(chain)).toBe(400n);
});

test('steps to a conviction are made whatever was put at stake, and count', async () => {
  const chain = new FakeChain(texts);
  const [text] = texts;
  const [right] = shards;
  if (text === undefined || right === undefined) return;
  const arrays = sortedShard([text], (tokens) => suffixArray(Uint32Array.from(tokens)));
  const other = (r: number): number => (r === 5 ? 6 : r === 6 ? 5 : r);
  const wrong = shardInMemory({ ...arrays, suffix: (r) => arrays.suffix(other(r)) }, options);
  chain.publish(wrong, 'a');
  chain.answering = wrong;
  const publishers = { a: memoryPublisher({ texts }) };
  const spentFile = join(home, 'spent');
  const watcher = watcherIn({ home, chain, log, publishers, options: { spendMax: 0n, spentFile } });
  for (let round = 0; round < 20 && chain.published.size > 0; round++) {
    await watcher.lookAtPublished();
    chain.answer();
  }
  expect(chain.sent.at(-1)).toEqual(['convict', 1n]);
  const second = new FakeChain(texts);
  for (const shard of shards) second.publish(shard, 'nowhere');
  await rounds(second, 100n);
  expect(spentOn(second)).toBe(0n);
});

test('a file that is damaged is named', () => {
  const spentFile = join(home, 'spent');
  writeFileSync(spentFile, '1 many\n');
  const chain = new FakeChain(texts);
  expect(() => watcherIn({ home, chain, log, options: { spentFile } })).toThrow(
    expect.objectContaining({ code: 'attest.spent_file' }),
  );
});

test('who publishes with a large bond does not raise the limit', async () => {
  const chain = new FakeChain(texts);
  const stakesOf = chain.stakes.bind(chain);
  chain.stakes = async (of, id) => ({ ...(await stakesOf(of, id)), reward: 5_000_000n, leastReward: 200n });
  for (const shard of shards) chain.publish(shard, 'nowhere');
  await rounds(chain, undefined);
  expect(spentOn(chain)).toBe(800n);
});
