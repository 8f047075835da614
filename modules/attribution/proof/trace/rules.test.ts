import { describe, expect, test } from 'vitest';
import { bytesOfToken, tokenise } from '../tokenise.ts';
import {
  cutToWords,
  isSentenceEnd,
  isWordStart,
  rulesUnder,
  sentenceEndAfter,
  TRACE_RULES,
  validateRules,
} from './rules.ts';

const tokensOf = (text: string): Uint32Array => tokenise(new TextEncoder().encode(text));
const textOf = (tokens: Uint32Array): string =>
  new TextDecoder().decode(Uint8Array.from([...tokens].flatMap((id) => [...bytesOfToken(id)])));

/** The text with a bar where a span may begin. */
function starts(text: string): string {
  const tokens = tokensOf(text);
  return [...tokens.keys()]
    .map((at) => (isWordStart(tokens, at) ? '|' : '') + textOf(tokens.subarray(at, at + 1)))
    .join('');
}

describe('where a span may begin', () => {
  test.each([
    '|The |gentlemen |of |the |Senate',
    '|don\'|t, "|quoted" |e-|mail  |x',
    '|déjà |vu; |Γν|ῶ|θι |σαυτόν',
    '|日|本|語 |ok',
    '|3.|14 |and |1,|000',
    '... - \n',
  ])('%s', (expected) => {
    expect(starts(expected.replaceAll('|', ''))).toBe(expected);
  });
});

/** The text with a bar behind each sentence. */
function sentences(text: string): string {
  const tokens = tokensOf(text);
  let out = '';
  for (let at = 0; at < tokens.length; ) {
    const end = sentenceEndAfter(tokens, at);
    out += `${textOf(tokens.subarray(at, end))}|`;
    at = end;
  }
  return out;
}

describe('where a sentence ends', () => {
  test.each([
    'One. |Two? |Three!!! |four|',
    'a line\n\n\n\n|\n|x|',
    'Pay $3.50 at www.example.org now. |',
    '日本。|語|',
    'He said "no." \n|',
  ])('%j', (expected) => {
    expect(sentences(expected.replaceAll('|', ''))).toBe(expected);
  });

  test('a token is judged by itself', () => {
    expect([...tokensOf('a. .x\n')].map(isSentenceEnd)).toEqual([false, true, false, false, true]);
  });
});

test('a match is cut back to whole words', () => {
  const tokens = tokensOf('the government is');
  // the |gove|rnme|nt |is
  expect([0, 1, 2, 3, 4, 5].map((end) => cutToWords(tokens, 0, end))).toEqual([0, 1, 1, 1, 4, 5]);
  expect(cutToWords(tokens, 1, 3)).toBe(1);
});

test('rules have bounds', () => {
  expect(() => validateRules(TRACE_RULES)).not.toThrow();
  expect(() => validateRules({ ...TRACE_RULES, occurrencesMax: 65 })).toThrow(
    'occurrencesMax is 65; choose 1 to 64',
  );
  expect(() => validateRules({ ...TRACE_RULES, tokensMin: 0.5 })).toThrow('tokensMin');
  expect(() => validateRules({ ...TRACE_RULES, bytesPerSpan: 0 })).toThrow('bytesPerSpan');
});

test('under the parameters of a chain the stricter number holds; a proof bounds the longest span', () => {
  const limits = { spansMax: 7, spanBytesMin: 20, spanBytesMax: 10_000, occurrencesMax: 64 };
  expect(rulesUnder(limits)).toEqual({ ...TRACE_RULES, ...limits, spanBytesMax: 4096, occurrencesMax: 10 });
  expect(rulesUnder({ ...limits, occurrencesMax: 3 }).occurrencesMax).toBe(3);
  expect(() => validateRules(rulesUnder(limits))).not.toThrow();
});
