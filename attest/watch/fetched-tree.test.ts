import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { leavesOfRun, runAt } from '../../core/leaf-run.ts';
import {
  openingHashes,
  splitHashes,
  treeOf,
  type TreeInMemory,
} from '../../modules/attribution/proof/tree.ts';
import { FetchedTree } from './fetched-tree.ts';

const KIND = 17;
const leavesOf = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => utf8(`leaf ${i}`));

/** Shows the run of a leaf, of so many leaves. */
function show(fetched: FetchedTree, tree: TreeInMemory, leaves: readonly Uint8Array[], at: RunAt): void {
  const run = runAt(at.leaf, { size: at.size, leaves: leaves.length });
  const hashes = splitHashes(openingHashes(leaves.length, leavesOfRun(run), tree.node));
  fetched.show({ first: run.first, leaves: leaves.slice(run.first, run.end), hashes });
}

interface RunAt {
  readonly leaf: number;
  readonly size: number;
}

test('leaves that lead to the root are all that is needed', () => {
  for (const count of [1, 2, 7, 64]) {
    const leaves = leavesOf(count);
    const fetched = new FetchedTree(treeOf(KIND, leaves), 1);
    expect(fetched.settle(3)).toEqual({ doubts: Array.from({ length: Math.min(3, count) }, (_, i) => i) });
    fetched.offer(leaves.slice(1));
    fetched.offer(leaves);
    expect(fetched.settle(3)).toEqual({ leaves });
    expect(fetched.known()).toEqual(leaves);
  }
});

test('of what nobody serves, runs are asked for and not single leaves', () => {
  const leaves = leavesOf(21);
  const tree = treeOf(KIND, leaves);
  const fetched = new FetchedTree(tree, 8);
  expect(fetched.settle(4)).toEqual({ doubts: [0, 8, 16] });
  show(fetched, tree, leaves, { leaf: 17, size: 8 });
  expect(fetched.known()).toEqual(leaves.map((leaf, i) => (i < 16 ? undefined : leaf)));
  expect(fetched.settle(1)).toEqual({ doubts: [0] });
  show(fetched, tree, leaves, { leaf: 0, size: 8 });
  show(fetched, tree, leaves, { leaf: 15, size: 8 });
  expect(fetched.settle(4)).toEqual({ leaves });
});

test('a leaf that is withheld is asked for, one that is exchanged is found by halves', () => {
  const sizes = [2, 5, 33, 100, 512].flatMap((count) =>
    [1, 4].flatMap((most) => [1, 2, 16].map((size) => ({ count, most, size }))),
  );
  for (const { count, most, size } of sizes) {
    const leaves = leavesOf(count);
    const tree = treeOf(KIND, leaves);
    for (const bad of [0, 1, count >> 1, count - 1]) {
      const withheld = new FetchedTree(tree, size);
      withheld.offer(leaves.map((leaf, i) => (i === bad ? undefined : leaf)));
      expect(withheld.settle(4)).toEqual({ doubts: [bad - (bad % size)] });
      show(withheld, tree, leaves, { leaf: bad, size });
      expect(withheld.settle(4)).toEqual({ leaves });

      const exchanged = new FetchedTree(tree, size);
      exchanged.offer(leaves.map((leaf, i) => (i === bad ? utf8('other') : leaf)));
      let steps = 0;
      for (;;) {
        const settled = exchanged.settle(most);
        if ('leaves' in settled) {
          expect(settled.leaves).toEqual(leaves);
          break;
        }
        for (const leaf of settled.doubts) show(exchanged, tree, leaves, { leaf, size });
        steps++;
      }
      const runs = Math.ceil(count / size);
      expect(steps).toBeLessThanOrEqual(1 + Math.ceil(Math.log2(runs) / (most === 1 ? 1 : 3)));
    }
  }
});

test('two that serve different halves make a whole, once a leaf is shown', () => {
  const leaves = leavesOf(8);
  const tree = treeOf(KIND, leaves);
  const fetched = new FetchedTree(tree, 1);
  fetched.offer(leaves.map((leaf, i) => (i < 4 ? leaf : utf8('lie'))));
  fetched.offer(leaves.map((leaf, i) => (i < 4 ? utf8('lie') : leaf)));
  expect(fetched.settle(1)).toEqual({ doubts: [0] });
  show(fetched, tree, leaves, { leaf: 0, size: 1 });
  expect(fetched.settle(4)).toEqual({ leaves });
});
