import { expect, test } from 'vitest';
import { equalBytes, utf8 } from '../../core/bytes.ts';
import { leavesOfRun } from '../../core/leaf-run.ts';
import { leafCount, runOfShard, treeOfShard } from '../../modules/attribution/proof/shard/commitment.ts';
import { verifyOpening } from '../../modules/attribution/proof/tree.ts';
import { contentRoot, rootOfSection } from '../../modules/attribution/verify.ts';
import { shardInMemory } from '../prove/memory.ts';
import { naiveShard, textDocument } from '../testing/naive-shard.ts';
import { LedgerError } from '../../core/errors.ts';
import { TX_ANSWERS_MAX } from './answer-batches.ts';
import type { AnswerChain, ChunkAnswer, OpenRequest } from './answer-ports.ts';
import { Answerer } from './answerer.ts';
import { HeadLibrary } from './head-library.ts';
import { ShardLibrary } from './shard-library.ts';
import { pieceAt } from './shard-pieces.ts';
import { takingChain } from './testing/answer-chain.ts';
import { smallLibrary, TEXTS } from './testing/library.ts';

const library = smallLibrary();
const heads = new HeadLibrary();
const logger = { info: () => undefined, warn: () => undefined };
const [shard] = library.list();
if (shard === undefined) throw new Error('the library has a shard');

test('every leaf and every section leads to its root', () => {
  const { reader } = shard;
  for (const [i, tree] of (['text', 'suffix', 'inverse', 'documents'] as const).entries()) {
    const committed = treeOfShard(reader.commitment, tree);
    const total = leafCount(reader.commitment, tree);
    for (let chunk = 0; chunk < total; chunk++) {
      const { content, leaves, hashes } = pieceAt(reader, { tree: i + 1, document: 0, chunk });
      const indices = leavesOfRun(runOfShard(reader.commitment, tree, chunk));
      expect([content.length, indices.includes(chunk)]).toEqual([0, true]);
      expect(verifyOpening(committed, { indices, leaves, hashes: Buffer.concat(hashes) })).toBe(true);
    }
    expect(() => pieceAt(reader, { tree: i + 1, document: 0, chunk: total + 300 })).toThrow(RangeError);
  }
  for (const [document, text] of TEXTS.entries()) {
    const piece = pieceAt(reader, { tree: 0, document, chunk: 0 });
    const found = rootOfSection({ index: 0, byteLength: utf8(text).length }, piece);
    expect(equalBytes(found ?? piece.content, contentRoot(utf8(text)))).toBe(true);
    expect(() => pieceAt(reader, { tree: 0, document, chunk: 1 })).toThrow(RangeError);
  }
});

test('a section of a document that is a tombstone is answered by its leaf alone', () => {
  const texts = [textDocument(11, 'it was the best of times'), textDocument(12, 'we choose to go')];
  const arrays = naiveShard(texts.map((text, i) => (i === 1 ? { ...text, content: undefined } : text)));
  const reader = shardInMemory(arrays, { datanetId: 1n });
  const { content, leaves, hashes } = pieceAt(reader, { tree: 0, document: 1, chunk: 0 });
  expect([content.length, leaves]).toEqual([0, [reader.leaf('documents', 1)]]);
  const opening = { indices: [1], leaves, hashes: Buffer.concat(hashes) };
  expect(verifyOpening(treeOfShard(reader.commitment, 'documents'), opening)).toBe(true);
});

/** A request for a run of suffixes, of which the small shard has one. */
function request(id: number, deadline: number, key: string = shard?.key ?? ''): OpenRequest {
  const place = { tree: 2, document: 0, chunk: id % 2 };
  return { id: BigInt(id), of: 'shard', key, deadline: BigInt(deadline), place };
}

function requests(count: number): readonly OpenRequest[] {
  return Array.from({ length: count }, (_, i) => request(i + 1, 500));
}

const idsOf = (answers: readonly ChunkAnswer[]): readonly number[] =>
  answers.map(({ requestId }) => Number(requestId));

/** An answerer, what it counts, and the ids that each of its transactions answered, sent or not. */
function world(open: () => readonly OpenRequest[], parts: Partial<AnswerChain> = {}) {
  const counted: string[] = [];
  const txs: (readonly number[])[] = [];
  const chain = takingChain(open, parts);
  const send: AnswerChain['send'] = (sent) => {
    txs.push(...sent.map(({ answers }) => idsOf(answers)));
    return chain.send(sent);
  };
  const metrics = { chunkRequest: (outcome: string) => void counted.push(outcome) };
  const answerer = new Answerer({ chain: { ...chain, send }, library, heads, metrics, logger });
  const count = (outcome: string): number => counted.filter((each) => each === outcome).length;
  return { answerer, count, txs };
}

const refusal = (why: string): LedgerError => new LedgerError('attest.refused', why);
const failed = (reason: LedgerError): PromiseRejectedResult => ({ status: 'rejected', reason });
const inBlock: PromiseFulfilledResult<string> = { status: 'fulfilled', value: 'TX' };

test('requests are answered together, by urgency, once; others are left alone', async () => {
  const open = [request(1, 9), request(2, 5), request(3, 1, 'ff'), request(4, 5)];
  const { answerer, txs, count } = world(() => open);
  expect(await answerer.round()).toBe(false);
  await answerer.round();
  expect(txs).toEqual([[2, 4, 1]]);
  expect([count('foreign'), count('answered'), count('refused')]).toEqual([1, 3, 0]);
});

