import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { leavesOfRun, runAt } from '../../core/leaf-run.ts';
import { openingHashes, splitHashes, treeOf } from '../../modules/attribution/proof/tree.ts';
import { nodesOfRun } from './opened-run.ts';

test('all nodes within a run, beside its way to the root and on it are told, and are those of the tree', () => {
  for (let total = 1; total <= 40; total++)
    for (const size of [1, 2, 8, 32]) {
      const bytes = Array.from({ length: total }, (_, i) => utf8(`leaf ${i}`));
      const tree = treeOf(17, bytes);
      for (let leaf = 0; leaf < total; leaf += size) {
        const run = runAt(leaf, { size, leaves: total });
        const hashes = splitHashes(openingHashes(total, leavesOfRun(run), tree.node));
        const told = new Set<string>();
        const leaves = bytes.slice(run.first, run.end);
        nodesOfRun(total, { first: run.first, leaves, hashes }, (level, index, hash) => {
          told.add(`${level} ${index}`);
          expect(hash).toEqual(Uint8Array.from(tree.node(level, index)));
        });
        let level = 0;
        for (let nodes = total; nodes > 1; nodes = Math.ceil(nodes / 2)) {
          const on = Math.floor(run.first / 2 ** level);
          for (const index of [on, on ^ 1]) if (index < nodes) expect(told).toContain(`${level} ${index}`);
          level++;
        }
        expect(told).toContain(`${level} 0`);
      }
    }
});
