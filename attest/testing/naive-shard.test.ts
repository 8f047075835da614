import { expect, test } from 'vitest';
import { SEPARATOR } from '../../modules/attribution/proof/tokenise.ts';
import { naiveShard, textDocument, tombstoneDocument } from './naive-shard.ts';

test('the suffixes of two documents, a withdrawn one between them', () => {
  const shard = naiveShard([
    textDocument(1, 'to be or not to be'),
    tombstoneDocument(2, 'gone'),
    textDocument(3, 'or be'),
  ]);
  const text = Array.from({ length: shard.tokens }, (_, position) => shard.token(position));
  expect(text.filter((id) => id === SEPARATOR)).toHaveLength(3);
  expect([shard.document(1).tokens, shard.document(1).tombstone, shard.byteOffset(6)]).toEqual([1, true, 18]);
  expect(Array.from({ length: shard.tokens }, (_, rank) => shard.rank(shard.suffix(rank)))).toEqual(
    text.map((_, rank) => rank),
  );
  const suffixes = text.map((_, rank) => text.slice(shard.suffix(rank)));
  expect(suffixes).toEqual(suffixes.toSorted(compareLists));
  expect(shard.documentAt(8)).toBe(2);
});

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 || b[at] === undefined ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? 0);
}
