import { expect, test } from 'vitest';
import { packInOrder } from './pack.ts';

const pack = (items: readonly number[], bytesMax: number, itemsMax: number): number[][] =>
  packInOrder(items, { bytesOf: (item) => item, bytesMax, itemsMax });

test('packs are filled to their last byte, in order', () => {
  expect(pack([3, 4, 3, 1, 9, 1, 1], 10, 9)).toEqual([
    [3, 4, 3],
    [1, 9],
    [1, 1],
  ]);
});

test('packs take so many items, however short', () => {
  expect(pack([1, 1, 1, 1, 1], 10, 2)).toEqual([[1, 1], [1, 1], [1]]);
});

test('one that is too large stands alone', () => {
  expect(pack([11, 1, 1, 12, 1], 10, 9)).toEqual([[11], [1, 1], [12], [1]]);
});

test('nothing is no pack', () => {
  expect(pack([], 10, 9)).toEqual([]);
});
