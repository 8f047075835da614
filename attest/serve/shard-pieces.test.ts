import { expect, test } from 'vitest';
import { equalBytes } from '../../core/bytes.ts';
import { contentRoot, openSection, rootOfSection, sectionCount } from '../../modules/attribution/verify.ts';
import { shardInMemory } from '../prove/memory.ts';
import type { ShardReader } from '../shard.ts';
import { arrayShard } from '../testing/array-shard.ts';
import { textDocument, tombstoneDocument } from '../testing/naive-shard.ts';
import { SectionRoots } from './section-roots.ts';
import { isSection, pieceAt } from './shard-pieces.ts';

/** Words, spaces and bytes of no character: tokens of one to four bytes, which end anywhere. */
function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i % 7 === 3 ? 0x20 : i % 31 === 5 ? 0xff : 0x61 + (i % 23)));
}

const LENGTHS: readonly number[] = [1, 257, 16_383, 16_384, 16_385, 49_152, 82_000];

/** A shard of which sections alone are asked for: without leaves. */
function reader(lengths: readonly number[]): ShardReader {
  const arrays = arrayShard(lengths.map((length, i) => textDocument(i + 1, bytes(length))));
  const none = (): never => expect.unreachable('a section takes no leaf');
  const { commitment } = shardInMemory(arrayShard([textDocument(1, 'a')]), { datanetId: 1n });
  return { ...arrays, commitment, leaf: none, node: none };
}

test('sections are the bytes of the text, and lead to its root as those that are opened from it whole', async () => {
  const shard = { key: 'a', reader: reader(LENGTHS) };
  const kept = new SectionRoots();
  for (const [document, length] of LENGTHS.entries()) {
    const content = bytes(length);
    const roots = await kept.of(shard, document);
    for (let chunk = 0; chunk < sectionCount(length); chunk++) {
      const place = { tree: 0, document, chunk };
      expect(isSection(shard.reader, place)).toBe(true);
      const piece = pieceAt(shard.reader, place, roots);
      const { content: own, ...way } = openSection(content, chunk) ?? { content, hashes: undefined };
      expect([equalBytes(piece.content, own), piece.leaves, piece.hashes]).toEqual([true, [], way.hashes]);
      if (chunk === 0) expect(pieceAt(shard.reader, place)).toEqual(piece);
      expect(rootOfSection({ index: chunk, byteLength: length }, piece)).toEqual(contentRoot(content));
    }
    const none = { tree: 0, document, chunk: sectionCount(length) };
    expect(() => pieceAt(shard.reader, none, roots)).toThrow(RangeError);
  }
  expect(kept.count).toBe(LENGTHS.reduce((sum, length) => sum + sectionCount(length), 0));
});

test('a tombstone has no sections, and a document whose tokens end too early ends', () => {
  const withdrawn = shardInMemory(arrayShard([textDocument(1, 'a text'), tombstoneDocument(2, 'another')]), {
    datanetId: 1n,
  });
  expect(isSection(withdrawn, { tree: 0, document: 1, chunk: 0 })).toBe(false);
  expect(isSection(withdrawn, { tree: 1, document: 0, chunk: 0 })).toBe(false);
  expect(pieceAt(withdrawn, { tree: 0, document: 1, chunk: 0 }).leaves).toHaveLength(1);
  const honest = reader([40, 300]);
  const longer: ShardReader = {
    ...honest,
    document: (index) => ({ ...honest.document(index), byteLength: honest.document(index).byteLength + 9 }),
  };
  const { content } = pieceAt(longer, { tree: 0, document: 0, chunk: 0 });
  expect(content).toEqual(Uint8Array.from([...bytes(40), ...new Uint8Array(9)]));
});

test('roots are computed once while they are kept; the document asked for longest ago makes way', async () => {
  let asked = 0;
  const inMemory = reader([3 * 16_384, 2 * 16_384, 4 * 16_384, 9 * 16_384]);
  const counting: ShardReader = {
    ...inMemory,
    token(position) {
      asked++;
      return inMemory.token(position);
    },
  };
  const kept = new SectionRoots(8);
  const computes = async (document: number): Promise<boolean> => {
    const before = asked;
    const roots = await kept.of({ key: 'a', reader: counting }, document);
    expect(roots).toHaveLength([3, 2, 4, 9][document] ?? 0);
    return asked > before;
  };
  expect([await computes(0), await computes(1), await computes(0)]).toEqual([true, true, false]);
  expect([await computes(2), kept.count]).toEqual([true, 7]);
  expect([await computes(0), await computes(2), await computes(1)]).toEqual([false, false, true]);
  // One that is larger than all room is kept alone.
  expect([await computes(3), kept.count, await computes(3)]).toEqual([true, 9, false]);
  await expect(kept.of({ key: 'a', reader: counting }, 9)).rejects.toThrow(RangeError);
});

test('others have turns while the roots of a long document are computed', async () => {
  const shard = { key: 'a', reader: reader([20 * 16_384]) };
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await new SectionRoots().of(shard, 0);
  isDone = true;
  expect(turns).toBeGreaterThanOrEqual(2);
});
