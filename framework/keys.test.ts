import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, EMPTY_BYTES, startsWith, utf8 } from '../core/bytes.ts';
import { compareInstants } from '../core/time.ts';
import {
  addressKey,
  bytesKey,
  encodeKey,
  invertedBytesKey,
  type KeyCodec,
  lengthPrefixedBytesKey,
  pairKey,
  sizedTimeKey,
  stringKey,
  timeKey,
  tripleKey,
  uint32Key,
  uint64Key,
} from './keys.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((value) => !value.includes('\0'));
const number = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const bytes = fc.uint8Array({ maxLength: 40 });

function roundTrip<K>(codec: KeyCodec<K>, key: K): K {
  const encoded = encodeKey(codec, key, EMPTY_BYTES);
  const { key: read, next } = codec.read(encoded, 0, true);
  expect(next).toBe(encoded.length);
  return read;
}

describe('keys', () => {
  it('of all kinds and of two or three parts survive being written and read', () => {
    fc.assert(
      fc.property(text, number, bytes, fc.nat(), (a, b, c, d) => {
        expect(roundTrip(stringKey, a)).toBe(a);
        expect(roundTrip(lengthPrefixedBytesKey, c)).toEqual(c);
        expect(roundTrip(uint32Key, d)).toBe(d);
        expect(roundTrip(pairKey(bytesKey, stringKey), [c, a])).toEqual([c, a]);
        expect(roundTrip(tripleKey(stringKey, bytesKey, uint64Key), [a, c, b])).toEqual([a, c, b]);
      }),
    );
  });

  it('of numbers and pairs of numbers are ordered as the numbers', () => {
    const codec = pairKey(uint64Key, uint64Key);
    fc.assert(
      fc.property(number, number, number, number, (a, b, c, d) => {
        const order = compareBytes(
          encodeKey(codec, [a, b], EMPTY_BYTES),
          encodeKey(codec, [c, d], EMPTY_BYTES),
        );
        const expected = a === c ? (b < d ? -1 : b > d ? 1 : 0) : a < c ? -1 : 1;
        expect(Math.sign(order)).toBe(expected);
      }),
    );
  });

  it('begin with the prefix of their first parts, and no others do', () => {
    const codec = tripleKey(stringKey, bytesKey, uint64Key);
    fc.assert(
      fc.property(text, text, bytes, number, (a, other, c, b) => {
        const key = encodeKey(codec, [a, c, b], EMPTY_BYTES);
        expect(startsWith(key, codec.prefix(a))).toBe(true);
        expect(startsWith(key, codec.prefix2(a, c))).toBe(true);
        expect(startsWith(key, codec.prefix(other))).toBe(a === other);
      }),
    );
  });

  it('are written as cosmossdk.io/collections v0.4 writes them', () => {
    const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex');
    const prefix = Uint8Array.of(2);
    const address = Uint8Array.of(1, 2, 3);
    expect(hex(encodeKey(pairKey(bytesKey, stringKey), [address, 'uopen'], prefix))).toBe(
      '0203010203756f70656e',
    );
    expect(hex(encodeKey(pairKey(stringKey, lengthPrefixedBytesKey), ['uopen', address], prefix))).toBe(
      '02756f70656e0003010203',
    );
    expect(hex(encodeKey(uint64Key, 258n, prefix))).toBe('020000000000000102');
  });

  it('that are cut short are refused', () => {
    expect(() => uint64Key.read(new Uint8Array(7), 0, true)).toThrow('cut short');
    expect(() => uint32Key.read(new Uint8Array(3), 0, true)).toThrow('cut short');
    expect(() => lengthPrefixedBytesKey.read(Uint8Array.of(5, 1), 0, true)).toThrow('cut short');
    expect(() => stringKey.read(Uint8Array.of(65), 0, false)).toThrow('has no end');
    expect(() => encodeKey(pairKey(stringKey, stringKey), ['a\0b', 'c'], EMPTY_BYTES)).toThrow(
      'zero character',
    );
  });
});

const instant = fc.record({
  seconds: fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
  nanos: fc.nat(999_999_999),
});

describe('keys of time', () => {
  it("are the SDK's text of fixed length", () => {
    const moment = { seconds: 1_136_214_245n, nanos: 70 };
    expect(encodeKey(timeKey, moment, EMPTY_BYTES)).toEqual(utf8('2006-01-02T15:04:05.000000070'));
    expect(encodeKey(sizedTimeKey, moment, EMPTY_BYTES)).toEqual(
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 29, ...utf8('2006-01-02T15:04:05.000000070')),
    );
  });

  it('survive being written and read, and are ordered as time is', () => {
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        expect(roundTrip(timeKey, a)).toEqual(a);
        expect(roundTrip(pairKey(sizedTimeKey, uint64Key), [a, 7n])).toEqual([a, 7n]);
        const [x, y] = [a, b].map((moment) => encodeKey(timeKey, moment, EMPTY_BYTES));
        if (x === undefined || y === undefined) throw new RangeError('no keys');
        expect(Math.sign(compareBytes(x, y))).toBe(Math.sign(compareInstants(a, b)));
      }),
    );
  });

  it('are refused when they are cut short or of another length', () => {
    expect(() => timeKey.read(utf8('2006-01-02T15:04:05'), 0, true)).toThrow('cut short');
    expect(() => sizedTimeKey.read(new Uint8Array(40), 0, true)).toThrow('wrong length');
  });
});

describe('inverted keys', () => {
  it('are ordered the other way round', () => {
    expect(encodeKey(invertedBytesKey, Uint8Array.of(0, 1, 255), EMPTY_BYTES)).toEqual(
      Uint8Array.of(3, 255, 254, 0),
    );
    fc.assert(
      fc.property(bytes, (key) => {
        expect(roundTrip(invertedBytesKey, key)).toEqual(key);
      }),
    );
  });
});

describe('keys of addresses', () => {
  it('carry their length in one byte, also where they come last', () => {
    const pair = pairKey(addressKey, addressKey);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 255 }), fc.uint8Array({ maxLength: 255 }), (a, b) => {
        const encoded = encodeKey(pair, [a, b], EMPTY_BYTES);
        expect(encoded.length).toBe(a.length + b.length + 2);
        expect(roundTrip(pair, [a, b])).toEqual([a, b]);
      }),
    );
    expect(() => encodeKey(addressKey, new Uint8Array(256), EMPTY_BYTES)).toThrow('longer than 255');
  });
});
