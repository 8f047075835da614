import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SEPARATOR, tokenise } from '../../modules/attribution/proof/tokenise.ts';
import type { ShardArrays } from '../shard.ts';
import { naiveShard, textDocument } from '../testing/naive-shard.ts';
import { ShardSearch } from './shard-search.ts';
import {
  bracketNear,
  countIn,
  longestMatch,
  occurrencesOf,
  rangeAround,
  rankRange,
  wholeShard,
} from './search.ts';

/** Words that repeat much, so that patterns occur often and share long prefixes. */
const words = fc.array(fc.constantFrom('a ', 'b ', 'ab', '. ', 'a', 'abab', ' ', '\n'), { maxLength: 40 });
const corpus = fc.array(words, { minLength: 1, maxLength: 5 }).map(shardOf);
const pattern = words.map((parts) => tokensOf(parts.join('').slice(0, 14)));

function shardOf(documents: readonly (readonly string[])[]): ShardArrays {
  return naiveShard(documents.map((parts, i) => textDocument(i + 1, parts.join(''))));
}

function tokensOf(text: string): Uint32Array {
  return tokenise(new TextEncoder().encode(text));
}

function textOf(shard: ShardArrays): readonly number[] {
  return Array.from({ length: shard.tokens }, (_, position) => shard.token(position));
}

/** Positions where the pattern occurs, by looking everywhere. */
function bruteForce(shard: ShardArrays, wanted: Uint32Array): readonly number[] {
  const text = textOf(shard);
  return text.flatMap((_, at) => (wanted.every((id, i) => text[at + i] === id) ? [at] : []));
}

describe('searching the suffix array', () => {
  test('counts and places are those of a search everywhere', () => {
    fc.assert(
      fc.property(corpus, pattern, (shard, wanted) => {
        const found = bruteForce(shard, wanted);
        const range = rankRange(shard, wanted);
        expect(countIn(shard, wanted)).toBe(found.length);
        const places = [...occurrencesOf(shard, range)].map(({ position }) => position);
        expect(places.sort((a, b) => a - b)).toEqual(found);
        expect(new ShardSearch(shard, { samples: 4 }).rankRange(wanted)).toEqual(range);
      }),
    );
  });

  test('the longest match is the longest prefix that occurs', () => {
    fc.assert(
      fc.property(corpus, pattern, (shard, wanted) => {
        let longest = 0;
        while (longest < wanted.length && bruteForce(shard, wanted.subarray(0, longest + 1)).length > 0)
          longest++;
        const match = longestMatch(shard, wanted);
        expect(match.length).toBe(longest);
        expect(new ShardSearch(shard, { samples: 8 }).longestMatch(wanted).length).toBe(longest);
        const search = new ShardSearch(shard, { samples: 1 });
        for (let skipped = 0; skipped < wanted.length; skipped++) {
          const rest = wanted.subarray(skipped);
          const linked = search.longestMatch(rest, { match, skipped });
          expect(linked.length).toBe(longestMatch(shard, rest).length);
        }
        if (longest === 0) return;
        const prefix = wanted.subarray(0, longest);
        expect(rangeAround(shard, prefix, match.rank)).toEqual(rankRange(shard, prefix));
      }),
    );
  });

  test('a search near any rank finds the place that a search of all finds', () => {
    fc.assert(
      fc.property(corpus, pattern, fc.nat(), (shard, wanted, pick) => {
        fc.pre(wanted.length > 0);
        const rank = pick % shard.tokens;
        const bracket = bracketNear(shard, wanted, { rank, within: wholeShard(shard) });
        const { lo } = rankRange(shard, wanted);
        expect(bracket.below).toBeLessThan(lo);
        expect(bracket.above).toBeGreaterThanOrEqual(lo);
      }),
    );
  });

  test('an absent pattern has its place between its neighbours', () => {
    const shard = shardOf([['ab cd ef ']]);
    expect(rankRange(shard, tokensOf('cc'))).toEqual({ lo: 2, hi: 2 });
    expect(longestMatch(shard, tokensOf('cc'))).toMatchObject({ length: 0 });
    expect(rankRange(shard, Uint32Array.of(0xffffffff))).toEqual({ lo: 4, hi: 4 });
    expect(rankRange(shard, Uint32Array.of(0))).toEqual({ lo: 0, hi: 0 });
  });

  test('an empty pattern occurs everywhere, a separator at the end of each document', () => {
    const shard = shardOf([['a b '], ['b ']]);
    expect(countIn(shard, new Uint32Array(0))).toBe(shard.tokens);
    expect(countIn(shard, Uint32Array.of(SEPARATOR))).toBe(2);
    expect([...occurrencesOf(shard, rankRange(shard, tokensOf('b ')))].map((each) => each.document)).toEqual([
      1, 0,
    ]);
  });

  test('a search reads the array as often as it has binary digits, not as it has entries', () => {
    const shard = shardOf([Array.from({ length: 2000 }, (_, i) => `${(i * 7919) % 2003} `)]);
    let reads = 0;
    const counted: ShardArrays = {
      ...shard,
      suffix: (rank) => {
        reads++;
        return shard.suffix(rank);
      },
    };
    longestMatch(counted, tokensOf('1001 3 '));
    expect(reads).toBeLessThanOrEqual(Math.ceil(Math.log2(shard.tokens)) + 2);
  });
});
