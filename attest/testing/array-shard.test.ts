import { expect, test } from 'vitest';
import type { ShardArrays } from '../shard.ts';
import { arrayShard } from './array-shard.ts';
import { naiveShard, textDocument, tombstoneDocument } from './naive-shard.ts';

test('the same arrays as by definition', () => {
  const documents = [
    textDocument(1, 'to be or not to be'),
    tombstoneDocument(2, 'gone'),
    textDocument(3, ''),
    textDocument(4, 'abab abab or é be\n'),
  ];
  expect(arraysOf(arrayShard(documents))).toEqual(arraysOf(naiveShard(documents)));
  expect(() => arrayShard(documents).document(4)).toThrow('no document 4 of 4');
});

function arraysOf(shard: ShardArrays): unknown {
  const all = <T>(count: number, of: (i: number) => T): readonly T[] =>
    Array.from({ length: count }, (_, i) => of(i));
  return {
    documents: all(shard.documents, shard.document),
    entries: all(shard.tokens, (i) => [
      shard.token(i),
      shard.suffix(i),
      shard.rank(i),
      shard.documentAt(i),
      shard.byteOffset(i),
    ]),
  };
}
