import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { tokenise } from '../../modules/attribution/proof/tokenise.ts';
import { OUTPUT_TOKENS_MAX, TRACE_RULES } from '../../modules/attribution/proof/trace/rules.ts';
import {
  Claim,
  InfluenceStatement,
  ProvenanceSpan,
  TokenProvenance,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { suffixArray } from '../index/sais.ts';
import { commitLeaves, leavesOfArrays, shardInMemory } from '../prove/memory.ts';
import { rankRange } from '../query/search.ts';
import type { ShardArrays, ShardReader } from '../shard.ts';
import { naiveShard, sortedShard, textDocument } from '../testing/naive-shard.ts';
import { CardCache } from './card-cache.ts';
import { WatchMetrics } from './metrics.ts';
import type { Publisher } from './ports.ts';
import { FakeChain, memoryPublisher } from './testing/fake-chain.ts';
import { look, noTicks, PATIENT } from './testing/look.ts';
import { TextCache } from './text-cache.ts';
import { Watcher, type WatcherOptions } from './watcher.ts';

const words = 'it was the best of times it was the worst of times it was the age of wisdom '.repeat(6);
const documents = [
  textDocument(11, `${words}and of foolishness`),
  textDocument(12, ''),
  textDocument(13, `we choose to go to the moon ${words}`),
  textDocument(14, 'x'),
];
const honest = naiveShard(documents);
const commit = (arrays: ShardArrays, entriesPerLeaf = 1): ShardReader =>
  shardInMemory(arrays, { datanetId: 1n, entriesPerLeaf });
const right = commit(honest);

let home = '';
let metrics = new WatchMetrics();
const log: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'watch-'));
  log.length = 0;
  metrics = new WatchMetrics();
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function watcherOf(
  chain: FakeChain,
  publishers: Readonly<Record<string, Publisher>>,
  options: Partial<WatcherOptions> = {},
  ticks = noTicks,
): Watcher {
  const note = (_: unknown, message: string): void => void log.push(message);
  const nobody = memoryPublisher({});
  return new Watcher(
    {
      chain,
      publishers: (endpoint) => publishers[endpoint] ?? nobody,
      ticks,
      cache: new TextCache(home),
      cards: new CardCache(home),
      logger: { info: note, warn: note, error: note },
      metrics,
    },
    { ...PATIENT, ...options },
  );
}

/** A shard with two entries of an array exchanged, or other lies about the same documents. */
function wrongly(change: Partial<ShardArrays>): ShardReader {
  return commit({ ...honest, ...change });
}

const swapped = (read: (i: number) => number, a: number, b: number) => (i: number) =>
  read(i === a ? b : i === b ? a : i);

const LIES: Readonly<Record<string, ShardReader>> = {
  'two ranks exchanged': wrongly({ suffix: swapped(honest.suffix, 20, 21) }),
  'two inverse entries exchanged': wrongly({ rank: swapped(honest.rank, 3, 200) }),
  'another token': wrongly({ token: (i) => (i === 100 ? honest.token(101) : honest.token(i)) }),
  'a stolen document': wrongly({
    document: (i) => ({
      ...honest.document(i),
      ...(i === 2 ? { contributor: new Uint8Array(20).fill(9) } : {}),
    }),
  }),
  'a text left out': commit(
    naiveShard(documents.map((d, i) => (i === 2 ? { ...d, content: undefined } : d))),
  ),
  'eight ranks a leaf, two exchanged': commit({ ...honest, suffix: swapped(honest.suffix, 20, 21) }, 8),
};

test('a right shard is recomputed once, also by a watcher that was killed', async () => {
  const chain = new FakeChain(documents);
  chain.publish(right, 'a');
  const publisher = memoryPublisher({ texts: documents, shard: right });
  const watcher = watcherOf(chain, { a: publisher });
  await look(watcher);
  await look(watcher);
  expect(log).toEqual(['shard 1 is what its texts say']);
  expect(publisher.asked).toEqual(['content', 'content', 'content']);
  await look(watcherOf(chain, {}));
  expect(log).toHaveLength(2);
  expect(chain.sent).toEqual([]);
});

