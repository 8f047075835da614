/** A publisher who serves leaves and nodes of several shards, or of none, others each time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../../../core/bytes.ts';
import { HASH_BYTES } from '../../../core/hash.ts';
import { leafCount, shardId } from '../../../modules/attribution/proof/shard/commitment.ts';
import { shardInMemory } from '../../prove/memory.ts';
import type { ProvableShard } from '../../prove/prove.ts';
import type { ShardArrays } from '../../shard.ts';
import { naiveShard, textDocument } from '../../testing/naive-shard.ts';
import type { PieceRange, Publisher } from '../ports.ts';
import { FakeChain, memoryPublisher } from '../testing/fake-chain.ts';
import { watcherIn } from '../testing/watch-world.ts';

const words = 'it was the best of times it was the worst of times ';
const documents = [
  textDocument(11, words.repeat(4)),
  textDocument(12, ''),
  textDocument(13, `we choose ${words}`),
];
const arrays = naiveShard(documents);
const { tokens } = arrays;

/** Lies at two places. */
function liesAt(a: number, b: number): readonly Partial<ShardArrays>[] {
  const other = (i: number): number => (i === a ? b : i === b ? a : i);
  return [
    { suffix: (r) => arrays.suffix(other(r)) },
    { rank: (p) => arrays.rank(other(p)) },
    { suffix: (r) => arrays.suffix((r + a) % tokens), rank: (p) => (arrays.rank(p) + tokens - a) % tokens },
    { byteOffset: (p) => arrays.byteOffset(p) + (p >= a ? 1 : 0) },
    { documentAt: (p) => (p === a ? (arrays.documentAt(p) + 1) % documents.length : arrays.documentAt(p)) },
  ];
}

const someLie = fc.record({
  kind: fc.nat({ max: 4 }),
  a: fc.nat({ max: tokens - 1 }),
  b: fc.nat({ max: tokens - 1 }),
});
const served = fc.record({
  wrong: someLie,
  other: someLie,
  entriesPerLeaf: fc.constantFrom(1, 8),
  /** Which shard each piece is from, again and again; 3: bytes of none. */
  from: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 40 }),
});

test('is convicted all the same, by demands on the chain, and nothing fails', async () => {
  await fc.assert(
    fc.asyncProperty(served, async ({ wrong: lie, other, entriesPerLeaf, from }) => {
      const options = { datanetId: 1n, entriesPerLeaf };
      const [right, wrong, another] = [
        {},
        liesAt(lie.a, lie.b)[lie.kind],
        liesAt(other.a, other.b)[other.kind],
      ].map((change) => shardInMemory({ ...arrays, ...change }, options));
      if (right === undefined || wrong === undefined || another === undefined) return;
      if (toHex(shardId(right.commitment)) === toHex(shardId(wrong.commitment))) return;
      let asked = 0;
      const piece = (of: (shard: ProvableShard) => Uint8Array, bytes = asked % 60): Uint8Array => {
        const choice = from[asked++ % from.length] ?? 0;
        const shard = [right, wrong, another][choice];
        return shard === undefined ? new Uint8Array(bytes) : of(shard);
      };
      const pieces = (total: number, { from: first, count }: PieceRange, of: (i: number) => Uint8Array) =>
        Array.from({ length: Math.max(0, Math.min(count, total - first)) }, (_, i) => of(first + i));
      const publisher: Publisher = {
        ...memoryPublisher({ texts: documents }),
        leaves: async (_, tree, range) =>
          pieces(leafCount(wrong.commitment, tree), range, (i) => piece((shard) => shard.leaf(tree, i))),
        nodes: async (_, tree, range) => {
          const total = Math.ceil(leafCount(wrong.commitment, tree) / 2 ** range.level);
          return pieces(total, range, (i) => piece((shard) => shard.node(tree, range.level, i), HASH_BYTES));
        },
      };
      const home = mkdtempSync(join(tmpdir(), 'watch-'));
      try {
        const chain = new FakeChain(documents);
        chain.publish(wrong, 'a');
        chain.answering = wrong;
        const log: string[] = [];
        const watcher = watcherIn({ home, chain, log, publishers: { a: publisher } });
        for (let round = 0; round < 40 && chain.published.size > 0; round++) {
          await watcher.lookAtPublished();
          chain.answer();
        }
        expect([chain.published.size, log.filter((line) => /fail|bug/.test(line))]).toEqual([0, []]);
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    }),
    { numRuns: 15 },
  );
});
