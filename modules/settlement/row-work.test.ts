import { expect, test } from 'vitest';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { nodesOfPrefix } from '../pools/tree.ts';
import { PREFIX_LEVEL } from './proof/leaves.ts';
import { rowsWithin, workOfRow, workOfRows } from './row-work.ts';

const rowOf = (level: number, index: number) => ({
  place: { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level, index },
  end: 1,
  amount: 1n,
});

test('a row is as much work as the nodes that it is paid to, of a tree of any height', () => {
  expect(workOfRow(rowOf(0, 7))).toBe(1);
  for (const count of [1, 2, 5, 255, 1_023, 1_000_000, 2 ** 32 - 1]) {
    const work = workOfRow(rowOf(PREFIX_LEVEL, count));
    const most = Math.max(...[0, 9, 20, 32].map((height) => nodesOfPrefix(BigInt(count), height).length));
    expect([count, work]).toEqual([count, most]);
  }
});

test('rows are taken until the next one is too much, in their order', () => {
  const rows = [rowOf(0, 0), rowOf(PREFIX_LEVEL, 7), rowOf(0, 1), rowOf(PREFIX_LEVEL, 3)];
  expect(workOfRows(rows)).toBe(7);
  const taken = [1, 3, 4, 5, 6, 7, 99].map((most) => rowsWithin(rows, 0, most).length);
  expect(taken).toEqual([1, 1, 2, 3, 3, 4, 4]);
  expect(rowsWithin(rows, 2, 1)).toEqual([rows[2]]);
  expect(rowsWithin(rows, 1, -3)).toEqual([]);
});
