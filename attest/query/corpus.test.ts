import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tokenise } from '../../modules/attribution/proof/tokenise.ts';
import { naiveShard, textDocument, tombstoneDocument } from '../testing/naive-shard.ts';
import { Corpus } from './corpus.ts';

const tokensOf = (text: string): Uint32Array => tokenise(new TextEncoder().encode(text));
const text = fc
  .array(fc.constantFrom('a ', 'b ', 'ab', '. ', 'a'), { maxLength: 20 })
  .map((parts) => parts.join(''));

test('several shards answer as one shard of all their documents does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(text, { minLength: 1, maxLength: 3 }), { minLength: 1 }),
      text,
      (all, wanted) => {
        let id = 0;
        const documents = all.map((texts) => texts.map((each) => textDocument(++id, each)));
        const corpus = new Corpus(documents.map(naiveShard), { samples: 3 });
        const one = new Corpus([naiveShard(documents.flat())]);
        const pattern = tokensOf(wanted);
        expect([corpus.tokens, corpus.documents]).toEqual([one.tokens, one.documents]);
        expect(corpus.count(pattern)).toBe(one.count(pattern));
        const match = corpus.longestMatch(pattern);
        expect(match.length).toBe(one.longestMatch(pattern).length);
        const passage = pattern.subarray(0, match.length);
        if (match.length === 0) return;
        expect(holdersOf(corpus, passage)).toEqual(holdersOf(one, passage));
        const [first = 0] = pattern;
        expect(corpus.surprisal(first)).toBe(one.surprisal(first));
      },
    ),
  );
});

function holdersOf(corpus: Corpus, passage: Uint32Array): readonly bigint[] {
  const ranges = corpus.rangesOf(passage, corpus.longestMatch(passage));
  const ids = [...corpus.holdings(ranges)].map(({ document }) => document.contributionId);
  return ids.sort((a, b) => Number(a - b));
}

test('what was withdrawn before or after the shard was made is nobody named', () => {
  const shard = naiveShard([
    textDocument(1, 'one two three'),
    tombstoneDocument(2, 'one two three'),
    textDocument(3, 'one two four'),
    textDocument(4, 'one two five'),
  ]);
  const corpus = new Corpus([shard], { isWithdrawn: (id) => id === 3n });
  const passage = tokensOf('one two ');
  expect(holdersOf(corpus, passage)).toEqual([1n, 4n]);
  expect(corpus.count(passage)).toBe(3);
});

test('remembered surprisals stay true when older ones are forgotten', () => {
  const corpus = new Corpus([naiveShard([textDocument(1, 'abcd abcd')])]);
  // abcd|  |abcd|separator
  const [token = 0] = tokensOf('abcd');
  expect(corpus.surprisal(token)).toBe(65_536);
  for (let other = 2; other < 66_000; other++) expect(corpus.surprisal(other)).toBe(0);
  expect(corpus.surprisal(token)).toBe(65_536);
  expect(() => corpus.shard(1)).toThrow(RangeError);
});
