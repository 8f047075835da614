import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { suffixArray } from '../index/sais.ts';
import { shardInMemory } from '../prove/memory.ts';
import type { ShardArrays } from '../shard.ts';
import { sortedShard, textDocument } from '../testing/naive-shard.ts';
import { DemandPlaces, type PlaceWish } from '../../watch/demand-places.ts';
import { FakeChain, memoryPublisher } from './testing/fake-chain.ts';
import { look } from './testing/look.ts';
import { watcherIn } from './testing/watch-world.ts';

/** Objects that each want four places, on a chain that takes eight requests. */
function table(most = 8) {
  let open: { readonly object: string; readonly id: bigint }[] = [];
  const last = new Map<string, bigint>();
  let ids = 0n;
  const places = new DemandPlaces({
    ownRequests: async () => ({ open: open.map(({ object }) => object), most }),
  });
  const countOf = (object: string): number => open.filter((each) => each.object === object).length;
  return {
    countOf,
    open: () => open.length,
    async want(
      object: string,
      dueHeight = 100n,
      wanted = 4 - countOf(object),
      decisive = true,
    ): Promise<number> {
      const wish: PlaceWish = { object, dueHeight, lastRequest: last.get(object) ?? 0n, wanted, decisive };
      let granted = 0;
      await places.use(wish, async (count) => {
        granted = count;
        for (let place = 0; place < count; place++) open.push({ object, id: ++ids });
        if (count > 0) last.set(object, ids);
      });
      return granted;
    },
    leave: (object: string) => places.leave(object),
    answer(object: string): void {
      const first = open.find((each) => each.object === object);
      open = open.filter((each) => each !== first);
    },
  };
}

test('who is alone gets what he wants; the last two places wait for somebody new', async () => {
  const { want, open } = table();
  expect(await want('shard 1')).toBe(4);
  expect(await want('shard 2')).toBe(2);
  expect(await want('shard 2')).toBe(0);
  expect(await want('shard 3')).toBe(1);
  expect(await want('card 1')).toBe(1);
  expect([open(), await want('shard 4')]).toEqual([8, 0]);
});

test('who has none is before who has some, also when that one comes first', async () => {
  const { want, answer } = table(2);
  expect(await want('a', 5n, 1)).toBe(1);
  expect(await want('b', 9n, 1)).toBe(1);
  expect(await want('c', 1n, 1)).toBe(0);
  answer('a');
  // It had one before; the other had none, though it is due later.
  expect(await want('a', 0n, 1)).toBe(0);
  expect(await want('c', 1n, 1)).toBe(1);
});

test('a step to a conviction is before what only tells whether there is anything to convict', async () => {
  const { want, answer } = table(1);
  await want('a', 1n, 1);
  expect([await want('texts', 2n, 1, false), await want('step', 90n, 1, true)]).toEqual([0, 0]);
  answer('a');
  expect([await want('texts', 2n, 1, false), await want('step', 90n, 1, true)]).toEqual([0, 1]);
});

test('of two that had none the one that is due first is first, and who wants no more is not waited for', async () => {
  const { want, answer, leave } = table(1);
  await want('a', 1n, 1);
  expect([await want('late', 90n, 1), await want('early', 80n, 1)]).toEqual([0, 0]);
  answer('a');
  expect(await want('late', 90n, 1)).toBe(0);
  leave('early');
  expect(await want('late', 90n, 1)).toBe(1);
});

test('one that does not come again is forgotten', async () => {
  const { want, answer } = table(1);
  await want('a', 1n, 1);
  await want('gone', 0n, 1);
  answer('a');
  let turns = 0;
  while ((await want('b', 9n, 1)) === 0) turns++;
  expect(turns).toBe(64);
});

test('whoever comes again and again gets a place, whatever others are asked', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ who: fc.nat({ max: 11 }), answers: fc.nat({ max: 11 }) }), {
        minLength: 50,
        maxLength: 100,
      }),
      async (turns) => {
        const { want, answer, open, countOf } = table();
        for (const { who, answers } of turns) {
          await want(`shard ${who}`, BigInt(who));
          if (countOf(`shard ${answers}`) > 1) answer(`shard ${answers}`);
          expect(open()).toBeLessThanOrEqual(8);
        }
        // Who is new has one before anybody else has got another twelve.
        for (let turn = 0; turn < 24 && countOf('new') === 0; turn++) {
          for (let who = 0; who < 12; who++) {
            answer(`shard ${who}`);
            await want('new', 1_000n);
            await want(`shard ${who}`, BigInt(who));
          }
        }
        expect(countOf('new')).toBeGreaterThan(0);
      },
    ),
    { numRuns: 50 },
  );
});

const texts = [textDocument(11, 'it was the best of times it was the worst of times '.repeat(40))];

function wrongShard(entriesPerLeaf: number, at: number) {
  const arrays = sortedShard(texts, (tokens) => suffixArray(Uint32Array.from(tokens)));
  const other = (r: number): number => (r === at ? at + 1 : r === at + 1 ? at : r);
  const wrong: ShardArrays = { ...arrays, suffix: (r) => arrays.suffix(other(r)) };
  return shardInMemory(wrong, { datanetId: 1n, entriesPerLeaf });
}

test('a second liar is convicted in his window while the first keeps all the places he can', async () => {
  const home = mkdtempSync(join(tmpdir(), 'places-'));
  try {
    const chain = new FakeChain(texts);
    const log: string[] = [];
    // Eight requests about the first liar's shards are open already, by an earlier version of this program.
    const first = [chain.publish(wrongShard(1, 3), 'a'), chain.publish(wrongShard(1, 5), 'a')];
    for (const id of first)
      for (const chunk of [0, 1, 2, 3])
        await chain.requestChunk(id, { tree: 2, document: 0, chunk }, (await chain.stakes('shard', id)).bond);
    const secondLie = wrongShard(8, 20);
    const second = chain.publish(secondLie, 'b');
    const watcher = watcherIn({ home, chain, log, publishers: { a: memoryPublisher({ texts }) } });
    // One look in a block: an answer takes as long as it may, 500 of them.
    const window = 20_000;
    let spent = 0;
    while (chain.published.has(second) && spent < window) {
      await look(watcher);
      chain.answering = secondLie;
      chain.answerAbout(second);
      for (const id of first) chain.answerOldest(id);
      spent += 500;
    }
    expect([chain.published.has(second), spent < window]).toEqual([false, true]);
    expect(log.join()).not.toContain('too many open requests');
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
