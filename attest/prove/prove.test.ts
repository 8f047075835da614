import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecodeError } from '../../core/errors.ts';
import { verifyShardProof } from '../../modules/attribution/proof/shard/verify.ts';
import { PATTERN_TOKENS_MAX, type ShardStatement } from '../../modules/attribution/proof/shard/format.ts';
import { tokenise } from '../../modules/attribution/proof/tokenise.ts';
import { longestMatch, rankRange } from '../query/search.ts';
import type { SourceDocument } from '../shard.ts';
import { naiveShard, textDocument, tombstoneDocument } from '../testing/naive-shard.ts';
import { shardInMemory } from './memory.ts';
import { proveShard } from './prove.ts';

/** Texts of few words: passages occur often and go on longer than an entry holds. */
const words = fc.constantFrom('ab ', 'ab ', 'ab ', 'c', '\0', 'ü', '  ', '語');
const text = fc.array(words, { maxLength: 90 }).map((list) => list.join(''));
const sources = fc
  .array(fc.tuple(text, fc.integer({ min: 0, max: 5 })), { minLength: 1, maxLength: 5 })
  .map((list) =>
    list.map(
      ([content, kind], id): SourceDocument =>
        kind === 0 ? tombstoneDocument(id, content) : textDocument(id, content),
    ),
  );
const options = fc.record({
  entriesPerLeaf: fc.constantFrom(1, 8),
  saltSecret: fc.constantFrom(undefined, Uint8Array.of(1)),
});

test('what is true of a shard is proved', () => {
  fc.assert(
    fc.property(
      sources,
      options,
      text,
      fc.boolean(),
      (documents, { entriesPerLeaf, saltSecret }, asked, open) => {
        const arrays = naiveShard(documents);
        const salted = saltSecret === undefined ? {} : { saltSecret };
        const shard = shardInMemory(arrays, { datanetId: 1n, entriesPerLeaf, ...salted });
        const query = tokenise(new TextEncoder().encode(`${asked}ab `));
        const statements: ShardStatement[] = [];
        for (let start = 0; start < query.length; start += 7) {
          const length = Math.max(1, (query.length - start) % 50);
          const { lo, hi } = rankRange(arrays, query.subarray(start, start + length));
          statements.push({ kind: 'count', start, length, lo, hi });
          if (lo === hi) continue;
          statements.push({ kind: 'holders', start, length, lo, hi });
          statements.push({ kind: 'occurrence', start, length, lo: hi - 1, hi });
        }
        const proof = proveShard(shard, { query, statements, documents: open });
        const shown = verifyShardProof({ commitment: shard.commitment, query, proof });
        expect(shown.statements.map(({ statement }) => statement)).toEqual(statements);
        for (const { statement, longest, holders } of shown.statements) {
          const { start, length, lo, hi, kind } = statement;
          expect(longest).toBe(longestMatch(arrays, query.subarray(start, start + length)).length);
          expect(holders).toHaveLength(kind === 'count' ? 0 : hi - lo);
          for (const { rank, position, document } of holders) {
            expect([arrays.suffix(rank), arrays.documentAt(position)]).toEqual([position, document]);
            if (open) expect(shown.documents.get(document)).toMatchObject(arrays.document(document));
          }
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('a pattern as long as there is, and no longer one', () => {
  const content = Uint8Array.from({ length: PATTERN_TOKENS_MAX + 90 }, (_, i) => 0x80 + ((i * i) % 61));
  const arrays = naiveShard([textDocument(1, 'before'), textDocument(2, content)]);
  const shard = shardInMemory(arrays, { datanetId: 1n });
  const { commitment } = shard;
  const query = tokenise(content).subarray(3);
  const provenLength = (length: number): number | undefined => {
    const statement = {
      kind: 'count',
      start: 0,
      length,
      ...rankRange(arrays, query.subarray(0, length)),
    } as const;
    const proof = proveShard(shard, { query, statements: [statement], documents: false });
    return verifyShardProof({ commitment, query, proof }).statements[0]?.longest;
  };
  expect(provenLength(PATTERN_TOKENS_MAX)).toBe(PATTERN_TOKENS_MAX);
  expect(() => provenLength(PATTERN_TOKENS_MAX + 1)).toThrow(DecodeError);
});
