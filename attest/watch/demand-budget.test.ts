/** What watching costs where texts are shown on the chain only. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { suffixArray } from '../index/sais.ts';
import { shardInMemory } from '../prove/memory.ts';
import { sortedShard, textDocument } from '../testing/naive-shard.ts';
import { CardCache } from './card-cache.ts';
import { WatchMetrics } from './metrics.ts';
import { FakeChain, memoryPublisher } from './testing/fake-chain.ts';
import { look, noTicks, PATIENT } from './testing/look.ts';
import { TextCache } from './text-cache.ts';
import { Watcher, type WatcherOptions } from './watcher.ts';

const long = [
  textDocument(11, 'it was the best of times it was the worst of times '.repeat(1300)),
  textDocument(12, 'abcd'),
];
const longArrays = sortedShard(long, (tokens) => suffixArray(Uint32Array.from(tokens)));
const longShard = shardInMemory(longArrays, { datanetId: 1n, entriesPerLeaf: 8 });

let home = '';
const log: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'watch-'));
  log.length = 0;
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Of texts that nobody serves. */
function watcherOf(chain: FakeChain, options: Partial<WatcherOptions> = {}): Watcher {
  const note = (_: unknown, message: string): void => void log.push(message);
  return new Watcher(
    {
      chain,
      publishers: () => memoryPublisher({}),
      ticks: noTicks,
      cache: new TextCache(home),
      cards: new CardCache(home),
      logger: { info: note, warn: note, error: note },
      metrics: new WatchMetrics(),
    },
    { ...PATIENT, ...options },
  );
}

test('texts that nobody serves are demanded on the chain, section by section, a few at a time', async () => {
  const chain = new FakeChain(long);
  chain.publish(longShard, 'nowhere');
  const watcher = watcherOf(chain);
  await look(watcher);
  await look(watcher);
  expect(chain.sent).toHaveLength(4);
  expect(log[0]).toContain('nobody serves 2 of its 2 texts, contribution 11 for one');
  chain.answering = longShard;
  for (let round = 0; round < 10; round++) {
    chain.answer();
    await look(watcher);
  }
  expect(log.at(-1)).toBe('shard 1 is what its texts say');
  // 5 sections of the first text, one of the second.
  expect(chain.sent).toEqual(Array(6).fill(['demand', 1n]));
});

test('texts are demanded as long as the bonds stay within a budget, that of the reward or a given one', async () => {
  // Bonds of 100, 200, 300 and 400 that are open together.
  const cases = [
    [undefined, 6],
    [100n, 1],
    [299n, 2],
    [300n, 2],
    [0n, 0],
    [1099n, 4],
  ] as const;
  for (const [demandBudget, demanded] of cases) {
    log.length = 0;
    const chain = new FakeChain(long);
    chain.publish(longShard, 'nowhere');
    chain.answering = longShard;
    rmSync(home, { recursive: true, force: true });
    const watcher = watcherOf(chain, { demandBudget });
    for (let round = 0; round < 10; round++) {
      await look(watcher);
      chain.answer();
    }
    const said = log.filter((line) => line.includes(`would cost more than ${demandBudget}`));
    expect([chain.sent.length, said.length]).toEqual([demanded, demandBudget === undefined ? 0 : 1]);
    expect(chain.bondsOf(1n) <= (demandBudget ?? 5000n)).toBe(true);
  }
});

test('a watcher that was killed knows what its demands have cost, and spends no more than the reward', async () => {
  const texts = [textDocument(11, 'x'.repeat(21 * 16_384))];
  const chain = new FakeChain(texts);
  chain.publish(longShard, 'nowhere');
  chain.answering = longShard;
  for (let round = 0; round < 8; round++) {
    await look(watcherOf(chain));
    chain.answer();
  }
  // 5 times 1 + 2 + 3 + 4 hundred.
  expect([chain.sent.length, chain.bondsOf(1n)]).toEqual([20, 5000n]);
  expect(log.at(-1)).toContain('no more of it is demanded on the chain');
});
