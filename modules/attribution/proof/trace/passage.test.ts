import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tokenise } from '../tokenise.ts';
import { MARGIN_BYTES, passageTokens } from './passage.ts';
import { isBoundary, isSentenceEnd, isWordStart } from './rules.ts';
import { tokenText } from './spans.ts';

const utf8 = (text: string): readonly number[] => [...new TextEncoder().encode(text)];
/** Whole characters of all lengths, halves of them, and bytes that begin none. */
const pieces = fc.constantFrom(
  ...[
    'a',
    'bc',
    'word ',
    ' ',
    '. ',
    '...',
    '? ',
    '\n',
    '\0',
    'é',
    'ß ',
    '日',
    '日 ',
    '。',
    '。 ',
    '😀',
    '😀 ',
  ].map(utf8),
  ...[[0xe3], [0x80], [0xc3], [0xf0, 0x9f], [0xff], [0xc0], [0xe3, 0x80], [0xed, 0xa0, 0x80]],
);
const text = fc.array(pieces, { maxLength: 14 }).map((parts) => Uint8Array.from(parts.flat()));

test('the bytes around a passage tell what all tokens of the text tell', () => {
  fc.assert(
    fc.property(text, (content) => {
      const { tokens, offsets } = tokenText(tokenise(content));
      const indexAt = new Map([...offsets].map((offset, i) => [offset, i]));
      for (let from = 0; from < content.length; from++)
        for (let to = from + 1; to <= content.length; to++) {
          const [start, end] = [indexAt.get(from), indexAt.get(to)];
          const isPassage =
            start !== undefined &&
            end !== undefined &&
            isWordStart(tokens, start) &&
            isBoundary(tokens, end) &&
            !tokens.subarray(start, end - 1).some(isSentenceEnd);
          const first = Math.max(0, from - MARGIN_BYTES);
          const bytes = content.subarray(first, to + MARGIN_BYTES);
          const found = passageTokens({ bytes, at: from - first, length: to - from });
          expect(found).toEqual(isPassage ? tokens.slice(start, end) : undefined);
        }
    }),
    { numRuns: 2_000 },
  );
});

test('with fewer bytes around it cannot be told', () => {
  const content = Uint8Array.from(utf8('日ab'));
  const told = (from: number) => passageTokens({ bytes: content.subarray(from), at: 3 - from, length: 2 });
  expect(told(0)).toEqual(tokenise(Uint8Array.from(utf8('ab'))));
  expect(told(1)).toBeUndefined();
});