describe.each(Object.entries(LIES))('a shard with %s', (_, wrong) => {
  test('is convicted from what its publisher serves', async () => {
    const chain = new FakeChain(documents);
    chain.publish(wrong, 'a');
    const publisher = memoryPublisher({ texts: documents, shard: wrong });
    await look(watcherOf(chain, { a: publisher }));
    expect([chain.sent, log.at(-1)]).toEqual([[['convict', 1n]], expect.stringContaining('is convicted')]);
  });

  test('is convicted from what is demanded on the chain, when its publisher serves nothing, or lies', async () => {
    const silent = memoryPublisher({ texts: documents });
    const liars = [liar(wrong), { ...liar(wrong), nodes: memoryPublisher({ shard: wrong }).nodes }];
    for (const publisher of wrong === LIES['another token'] ? [silent, ...liars] : [silent]) {
      const chain = new FakeChain(documents);
      chain.publish(wrong, 'a');
      chain.answering = wrong;
      for (let round = 0; round < 40 && chain.published.size > 0; round++) {
        // A new one each time: it may be killed between two rounds.
        await look(watcherOf(chain, { a: publisher }));
        chain.answer();
      }
      expect(chain.sent.at(-1)).toEqual(['convict', 1n]);
      expect(chain.sent.length).toBeLessThan(20);
    }
  });
});

test.each([1, 8])(
  'of arrays of which every leaf is wrong few are demanded, %i ranks in a leaf',
  async (each) => {
    const texts = [textDocument(11, words.repeat(20)), textDocument(12, 'abcd'.repeat(4000))];
    const arrays = sortedShard(texts, (tokens) => suffixArray(Uint32Array.from(tokens)));
    const last = arrays.tokens - 1;
    const order = {
      suffix: (r: number) => arrays.suffix(last - r),
      rank: (p: number) => last - arrays.rank(p),
    };
    const chain = new FakeChain(texts);
    const wrong = commit({ ...arrays, ...order }, each);
    chain.publish(wrong, 'a');
    chain.answering = wrong;
    while (chain.published.size > 0 && chain.sent.length < 100) {
      await look(watcherOf(chain, { a: memoryPublisher({ texts }) }, { demandBudget: 0n }));
      chain.answer();
    }
    expect(chain.sent.at(-1)).toEqual(['convict', 1n]);
    expect(chain.sent.length).toBeLessThan(4 * Math.log2(arrays.tokens));
  },
);

/** Serves the right leaves for a wrong shard. */
function liar(wrong: ShardReader): Publisher {
  const publisher = memoryPublisher({ texts: documents, shard: right });
  const key = toHex(shardId(right.commitment));
  const wrongKey = toHex(shardId(wrong.commitment));
  const renamed = (asked: string): string => (asked === wrongKey ? key : asked);
  return {
    ...publisher,
    leaves: (asked, tree, range) => publisher.leaves(renamed(asked), tree, range),
    nodes: (asked, tree, range) => publisher.nodes(renamed(asked), tree, range),
  };
}

test('what others demand is not demanded again, does not count as its own, and is of use when it is answered', async () => {
  const chain = new FakeChain(documents);
  const id = chain.publish(right, 'nowhere');
  for (const document of [0, 2]) chain.demandedByOther(id, { tree: 0, document, chunk: 0 });
  // As many as a watcher may have open itself.
  for (const chunk of [0, 1, 2, 3]) chain.demandedByOther(id, { tree: 2, document: 0, chunk });
  const watcher = watcherOf(chain, {});
  await look(watcher);
  expect(chain.sent).toHaveLength(1);
  chain.answering = right;
  for (let round = 0; round < 10; round++) {
    chain.answer();
    await look(watcher);
  }
  expect(log.at(-1)).toBe('shard 1 is what its texts say');
  expect(log.join()).not.toContain('is open');
});

describe('a salted shard, whose secret is known,', () => {
  const saltSecret = Uint8Array.of(5, 6, 7);
  const options = { datanetId: 1n, saltSecret };
  const leaves = leavesOfArrays(honest, options);
  const salt = (leaf: Uint8Array): Uint8Array => leaf.map((byte, i) => (i === 5 ? byte ^ 1 : byte));
  const others = leavesOfArrays(honest, { ...options, saltSecret: Uint8Array.of(8) });
  const right = commitLeaves(leaves, honest, options);
  const swappedRanks = { ...honest, suffix: swapped(honest.suffix, 20, 21) };
  const local = { texts: memoryPublisher({ texts: documents }), secretOf: () => saltSecret };

  test('is judged, by who has its texts too', async () => {
    const chain = new FakeChain(documents);
    chain.publish(right, 'a');
    await look(watcherOf(chain, {}, { secretOf: () => saltSecret }));
    await look(watcherOf(chain, {}, { ...local, secretOf: () => Uint8Array.of(1) }));
    await look(watcherOf(chain, {}, local));
    expect(log).toEqual([
      expect.stringContaining('nobody serves 3 of its 4 texts'),
      expect.stringContaining('another secret'),
      'shard 1 is what its texts say',
    ]);
    expect(chain.sent).toEqual([]);
  });

  test.each([
    [
      'one salt of an inverse leaf',
      { ...leaves, inverse: leaves.inverse.map((l, i) => (i === 3 ? salt(l) : l)) },
    ],
    ['all salts', others],
    ['two ranks', leavesOfArrays(swappedRanks, options)],
  ])('is convicted of wrong leaves by what is demanded on the chain: %s', async (_, wrongLeaves) => {
    const chain = new FakeChain(documents);
    const { commitment, ...trees } = commitLeaves(wrongLeaves, honest, options);
    const wrong = { ...trees, commitment };
    chain.publish(wrong, 'a');
    chain.answering = wrong;
    for (let round = 0; round < 40 && chain.published.size > 0; round++) {
      await look(watcherOf(chain, {}, local));
      chain.answer();
    }
    expect(chain.sent.at(-1)).toEqual(['convict', 1n]);
    expect(chain.sent.length).toBeLessThan(20);
  });
});

