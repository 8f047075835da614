import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compareBytes,
  concatBytes,
  copyBytes,
  equalBytes,
  fromBase64,
  fromHex,
  fromUint64BigEndian,
  fromUtf8,
  newBytes,
  prefixEnd,
  startsWith,
  toBase64,
  toHex,
  uint64BigEndian,
  utf8,
} from './bytes.ts';
import { fromBech32, toBech32 } from './bech32.ts';
import { encodeUvarint, encodeZigzag, readUvarint, uvarintLength, writeUvarint } from './varint.ts';

const anyBytes = fc.uint8Array({ maxLength: 64 });

test('hex, base64 and bech32 read back what they write, and base64 is Node’s', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(equalBytes(fromHex(toHex(bytes)), bytes)).toBe(true);
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(equalBytes(fromBase64(toBase64(bytes)), bytes)).toBe(true);
      expect(equalBytes(fromBech32(toBech32('open', bytes)).bytes, bytes)).toBe(true);
    }),
  );
});

test('new arrays are zeros, and arrays that share a slab do not touch each other', () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 40 });
  fc.assert(
    fc.property(lengths, (sizes) => {
      const made = sizes.map((size) => newBytes(size));
      for (const [i, bytes] of made.entries()) {
        expect(bytes.length).toBe(sizes[i]);
        expect(bytes.every((byte) => byte === 0)).toBe(true);
        bytes.fill(i + 1);
      }
      const copies = made.map((bytes) => copyBytes(bytes, 0, bytes.length));
      for (const [i, bytes] of [...made, ...copies].entries())
        expect(bytes.every((byte) => byte === (i % made.length) + 1)).toBe(true);
    }),
    { numRuns: 30 },
  );
  expect(
    copyBytes(
      Uint8Array.from({ length: 200 }, (_, i) => i),
      50,
      150,
    )[99],
  ).toBe(149);
});

test('UTF-8 is Node’s, for short and for long text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      expect(Buffer.from(text).equals(utf8(text))).toBe(true);
    }),
    { numRuns: 20 },
  );
  expect(Buffer.from(utf8('é'.repeat(3))).toString()).toBe('ééé');
});

test('malformed text is refused', () => {
  for (const text of ['0', '0g', '-1', ' 00']) expect(() => fromHex(text)).toThrow('hex');
  for (const text of ['A', 'AA', 'AAA', '====', 'AB==', 'A===', 'AAA\n', 'AA=A']) {
    expect(() => fromBase64(text)).toThrow('base64');
  }
  for (const text of ['', 'open1', 'open1qqqqqqqq', 'Open1qqqq'])
    expect(() => fromBech32(text)).toThrow('bech32');
  expect(() => fromUtf8(Uint8Array.of(0xc0, 0x80))).toThrow('UTF-8');
});

test('the order of bytes is Buffer.compare’s, and prefixEnd ends the range of a prefix', () => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
      const end = prefixEnd(a);
      const extended = concatBytes(a, b);
      expect(startsWith(extended, a)).toBe(true);
      if (end !== undefined) {
        expect(compareBytes(extended, end)).toBeLessThan(0);
        expect(startsWith(end, a)).toBe(false);
      }
    }),
  );
  expect(prefixEnd(Uint8Array.of(255, 255))).toBeUndefined();
});

test('integers read back, and big-endian keys keep the order of numbers', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (a, b) => {
        expect(fromUint64BigEndian(uint64BigEndian(a))).toBe(a);
        expect(readUvarint(encodeUvarint(a), 0).value).toBe(a);
        const order = compareBytes(uint64BigEndian(a), uint64BigEndian(b));
        expect(Math.sign(order)).toBe(a < b ? -1 : a > b ? 1 : 0);
      },
    ),
  );
  expect(() => readUvarint(Uint8Array.of(0x80), 0)).toThrow('cut short');
  expect(() => readUvarint(new Uint8Array(10).fill(0xff), 0)).toThrow('64 bits');
  expect([0n, -1n, 1n, -2n].map((n) => toHex(encodeZigzag(n)))).toEqual(['00', '01', '02', '03']);
});

test('the number form of the varint writer equals the bigint form', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const out = new Uint8Array(10);
      const end = writeUvarint(out, 0, value);
      expect(end).toBe(uvarintLength(value));
      expect(toHex(out.slice(0, end))).toBe(toHex(encodeUvarint(BigInt(value))));
    }),
  );
});
