/** How many demands, one after another, convict a publisher whose leaves are shown on the chain only. */
import { expect, test } from 'vitest';
import { leafCount, runOfShard } from '../../../modules/attribution/proof/shard/commitment.ts';
import { suffixArray } from '../../index/sais.ts';
import { convict } from '../../prove/convict.ts';
import { shardInMemory } from '../../prove/memory.ts';
import { openRun } from '../../prove/open-run.ts';
import type { ShardArrays } from '../../shard.ts';
import { sortedShard, textDocument } from '../../testing/naive-shard.ts';
import { nodesOfRun } from '../opened-run.ts';
import { PartialShard, withPieces } from '../partial-shard.ts';
import { noSupply } from '../supply.ts';

const TOKENS = 2 ** 12;
const text = textDocument(11, 'x '.repeat(TOKENS).slice(0, TOKENS - 1));
const arrays = sortedShard([text], (tokens) => suffixArray(Uint32Array.from(tokens)));
const last = arrays.tokens - 1;

async function demandsFor(lie: Partial<ShardArrays>, entriesPerLeaf: number) {
  const options = { datanetId: 1n, entriesPerLeaf };
  const honest = shardInMemory(arrays, options);
  const wrong = shardInMemory({ ...arrays, ...lie }, options);
  const accused = new PartialShard(wrong.commitment);
  const content = (): Uint8Array => text.content ?? new Uint8Array(0);
  for (let demands = 0; demands < 40; demands++) {
    const attempt = await withPieces(
      () => convict({ honest, accused, content, secret: undefined }),
      noSupply,
    );
    if (attempt.done) return { demands, isConvicted: attempt.value !== undefined };
    const { tree, level = 0, index } = attempt.missing;
    const leaves = leafCount(wrong.commitment, tree);
    const { first } = runOfShard(wrong.commitment, tree, Math.min(leaves - 1, index * 2 ** level));
    const run = { first, ...openRun(wrong, tree, first) };
    for (const [i, leaf] of run.leaves.entries()) accused.putLeaf(tree, first + i, leaf);
    nodesOfRun(leaves, run, (at, i, hash) => accused.putNode(tree, at, i, hash));
  }
  return { demands: 40, isConvicted: false };
}

const swapped = (r: number): number => (r === last - 1 ? last - 2 : r === last - 2 ? last - 1 : r);
const LIES: readonly (readonly [string, Partial<ShardArrays>])[] = [
  ['two late ranks changed places', { suffix: (r) => arrays.suffix(swapped(r)) }],
  [
    'the order turned round, its inverse with it',
    { suffix: (r) => arrays.suffix(last - r), rank: (p) => last - arrays.rank(p) },
  ],
  [
    'the order moved by one, its inverse with it',
    {
      suffix: (r) => arrays.suffix((r + 1) % (last + 1)),
      rank: (p) => (arrays.rank(p) + last) % (last + 1),
    },
  ],
];

/** Levels of the tree of suffixes above runs, twice, and what a proof opens besides. */
const DEMANDS_MAX = 16;

test.each(LIES.flatMap(([name, lie]) => [1, 8].map((entries) => ({ name, lie, entries }))))(
  '$name, $entries in a leaf: few demands convict',
  async ({ lie, entries }) => {
    const { demands, isConvicted } = await demandsFor(lie, entries);
    expect(isConvicted).toBe(true);
    expect(demands).toBeLessThanOrEqual(DEMANDS_MAX);
  },
);