test('texts come from other sources too', async () => {
  const chain = new FakeChain(documents);
  chain.publish(right, 'nowhere', 'b');
  await look(watcherOf(chain, { b: memoryPublisher({ texts: documents }) }));
  expect(log).toEqual(['shard 1 is what its texts say']);
});

test('a salted shard is left to those who share its texts', async () => {
  const chain = new FakeChain(documents);
  chain.publish(shardInMemory(honest, { datanetId: 1n, saltSecret: Uint8Array.of(1) }), 'a');
  await look(watcherOf(chain, {}));
  expect([chain.sent, log.at(-1)]).toEqual([[], expect.stringContaining('is salted')]);
});

/** What is true of a text in the shard, and then twisted. */
function spanOf(text: string, twist: Partial<ProvenanceSpan['hits'][number]> = {}): ProvenanceSpan {
  const { lo, hi } = rankRange(honest, tokenise(utf8(text)));
  const contributionIds = Array.from(
    { length: hi - lo },
    (_, i) => honest.document(honest.documentAt(honest.suffix(lo + i))).contributionId,
  );
  const hits = hi > lo ? [{ shardId: 1n, firstRank: lo, contributionIds, ...twist }] : [];
  return ProvenanceSpan.create({ text: utf8(text), hits });
}

test('true claims are left alone, false ones are disputed', async () => {
  const chain = new FakeChain(documents);
  chain.publish(right, 'a');
  const [shard] = await chain.shards();
  const add = (id: bigint, ...spans: readonly ProvenanceSpan[]): void => {
    const claim = Claim.create({ token: TokenProvenance.create({ indexIds: [1n], spans }) });
    chain.claims.push({ id, claimant: 'open1claimant', claim, shards: shard === undefined ? [] : [shard] });
  };
  const moon = 'to go to the moon';
  add(1n, spanOf(moon), spanOf('times '), spanOf('nothing of the kind'));
  add(2n, spanOf('times '), spanOf(moon, { contributionIds: [11n] }));
  add(3n, { ...spanOf(moon), hits: [] });
  add(4n, spanOf('times ', { contributionIds: [11n, 13n] }));
  const watcher = watcherOf(chain, { a: memoryPublisher({ texts: documents }) });
  for (let round = 0; round < 2; round++) await look(watcher);
  expect(chain.sent).toEqual([
    ['dispute', 2n],
    ['dispute', 3n],
    ['dispute', 4n],
  ]);
  expect(log.find((line) => line.startsWith('claim 1'))).toContain(
    'states nothing false; what it leaves out is not',
  );
  expect(log.find((line) => line.startsWith('claim 2'))).toContain(
    'is of contribution 13, the claim says 11',
  );
  await look(watcher);
  expect(chain.sent).toHaveLength(3);
});

test('passages of a claim are judged while what it states of influence waits for a card', async () => {
  const chain = new FakeChain(documents);
  chain.publish(right, 'a');
  const text = utf8('to go to the moon');
  const firstRank = rankRange(honest, tokenise(text)).lo;
  const influence = InfluenceStatement.create({ cardId: 9n });
  for (const [i, contribution] of [11n, 13n].entries()) {
    const span = { text, hits: [{ shardId: 1n, firstRank, contributionIds: [contribution] }] };
    const token = TokenProvenance.create({ spans: [ProvenanceSpan.create(span)] });
    const claim = Claim.create({ token, influence });
    chain.claims.push({ id: BigInt(i + 1), claimant: 'c', claim, shards: await chain.shards() });
  }
  const watcher = watcherOf(chain, { a: memoryPublisher({ texts: documents }) });
  for (const _ of [1, 2, 3]) await look(watcher);
  expect(chain.sent).toEqual([['dispute', 1n]]);
});

