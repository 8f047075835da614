import { expect, test } from 'vitest';
import { randomFrom } from '../../test/attribution/fidelity/digits.ts';
import { leavesOfRuns } from '../../modules/settlement/proof/piece.ts';
import { Dice } from '../../test/settlement/epochs/dice.ts';
import { makeWorld } from '../../test/settlement/epochs/world.ts';
import { openLeaves, openRun, type PublishedTree } from '../epochs/published.ts';
import { FetchedTree } from './fetched-tree.ts';

/** Trees of more than one run, and of one. */
function trees(dice: Dice): readonly PublishedTree[] {
  const { epoch } = makeWorld(dice, { receiptsMax: 300 });
  return [epoch.receipts, epoch.allocations, epoch.entitlements].filter(({ tree }) => tree.leaves > 0);
}

test('whatever order runs come in, what is known opens as the published tree does', () => {
  const dice = new Dice(randomFrom(41));
  let several = 0;
  for (let i = 0; i < 12; i++)
    for (const published of trees(dice)) {
      const { of, tree } = published;
      const fetched = new FetchedTree(of, tree);
      const size = leavesOfRuns(of);
      const firsts = Array.from({ length: Math.ceil(tree.leaves / size) }, (_, run) => run * size);
      if (firsts.length > 2) several++;
      const order = dice.chance(0.5) ? firsts.toReversed() : firsts;
      for (const first of order) {
        const run = fetched.runAt(first);
        expect(fetched.has(first)).toBe(false);
        expect(fetched.put(run, openRun(published, run))).toBe(true);
        const index = dice.between(run.first, run.end - 1);
        expect(openLeaves(fetched, [index])).toEqual(openLeaves(published, [index]));
      }
      expect([fetched.missing, [...fetched.runs()].length]).toEqual([0, firsts.length]);
      const pair = [dice.below(tree.leaves), dice.below(tree.leaves)].sort((a, b) => a - b);
      const indices = [...new Set(pair)];
      expect(openLeaves(fetched, indices)).toEqual(openLeaves(published, indices));
    }
  expect(several).toBeGreaterThan(3);
});

test('nothing is taken that does not lead to the root, or is no whole run', () => {
  const dice = new Dice(randomFrom(42));
  for (let i = 0; i < 40; i++)
    for (const published of trees(dice)) {
      const { of, tree } = published;
      const fetched = new FetchedTree(of, tree);
      const size = leavesOfRuns(of);
      const run = fetched.runAt(dice.below(tree.leaves));
      const { leaves, siblings } = openRun(published, run);
      const at = dice.below(leaves.length);
      const bent = leaves.map((leaf, j) => (j === at ? leaf.with(dice.below(leaf.length), 255) : leaf));
      const isSame = bent[at]?.every((byte, j) => byte === leaves[at]?.[j]) ?? true;
      if (!isSame) expect(fetched.put(run, { leaves: bent, siblings })).toBe(false);
      expect(fetched.put(run, { leaves, siblings: siblings.slice(1) })).toBe(siblings.length === 0);
      expect(new FetchedTree(of, tree).put({ ...run, end: tree.leaves + 1 }, { leaves, siblings })).toBe(
        false,
      );
      if (run.end - run.first < 3) continue;
      const part = { first: run.first, end: run.end - 1 };
      const inside = { first: run.first + 1, end: run.end };
      for (const wrong of [part, inside])
        expect(new FetchedTree(of, tree).put(wrong, openRun(published, wrong))).toBe(false);
      if (tree.leaves > 2 * size) {
        const long = { first: 0, end: 2 * size - 1 };
        expect(new FetchedTree(of, tree).put(long, openRun(published, long))).toBe(false);
      }
    }
});

test('what is not known is not served, however many leaves are said to be there', () => {
  const { epoch } = makeWorld(new Dice(randomFrom(43)));
  const { of, tree } = epoch.receipts;
  const fetched = new FetchedTree(of, { ...tree, leaves: 2 ** 32 - 1 });
  expect(fetched.missing).toBe(2 ** 26);
  expect(fetched.put({ first: 0, end: 64 }, openRun(epoch.receipts, { first: 0, end: 1 }))).toBe(false);
  expect(() => fetched.leaf(7)).toThrow('does not serve a leaf');
  expect(() => fetched.node(3, 0)).toThrow('does not serve a node');
});
