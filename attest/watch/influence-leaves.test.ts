/** Which node of a wrong tree of sums is named: one whose children are known to be right, no other. */
import { expect, test } from 'vitest';
import { runAt } from '../../core/leaf-run.ts';
import { cardTree } from '../../modules/attribution/proof/influence/committed.ts';
import { runLeavesIn } from '../../modules/attribution/proof/influence/pieces.ts';
import { sumNodes } from '../../modules/attribution/proof/influence/sum-tree.ts';
import { smallHead } from '../../test/support/head-world.ts';
import { servedSums } from '../influence/sums.ts';
import { type LeafSources, MissingLeaves, wrongSum } from './influence-leaves.ts';
import type { InfluencePlace } from './ports.ts';
import { answerTo } from './testing/fake-influence.ts';

/** 2,400 examples: 300 nodes above them, then 38, 5 and the one on top. */
const contributionIds = Array.from({ length: 400 }, (_, i) => BigInt(i + 1));
const { card } = smallHead({ datanetId: 1n, snapshotCount: 400n, contributionIds });
const NODES = sumNodes(card.card.examples);
const TOP = NODES - 1;
/** The lie, and the nodes that it is added to: the first of each level, and the top. */
const WRONG = 3;
const ABOVE = [300, 338, TOP];

const lie = servedSums(
  card.sums.coordinates.map((leaves, node) =>
    node === WRONG || ABOVE.includes(node)
      ? leaves.map((leaf) => leaf.with(-1, (leaf.at(-1) ?? 0) ^ 1))
      : leaves,
  ),
);

async function found(places: readonly InfluencePlace[]): ReturnType<typeof wrongSum> {
  const demands = places.map((place, i) => {
    const answer = answerTo({ sums: lie }, place);
    return { ...({ of: 'card', id: 1n, requestId: BigInt(i), place, own: true, bond: 1n, answer } as const) };
  });
  const shape = card.card;
  const sources: LeafSources = { of: 'cards', key: '', shape, publishers: [], demands };
  const committed = cardTree({ ...card.card, roots: { ...card.card.roots, sums: lie.tree.root } }, 'sums');
  return await wrongSum(committed, card.sums, sources);
}

test('nodes that are wrong because of one below them are not named: more is asked for', async () => {
  expect(NODES).toBe(344);
  const { first } = runOf(TOP);
  expect(first).toBeGreaterThan(WRONG + 8);
  const asked = await found([{ tree: 'sums', node: undefined, leaf: first }]).catch((error) => error);
  expect(asked).toBeInstanceOf(MissingLeaves);
  expect(asked.demands.map(({ tree }: InfluencePlace) => tree)).not.toContain('coordinates');
  expect(asked.demands.length).toBeGreaterThan(0);
});

test('the lowest wrong node is named, with its coordinate', async () => {
  const named = await found([
    { tree: 'sums', node: undefined, leaf: runOf(TOP).first },
    { tree: 'sums', node: undefined, leaf: runOf(WRONG).first },
    { tree: 'coordinates', node: WRONG, leaf: 0 },
  ]);
  expect([named.rule, named.index]).toEqual(['sum', WRONG]);
});

function runOf(node: number): { readonly first: number } {
  return runAt(node, { size: runLeavesIn(card.card, 'sums'), leaves: NODES });
}
