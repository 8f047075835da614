/** Many withdrawn contributions, of which a publisher serves other leaves than those that he committed to. */
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

const commit = (arrays: ShardArrays): ShardReader => shardInMemory(arrays, { datanetId: 1n });

/** A text that stays, and so many that are withdrawn. */
function scene(count: number) {
  const texts = Array.from({ length: count + 1 }, (_, i) => textDocument(11 + i, `text ${i}`));
  const arrays = naiveShard(texts);
  return {
    texts,
    right: commit(arrays),
    /** Two ranks exchanged. */
    wrong: commit({ ...arrays, suffix: (r) => arrays.suffix(r === 5 ? 6 : r === 6 ? 5 : r) }),
    buried: commit(naiveShard(texts.map((text, i) => (i > 0 ? { ...text, content: undefined } : text)))),
  };
}

let home = '';
const log: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'withdrawn-many-'));
  log.length = 0;
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Rounds of demands, each answered, until the shard is judged or nothing more is asked. */
async function rounds(
  { texts, shard }: { readonly texts: ReturnType<typeof scene>['texts']; readonly shard: ShardReader },
  publisher: Publisher,
  demandBudget?: bigint,
) {
  const chain = new FakeChain(texts);
  for (const { contributionId } of texts.slice(1)) chain.withdrawn.add(contributionId);
  chain.answering = shard;
  chain.publish(shard, 'a');
  for (let round = 0; round < 60; round++) {
    const sent = chain.sent.length;
    await watcherIn({
      home,
      chain,
      log,
      publishers: { a: publisher },
      options: { demandBudget },
    }).lookAtPublished();
    if (chain.sent.length === sent || !chain.published.has(1n)) return { chain, round };
    chain.answer();
  }
  throw new Error('not judged');
}

const RIGHT = 'shard 1 is what its texts say';

/** Serves all texts, and of documents the leaves of another shard. */
const serving = (texts: ReturnType<typeof scene>['texts'], other: ShardReader): Publisher => ({
  ...memoryPublisher({ texts }),
  leaves: async (_, tree, { from, count }) =>
    tree === 'documents' ? Array.from({ length: count }, (__, i) => other.leaf(tree, from + i)) : undefined,
});

test('a right shard of 60 costs a watcher two demands, whoever serves leaves of another, or none', async () => {
  const { texts, right, buried } = scene(60);
  for (const publisher of [serving(texts, buried), memoryPublisher({ texts })]) {
    rmSync(home, { recursive: true, force: true });
    const { chain, round } = await rounds({ texts, shard: right }, publisher, 1000n);
    expect([log.at(-1), chain.sent.length, chain.bondsOf(1n), round]).toEqual([RIGHT, 2, 300n, 1]);
  }
});

test('leaves that lead to the root are believed without the chain', async () => {
  const { texts, right } = scene(60);
  const { chain } = await rounds({ texts, shard: right }, serving(texts, right));
  expect([log.at(-1), chain.sent]).toEqual([RIGHT, []]);
});

test('what withdrawn documents cost stays within the budget, and that is said once', async () => {
  const { texts, right } = scene(200);
  const { chain } = await rounds({ texts, shard: right }, memoryPublisher({ texts }), 500n);
  expect(chain.bondsOf(1n)).toBeLessThanOrEqual(500n);
  expect(chain.sent.length).toBeGreaterThan(0);
  await watcherIn({
    home,
    chain,
    log,
    publishers: { a: memoryPublisher({ texts }) },
    options: { demandBudget: 500n },
  }).lookAtPublished();
  expect(log.filter((line) => line.includes('(--demand-budget)')).length).toBeGreaterThan(0);
  expect(chain.bondsOf(1n)).toBeLessThanOrEqual(500n);
});

test.each([4, 40, 180])(
  'a wrong shard of %i is convicted in its window, each answer in its last block',
  async (count) => {
    const { texts, wrong, buried } = scene(count);
    const { chain, round } = await rounds({ texts, shard: wrong }, serving(texts, buried));
    expect(chain.sent.at(-1)).toEqual(['convict', 1n]);
    const { requestBlocks } = await chain.stakes('shard', 1n);
    // challenge_blocks is 20,000.
    expect(BigInt(round) * requestBlocks).toBeLessThan(10_000n);
  },
);
