/** The suffix array: equal to a plain sort, and it satisfies what defines it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compressAlphabet } from './alphabet.ts';
import { firstLocalFault } from './local-checks.ts';
import { inverseOf, type SortProgress, suffixArray } from './sais.ts';
import { fibonacciWord, naiveSuffixArray, thueMorseWord } from './testing/texts.ts';

function checked(text: Uint32Array): Uint32Array {
  const sa = suffixArray(text);
  expect(firstLocalFault({ text, sa, isa: inverseOf(sa) })).toBeUndefined();
  return sa;
}

describe('equals a plain sort', () => {
  test.each([
    ['nothing', []],
    ['one token', [7]],
    ['two, rising', [1, 2]],
    ['two, falling', [2, 1]],
    ['two, equal', [3, 3]],
    ['the largest and the smallest token', [0xffffffff, 0, 0xffffffff, 0x80000000, 0x7fffffff, 0]],
    ['mississippi', [...'mississippi'].map((letter) => letter.charCodeAt(0))],
  ])('%s', (_name, tokens) => {
    const text = Uint32Array.from(tokens);
    expect(checked(text)).toEqual(naiveSuffixArray(text));
  });

  test.each([
    ['all equal', new Uint32Array(257).fill(9)],
    ['rising', Uint32Array.from({ length: 300 }, (_, i) => i)],
    ['falling', Uint32Array.from({ length: 300 }, (_, i) => 300 - i)],
    ['period 2', Uint32Array.from({ length: 301 }, (_, i) => i % 2)],
    ['period 7', Uint32Array.from({ length: 500 }, (_, i) => (i * i) % 7)],
    ['runs', Uint32Array.from({ length: 600 }, (_, i) => Math.floor(Math.sqrt(i)) % 3)],
    ['Fibonacci word', fibonacciWord(987)],
    ['Thue-Morse word', thueMorseWord(1024)],
  ])('%s', (_name, text) => {
    expect(checked(text)).toEqual(naiveSuffixArray(text));
  });

  test('random texts over small and large alphabets', () => {
    const text = fc
      .tuple(fc.constantFrom(1, 2, 3, 5, 200, 0xffffffff), fc.integer({ min: 0, max: 200 }))
      .chain(([max, length]) =>
        fc.array(fc.integer({ min: 0, max }), { minLength: length, maxLength: length }),
      );
    fc.assert(
      fc.property(text, (tokens) => {
        const array = Uint32Array.from(tokens);
        expect(checked(array)).toEqual(naiveSuffixArray(array));
      }),
      { numRuns: 300 },
    );
  });

  test('every text of up to eight tokens over three symbols', () => {
    for (let length = 0; length <= 8; length++) {
      for (let code = 0; code < 3 ** length; code++) {
        const text = Uint32Array.from({ length }, (_, i) => Math.floor(code / 3 ** i) % 3);
        const sa = suffixArray(text);
        if (firstLocalFault({ text, sa, isa: inverseOf(sa) }) !== undefined) throw new Error(`text ${text}`);
      }
    }
  });
});

test('satisfies the local checks on texts too long for a plain sort, in at most log2 n levels', () => {
  for (const text of [fibonacciWord(100_000), thueMorseWord(1 << 17), new Uint32Array(100_000)]) {
    const seen: SortProgress[] = [];
    const sa = suffixArray(text, (progress) => seen.push(progress));
    expect(firstLocalFault({ text, sa, isa: inverseOf(sa) })).toBeUndefined();
    expect(seen[0]).toEqual({ stage: 'alphabet', level: 0, tokens: text.length });
    for (const { level, tokens } of seen) expect(tokens).toBeLessThanOrEqual(text.length / 2 ** level);
  }
});

test('the local checks find each way in which an array is wrong', () => {
  const text = Uint32Array.of(2, 1, 3, 1, 3, 3);
  const sa = suffixArray(text);
  const swapped = (a: number, b: number): Uint32Array => {
    const wrong = sa.slice();
    wrong[a] = sa[b] ?? 0;
    wrong[b] = sa[a] ?? 0;
    return wrong;
  };
  const fault = (wrong: Uint32Array, isa = inverseOf(wrong)): unknown =>
    firstLocalFault({ text, sa: wrong, isa });
  expect(fault(sa)).toBeUndefined();
  expect(fault(swapped(0, 1))).toEqual({ check: 'order', rank: 0 });
  expect(fault(swapped(1, 2))).toEqual({ check: 'first-token', rank: 1 });
  expect(fault(sa.with(0, sa[1] ?? 0), inverseOf(sa))).toMatchObject({ check: 'permutation' });
  expect(fault(sa, inverseOf(sa).with(2, text.length))).toEqual({ check: 'permutation', position: 2 });
});

test('ranks of tokens rise with the tokens, over growing tables', () => {
  const text = Uint32Array.from({ length: 20_000 }, (_, i) => Math.imul(i, 0x9e3779b1));
  const { ranks, symbols } = compressAlphabet(text);
  expect(symbols).toEqual(text.toSorted());
  expect(text.every((token, i) => symbols[ranks[i] ?? -1] === token)).toBe(true);
});
