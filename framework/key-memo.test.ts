import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, EMPTY_BYTES, toHex } from '../core/bytes.ts';
import { latin1 } from './address.ts';
import { type KeyLocation, KeyMemo } from './key-memo.ts';
import { bytesKey, encodeKey, type KeyCodec, pairKey, stringKey, uint64Key } from './keys.ts';

const PREFIX = Uint8Array.of(2);

function locate<K>(codec: KeyCodec<K>): (key: K) => KeyLocation {
  return (key) => {
    const bytes = encodeKey(codec, key, PREFIX);
    return { bytes, text: latin1(bytes) };
  };
}

/** Every key, asked for in any order and again, is found where the codec puts it. */
function holds<K>(codec: KeyCodec<K>, keys: fc.Arbitrary<K>): void {
  fc.assert(
    fc.property(fc.array(keys, { minLength: 1, maxLength: 30 }), (some) => {
      const memo = new KeyMemo(codec, PREFIX.length);
      const make = locate(codec);
      for (const key of [...some, ...some.toReversed(), ...some]) {
        const found = memo.find(key, make);
        const expected = make(key);
        expect(toHex(found.bytes)).toBe(toHex(expected.bytes));
        expect(found.text).toBe(expected.text);
      }
    }),
    { numRuns: 300 },
  );
}

/** Few different bytes, so that keys share beginnings, ends and places. */
const bytes = fc.uint8Array({ min: 0, max: 3, maxLength: 6 });
const text = fc.string({ unit: fc.constantFrom('a', 'b', '\u0000', 'é', '\u0091', '鑑'), maxLength: 4 });
const plain = text.filter((value) => !value.includes('\0'));

test('keys of bytes, of text and of pairs are found as their codecs write them', () => {
  holds(bytesKey, bytes);
  holds(stringKey, text);
  holds(pairKey(bytesKey, stringKey), fc.tuple(bytes, text));
  holds(pairKey(stringKey, bytesKey), fc.tuple(plain, bytes));
  holds(pairKey(pairKey(bytesKey, stringKey), bytesKey), fc.tuple(fc.tuple(bytes, plain), bytes));
});

test('keys longer than one byte of length can say are found, too', () => {
  const long = fc.constantFrom(127, 128, 300).map((length) => new Uint8Array(length).fill(length));
  holds(pairKey(bytesKey, stringKey), fc.tuple(long, plain));
});

test('a key is made once', () => {
  const memo = new KeyMemo(pairKey(bytesKey, stringKey), PREFIX.length);
  const make = locate(pairKey(bytesKey, stringKey));
  const first = memo.find([Uint8Array.of(1, 2), 'uopen'], make);
  expect(memo.find([Uint8Array.of(1, 2), 'uopen'], make)).toBe(first);
  expect(memo.find([Uint8Array.of(1, 2), 'other'], make)).not.toBe(first);
});

test('the array of the caller is not kept: writing to it changes nothing', () => {
  const memo = new KeyMemo(bytesKey, PREFIX.length);
  const key = Uint8Array.of(1, 2);
  memo.find(key, locate(bytesKey));
  key[0] = 9;
  expect(memo.find(key, locate(bytesKey)).bytes).toEqual(concatBytes(PREFIX, Uint8Array.of(9, 2)));
  expect(memo.find(Uint8Array.of(1, 2), locate(bytesKey)).bytes).toEqual(Uint8Array.of(2, 1, 2));
});

test('a text with a zero before another part is refused, known or not', () => {
  const codec = pairKey(stringKey, stringKey);
  const memo = new KeyMemo(codec, PREFIX.length);
  memo.find(['a', '\0x'], locate(codec));
  expect(() => memo.find(['a\0', 'x'], locate(codec))).toThrow('zero');
});

test('codecs that cannot be compared quickly are asked each time', () => {
  const codec = pairKey(bytesKey, uint64Key);
  const memo = new KeyMemo(codec, PREFIX.length);
  const make = locate(codec);
  expect(memo.find([EMPTY_BYTES, 1n], make)).not.toBe(memo.find([EMPTY_BYTES, 1n], make));
});