test('a claim that leaves out what it had to name is disputed, where the answer is known', async () => {
  const chain = new FakeChain(documents);
  chain.publish(right, 'a');
  const shards = await chain.shards();
  const moon = 'we choose to go to the moon ';
  const answer = utf8(`They said: ${moon}and did. of wisdom and of foolishness`);
  const rules = { ...TRACE_RULES, tokensMin: 6 };
  const add = (id: bigint, known: boolean, ...texts: readonly string[]): void => {
    const at = (text: string): bigint => BigInt(new TextDecoder().decode(answer).indexOf(text));
    const spans = texts.map((text) => ({ ...spanOf(text), answerOffset: at(text) }));
    const claim = Claim.create({ token: TokenProvenance.create({ indexIds: [1n], spans }) });
    const answered = known ? { answer, rules } : undefined;
    chain.claims.push({ id, claimant: 'open1claimant', claim, answered, shards });
  };
  const foolish = 'of wisdom and of foolishness';
  add(1n, true, moon, foolish);
  add(2n, true, foolish);
  add(3n, true, 'choose to go ', foolish);
  add(4n, false, foolish);
  const watcher = watcherOf(chain, { a: memoryPublisher({ texts: documents }) });
  for (let round = 0; round < 2; round++) await look(watcher);
  expect(chain.sent).toEqual([
    ['dispute omission', 2n],
    ['dispute omission', 3n],
  ]);
  expect(log).toContain('claim 1 is true, and leaves nothing out');
  expect(log).toContain(
    'claim 4 states nothing false; what it leaves out is not judged: its answer is not known, only the root of it',
  );
  expect(log.find((line) => line.startsWith('claim 2'))).toContain(
    'bytes 11 to 39 of the answer are not named',
  );
});

test('of an answer that is too long nothing is said of what the claim leaves out', async () => {
  const chain = new FakeChain(documents);
  chain.publish(right, 'a');
  const shards = await chain.shards();
  const claim = Claim.create({ token: TokenProvenance.create({ indexIds: [1n] }) });
  const omitted = utf8('we choose to go to the moon. ');
  const rules = { ...TRACE_RULES, tokensMin: 6 };
  const long = utf8('a'.repeat(4 * OUTPUT_TOKENS_MAX) + new TextDecoder().decode(omitted));
  for (const [i, answer] of [omitted, long].entries())
    chain.claims.push({
      id: BigInt(i + 1),
      claimant: 'open1claimant',
      claim,
      answered: { answer, rules },
      shards,
    });
  const watcher = watcherOf(chain, { a: memoryPublisher({ texts: documents }) });
  for (let round = 0; round < 2; round++) await look(watcher);
  expect(chain.sent).toEqual([['dispute omission', 1n]]);
  expect(log.find((line) => line.startsWith('claim 2'))).toContain('at most 65536 are searched');
});

test('a claim whose transaction is not found yet is judged when it is', async () => {
  const chain = new FakeChain(documents);
  chain.publish(right, 'a');
  const shards = await chain.shards();
  const claimant = 'open1claimant';
  const watcher = watcherOf(chain, { a: memoryPublisher({ texts: documents }) });
  chain.claims.push({ id: 1n, claimant, claim: undefined, shards });
  await look(watcher);
  expect([chain.sent, log[0]]).toEqual([[], expect.stringContaining('claim 1: failed')]);
  const hidden = { ...spanOf('to go to the moon'), hits: [] };
  const claim = Claim.create({ token: TokenProvenance.create({ indexIds: [1n], spans: [hidden] }) });
  chain.claims.splice(0, 1, { id: 1n, claimant, claim, shards });
  for (let round = 0; round < 3; round++) await look(watcher);
  expect(chain.sent).toEqual([['dispute', 1n]]);
});

test('a chain that does not answer is asked again', async () => {
  const chain = new FakeChain(documents);
  chain.publish(right, 'a');
  chain.down = true;
  const watcher = watcherOf(chain, { a: memoryPublisher({ texts: documents }) });
  await look(watcher);
  chain.down = false;
  await look(watcher);
  expect(log).toEqual([expect.stringContaining('could not be read'), 'shard 1 is what its texts say']);
});

