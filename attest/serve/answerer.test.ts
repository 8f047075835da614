import { expect, test } from 'vitest';
import { equalBytes, utf8 } from '../../core/bytes.ts';
import { leavesOfRun } from '../../core/leaf-run.ts';
import { leafCount, runOfShard, treeOfShard } from '../../modules/attribution/proof/shard/commitment.ts';
import { verifyOpening } from '../../modules/attribution/proof/tree.ts';
import { contentRoot, rootOfSection } from '../../modules/attribution/verify.ts';
import { shardInMemory } from '../prove/memory.ts';
import { naiveShard, textDocument } from '../testing/naive-shard.ts';
import { Answerer, type AnswerChain, type OpenRequest, pieceAt, type ServedPiece } from './answerer.ts';
import { HeadLibrary } from './head-library.ts';
import { ShardLibrary } from './shard-library.ts';
import { smallLibrary, TEXTS } from './testing/library.ts';

const library = smallLibrary();
const heads = new HeadLibrary();
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

test('requests are answered by urgency, once, others are left alone, and what fails is tried again', async () => {
  const request = (id: bigint, deadline: bigint, key: string = shard.key): OpenRequest => ({
    id,
    of: 'shard',
    key,
    deadline,
    place: { tree: 2, document: 0, chunk: Number(id) },
  });
  const served: bigint[] = [];
  const counted: string[] = [];
  let down = true;
  const chain: AnswerChain = {
    openRequests: async () => [request(1n, 9n), request(2n, 5n), request(3n, 1n, 'ff')],
    async serveChunk(id: bigint, piece: ServedPiece) {
      if (down && id === 2n) throw new Error('no node answers');
      expect(piece.leaves?.[Number(id)]).toEqual(shard.reader.leaf('suffix', Number(id)));
      served.push(id);
      return 'TX';
    },
  };
  const logger = { info: () => undefined, warn: () => undefined };
  const metrics = { chunkRequest: (outcome: string) => void counted.push(outcome) };
  const answerer = new Answerer({ chain, library, heads, metrics, logger });
  await answerer.round();
  down = false;
  await answerer.round();
  await answerer.round();
  expect(served).toEqual([1n, 2n]);
  expect(counted).toEqual(['foreign', 'refused', 'answered', 'answered']);
  const broken: AnswerChain = { ...chain, openRequests: () => Promise.reject(new Error('down')) };
  await new Answerer({ chain: broken, library, heads, metrics, logger }).round();
});

test('a request is answered once what it is of is here, and counted as foreign once', async () => {
  const empty = new ShardLibrary();
  const outcomes: string[] = [];
  const open: OpenRequest[] = [];
  const chain: AnswerChain = {
    openRequests: async () => open,
    serveChunk: async () => 'TX',
  };
  const logger = { info: () => undefined, warn: () => undefined };
  const metrics = { chunkRequest: (outcome: string) => void outcomes.push(outcome) };
  const answerer = new Answerer({ chain, library: empty, heads, metrics, logger });
  const place = { tree: 2, document: 0, chunk: 0 };
  open.push({ id: 1n, of: 'shard', key: shard.key, deadline: 9n, place });
  await answerer.round();
  await answerer.round();
  expect(outcomes).toEqual(['foreign']);
  // The index on disk has grown in between.
  empty.add(shard.reader);
  await answerer.round();
  await answerer.round();
  expect(outcomes).toEqual(['foreign', 'answered']);
});
