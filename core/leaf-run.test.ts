import { expect, test } from 'vitest';
import { utf8 } from './bytes.ts';
import { leavesOfRun, runAt, runLeaves } from './leaf-run.ts';
import { openingHashes, treeOf } from '../modules/attribution/proof/tree.ts';

test('a run is the largest power of two of leaves that fit 16 KiB, at most 256', () => {
  const cases = [1, 17, 64, 65, 146, 297, 1121, 8192, 8193, 16_384, 1_000_000].map((bytes) =>
    runLeaves(bytes),
  );
  expect(cases).toEqual([256, 256, 256, 128, 64, 32, 8, 2, 1, 1, 1]);
});

test('each leaf lies in one run, and all that opens it is the way of one node', () => {
  for (const leaves of [1, 2, 7, 8, 9, 31, 64, 100])
    for (const size of [1, 2, 8, 64]) {
      const { node } = treeOf(
        17,
        Array.from({ length: leaves }, (_, i) => utf8(`${i}`)),
      );
      for (let leaf = 0; leaf < leaves; leaf++) {
        const run = runAt(leaf, { size, leaves });
        expect([run.first % size, leavesOfRun(run).includes(leaf)]).toEqual([0, true]);
        expect(runAt(run.end - 1, { size, leaves })).toEqual(run);
        const hashes = openingHashes(leaves, leavesOfRun(run), node).length / 32;
        expect(hashes).toBeLessThanOrEqual(Math.ceil(Math.log2(Math.ceil(leaves / size))));
      }
    }
});