test('what fails by our own fault is logged as that, tried three times, and harms nothing else', async () => {
  const chain = new FakeChain(documents);
  chain.publish(wrongly({ suffix: swapped(honest.suffix, 20, 21) }), 'a');
  chain.publish(commit(honest, 8), 'b');
  let tries = 0;
  const texts = memoryPublisher({ texts: documents });
  const failing: Publisher = {
    ...texts,
    nodes: async () => {
      tries++;
      throw new TypeError('undefined is not a function');
    },
  };
  const watcher = watcherOf(chain, { a: failing, b: texts });
  await look(watcher);
  expect([...log].sort()).toEqual([
    expect.stringContaining('shard 1: the watcher has a bug here, tried again in 2 rounds'),
    'shard 2 is what its texts say',
  ]);
  for (let round = 0; round < 100; round++) await look(watcher);
  expect([tries, chain.sent]).toEqual([3, []]);
  expect(log.at(-1)).toBe('shard 1: the watcher has a bug here, given up until a new start');
  expect(await metrics.registry.metrics()).toContain('attest_watch_bugs_total{where="shard"} 3');
});

test('what fails is tried again after a while, and harms nothing else', async () => {
  const chain = new FakeChain(documents);
  chain.publish(right, 'a');
  chain.publish(commit(honest, 8), 'b');
  let failures = 0;
  const failing: Publisher = {
    ...memoryPublisher({}),
    content: () => {
      failures++;
      throw new Error('disk full');
    },
  };
  const texts = memoryPublisher({ texts: documents });
  const watcher = watcherOf(chain, { a: failing, b: texts });
  await look(watcher);
  expect(log).toEqual([expect.stringContaining('shard 1: failed'), 'shard 2 is what its texts say']);
  for (let round = 0; round < 3; round++) await look(watcher);
  expect([failures, log.at(-1)]).toEqual([3, 'shard 1 is what its texts say']);
});

/** Never answers; counts what it is asked. */
function silent(): Publisher & { readonly asked: () => number } {
  let asked = 0;
  const wait = (): Promise<undefined> => {
    asked++;
    return new Promise(() => undefined);
  };
  return { content: wait, leaves: wait, nodes: wait, influenceLeaves: wait, asked: () => asked };
}

test('who never answers keeps up no claim and no other shard, and is left alone when his time is up', async () => {
  const chain = new FakeChain(documents);
  const slow = silent();
  // As many as are judged at the same time, less one.
  for (const each of [8, 16, 32]) chain.publish(commit(honest, each), 'slow');
  chain.publish(right, 'a');
  const wrong = chain.publish(wrongly({ suffix: swapped(honest.suffix, 20, 21) }), 'a');
  const shard = chain.published.get(4n);
  const claim = Claim.create({
    token: TokenProvenance.create({ indexIds: [1n], spans: [{ ...spanOf('to go to the moon'), hits: [] }] }),
  });
  chain.claims.push({ id: 1n, claimant: 'open1claimant', claim, shards: shard === undefined ? [] : [shard] });
  const running = new Set<() => void>();
  const ticks = (onTick: () => void) => {
    running.add(onTick);
    return () => void running.delete(onTick);
  };
  const from = memoryPublisher({
    texts: documents,
    shard: wrongly({ suffix: swapped(honest.suffix, 20, 21) }),
  });
  const watcher = watcherOf(chain, { slow, a: from }, { ticksMax: 3 }, ticks);
  const round = watcher.lookAtPublished();
  for (let turn = 0; turn < 2000 && chain.published.has(wrong); turn++)
    await new Promise((resolve) => setImmediate(resolve));
  expect(slow.asked()).toBe(4);
  await watcher.lookAtClaims();
  expect(chain.sent).toEqual([
    ['convict', wrong],
    ['dispute', 1n],
  ]);
  for (let time = 0; time < 3; time++) for (const tick of running) tick();
  await round;
  expect(log).toContain('slow is too slow: nothing is asked of it for 2 rounds');
  expect(log.filter((line) => line.includes('nobody serves'))).toHaveLength(3);
  for (let rounds = 0; rounds < 2; rounds++) await watcher.lookAtPublished();
  expect(running.size).toBe(0);
  expect(slow.asked()).toBe(4);
  expect(await metrics.registry.metrics()).toContain('attest_watch_slow_endpoints_total 1');
});

test('a shard with a text that is longer than what is fetched is named in the log, and left', async () => {
  const chain = new FakeChain(documents);
  chain.publish(right, 'a');
  const publisher = memoryPublisher({ texts: documents });
  await look(watcherOf(chain, { a: publisher }, { textBytesMax: 100 }));
  expect([chain.sent, publisher.asked, log.at(-1)]).toEqual([
    [],
    [],
    expect.stringContaining('shard 1 is not judged: contribution 11 has'),
  ]);
});