test('a node that does not answer is asked again in the next round', async () => {
  const down = async () => await Promise.reject(new LedgerError('attest.no_answer', 'nobody answers'));
  let parts: Partial<AnswerChain> = { openRequests: down };
  const { answerer, txs, count } = world(() => requests(1), {
    openRequests: async () => (await parts.openRequests?.()) ?? requests(1),
    blockRoom: async () => (await parts.blockRoom?.()) ?? { bytesMax: 4_194_304, gasMax: -1 },
    simulate: async (answers) => (await parts.simulate?.(answers)) ?? 1,
  });
  expect(await answerer.round()).toBe(false);
  parts = { blockRoom: down };
  expect(await answerer.round()).toBe(false);
  parts = { simulate: down };
  expect(await answerer.round()).toBe(false);
  expect([txs, count('refused')]).toEqual([[], 0]);
  parts = {};
  await answerer.round();
  expect(txs).toEqual([[1]]);
});

test('what the chain refuses takes nothing with it, and does not stand before others again and again', async () => {
  const bad = new Set([2, 3, 5]);
  const tried: number[] = [];
  const { answerer, txs, count } = world(() => [...requests(6), request(7, 900)], {
    async simulate(answers) {
      tried.push(...idsOf(answers));
      if (idsOf(answers).some((id) => bad.has(id))) throw refusal('no');
      return 1;
    },
  });
  await answerer.round();
  expect(txs.flat()).toEqual([1, 4, 6, 7]);
  expect([count('answered'), count('refused')]).toEqual([4, 3]);
  bad.clear();
  await answerer.round();
  expect(txs.flat().slice(4)).toEqual([2, 3, 5]);
});

test('a place that is not there is refused without asking the chain', async () => {
  const none = { ...request(1, 1), place: { tree: 2, document: 0, chunk: 5_000 } };
  const open = [none, request(2, 5)];
  const { answerer, txs, count } = world(() => open);
  await answerer.round();
  expect([txs, count('refused'), count('answered')]).toEqual([[[2]], 1, 1]);
});

test('what is refused stands behind all others in the next round, and is tried again', async () => {
  const tried: (readonly number[])[] = [];
  const open = [request(1, 1), request(2, 500), request(3, 500)];
  const { answerer, txs } = world(() => open, {
    // Room for one.
    blockRoom: async () => ({ bytesMax: 10, gasMax: -1 }),
    async simulate(answers) {
      tried.push(idsOf(answers));
      if (idsOf(answers).includes(1)) throw refusal('no');
      return 1;
    },
  });
  for (let round = 0; round < 4; round++) await answerer.round();
  expect(tried).toEqual([[1], [2], [1], [3]]);
  expect(txs).toEqual([[2], [3]]);
});

test('as much as half of a block takes is sent at a time, and more is said to wait', async () => {
  const most = 3 * TX_ANSWERS_MAX;
  const small = world(() => requests(most), { blockRoom: async () => ({ bytesMax: 40_000, gasMax: -1 }) });
  expect(await small.answerer.round()).toBe(true);
  const first = small.count('answered');
  expect(first).toBeGreaterThan(1);
  expect(first).toBeLessThan(most);
  while (await small.answerer.round());
  expect(small.txs.flat()).toEqual(requests(most).map(({ id }) => Number(id)));
  const byGas = world(() => requests(9), {
    blockRoom: async () => ({ bytesMax: -1, gasMax: 800 }),
    simulate: async (answers) => 100 * answers.length,
  });
  expect(await byGas.answerer.round()).toBe(true);
  expect(byGas.txs).toEqual([[1, 2, 3]]);
});

test('transactions that fail in a block grow smaller, and larger again; what was dropped is sent again as it was', async () => {
  let outcome: PromiseSettledResult<string> = failed(refusal('request 1 was answered'));
  const { answerer, txs, count } = world(() => requests(8), {
    send: async (sent) => sent.map(() => outcome),
  });
  expect(await answerer.round()).toBe(false);
  await answerer.round();
  outcome = failed(new LedgerError('attest.dropped', 'it is in no block'));
  await answerer.round();
  outcome = inBlock;
  await answerer.round();
  expect(txs.map(({ length }) => length)).toEqual([8, 4, 4, 2, 2, 2, 2, 4, 4]);
  expect([count('refused'), count('answered')]).toEqual([24, 8]);
});

test('of several transactions one that fails is sent again without the others', async () => {
  let round = 0;
  const { answerer, txs } = world(() => requests(2 * TX_ANSWERS_MAX), {
    send: async (sent) => sent.map((_, i) => (round === 0 && i === 1 ? failed(refusal('no')) : inBlock)),
  });
  await answerer.round();
  const [first, second = [], ...others] = txs.splice(0);
  round++;
  await answerer.round();
  expect([first, ...others].flat()).toHaveLength(2 * TX_ANSWERS_MAX - second.length);
  expect(txs.map(({ length }) => length)).toEqual([second.length / 2, second.length / 2]);
  expect(txs.flat()).toEqual(second);
});

test('a request is answered once what it is of is here, and counted as foreign once', async () => {
  const empty = new ShardLibrary();
  const outcomes: string[] = [];
  const chain = takingChain(() => requests(1));
  const metrics = { chunkRequest: (outcome: string) => void outcomes.push(outcome) };
  const answerer = new Answerer({ chain, library: empty, heads, metrics, logger });
  await answerer.round();
  await answerer.round();
  expect(outcomes).toEqual(['foreign']);
  // The index on disk has grown in between.
  empty.add(shard.reader);
  await answerer.round();
  await answerer.round();
  expect(outcomes).toEqual(['foreign', 'answered']);
});
