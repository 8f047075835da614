import fc from 'fast-check';
import { expect, test } from 'vitest';
import { remembered } from './values.ts';

/** Values are objects, so that one that was remembered can be told from one that was decoded. */
interface Value {
  readonly bytes: readonly number[];
}

function codec(): {
  readonly decoded: () => number;
  readonly of: (places: number) => ReturnType<typeof remembered<Value>>;
} {
  let count = 0;
  const plain = {
    encode: (value: Value) => Uint8Array.from(value.bytes),
    decode: (bytes: Uint8Array): Value => {
      count++;
      return { bytes: [...bytes] };
    },
  };
  return { decoded: () => count, of: (places) => remembered(places, plain) };
}

/** Few different bytes: values that are nearly the same, and share places. */
const bytes = fc.uint8Array({ min: 0, max: 2, maxLength: 20 });

test('what is read is what the bytes say, whatever was written and read before', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.tuple(fc.boolean(), bytes)), (places, steps) => {
      const values = codec().of(places);
      for (const [writes, some] of steps) {
        if (writes) expect(values.encode({ bytes: [...some] })).toEqual(some);
        else expect(values.decode(some)).toEqual({ bytes: [...some] });
      }
    }),
    { numRuns: 500 },
  );
});

test('what was written or read is not decoded again', () => {
  const { decoded, of } = codec();
  const values = of(16);
  const written: Value = { bytes: [1, 2, 3] };
  expect(values.decode(values.encode(written))).toBe(written);
  const read = values.decode(Uint8Array.of(4));
  expect(values.decode(Uint8Array.of(4))).toBe(read);
  expect(decoded()).toBe(1);
});

test('the array that was given may change afterwards', () => {
  const values = codec().of(16);
  const array = Uint8Array.of(7, 7);
  const read = values.decode(array);
  array[0] = 8;
  expect(values.decode(Uint8Array.of(7, 7))).toBe(read);
  expect(values.decode(array)).toEqual({ bytes: [8, 7] });
});
