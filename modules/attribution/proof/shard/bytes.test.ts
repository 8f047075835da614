import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecodeError } from '../../../../core/errors.ts';
import { SEPARATOR } from '../tokenise.ts';
import { ProofReader, ProofWriter, widthOf } from './bytes.ts';

const anyToken = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test('what is written is read, to the last byte', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.array(anyToken, { maxLength: 40 }), (number, tokens) => {
      const writer = new ProofWriter();
      writer.varint(number);
      writer.tokens(tokens, 0);
      const reader = new ProofReader(writer.done());
      expect(reader.varint()).toBe(number);
      const read: number[] = [];
      reader.tokens(read, tokens.length, undefined);
      expect(read).toEqual(tokens);
      reader.end();
    }),
  );
});

function refusal(bytes: readonly number[], read: (reader: ProofReader) => unknown): void {
  expect(() => {
    const reader = new ProofReader(Uint8Array.from(bytes));
    read(reader);
    reader.end();
  }).toThrow(DecodeError);
}

test('no value has a second encoding', () => {
  refusal([0x80, 0x00], (reader) => reader.varint());
  refusal([0xff, 0x80, 0x00], (reader) => reader.varint());
  refusal([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], (reader) => reader.varint());
  // A token of one byte, written as two, three and four.
  refusal([1, 0x61, 0], (reader) => reader.tokens([], 1, undefined));
  refusal([2, 0x61, 0x62, 0], (reader) => reader.tokens([], 1, undefined));
  refusal([3, 0, 0, 0, 0], (reader) => reader.tokens([], 1, undefined));
  // Lengths of a second token, where there is one only: by their number, and behind the separator.
  refusal([0b0100, 0x61], (reader) => reader.tokens([], 1, undefined));
  refusal([0b0111, 0, 0, 0, 1], (reader) => reader.tokens([], 9, SEPARATOR));
  refusal([3, 0, 0, 0], (reader) => reader.tokens([], 1, undefined));
  refusal([], (reader) => reader.u8());
});

test('numbers take the bytes that the largest takes', () => {
  expect([1, 2, 256, 257, 65_536, 65_537, 2 ** 32].map(widthOf)).toEqual([1, 1, 1, 2, 2, 3, 4]);
});
