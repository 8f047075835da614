import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import {
  BIT_ARRAY_BITS_MAX,
  bitArray,
  bitArrayFromWords,
  bitArrayToWords,
  countBits,
  hasBit,
  missingBits,
  setBits,
} from './bit-array.ts';
import {
  decodePart,
  encodePart,
  type Part,
  PartSet,
  partFromMessage,
  partSetOf,
  partsOf,
  partToMessage,
} from './part-set.ts';

describe('bit arrays', () => {
  const some = fc.integer({ min: 0, max: 200 }).chain((length) =>
    fc.record({
      length: fc.constant(length),
      indexes: length === 0 ? fc.constant([]) : fc.uniqueArray(fc.nat(length - 1)),
    }),
  );

  it('hold what was put in, and survive their words', () => {
    fc.assert(
      fc.property(some, ({ length, indexes }) => {
        const bits = bitArray(length, indexes);
        expect([...setBits(bits)]).toEqual([...indexes].sort((a, b) => a - b));
        expect(countBits(bits)).toBe(indexes.length);
        expect(bitArrayFromWords(BigInt(length), bitArrayToWords(bits))).toEqual(bits);
      }),
    );
  });

  it('tell what another lacks, whatever its length', () => {
    expect([...setBits(missingBits(bitArray(10, [1, 9]), bitArray(4, [1])))]).toEqual([9]);
    expect([...setBits(missingBits(bitArray(10, [1, 9]), bitArray(99, [9, 50])))]).toEqual([1]);
    expect([hasBit(bitArray(3, [2]), 3), hasBit(bitArray(3, [2]), -1)]).toEqual([false, false]);
  });

  it('are refused when bits and words disagree', () => {
    const bad: [bigint, bigint[]][] = [
      [-1n, []],
      [BigInt(BIT_ARRAY_BITS_MAX) + 1n, []],
      [1n << 62n, []],
      [65n, [0n]],
      [64n, [0n, 0n]],
      [0n, [0n]],
      [3n, [8n]],
    ];
    for (const [length, words] of bad) expect(() => bitArrayFromWords(length, words)).toThrow(DecodeError);
  });
});

describe('part sets', () => {
  const bytes = Uint8Array.from({ length: 65_536 * 3 + 17 }, (_, i) => i % 253);
  const { header, parts } = partsOf(bytes);
  const [first, second, third, last] = parts as [Part, Part, Part, Part];

  it('come together from parts in any order, each taken once', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(
          parts.map((_, i) => i),
          { minLength: 4 },
        ),
        (order) => {
          const set = new PartSet(header, bytes.length);
          for (const index of order) {
            const part = parts[index] ?? first;
            expect([set.isComplete(), set.add(part), set.add(part)]).toEqual([false, 'added', 'duplicate']);
          }
          expect(set.isComplete()).toBe(true);
          expect(set.assemble()).toEqual(bytes);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('say what they hold', () => {
    const set = new PartSet(header, bytes.length);
    set.add(third);
    expect([[...setBits(set.bits())], set.count(), set.part(2), set.part(0)]).toEqual([
      [2],
      1,
      third,
      undefined,
    ]);
    expect(() => set.assemble()).toThrow();
    expect(partSetOf(bytes).isComplete()).toBe(true);
  });

  it('refuse what is not of them', () => {
    const set = new PartSet(header, bytes.length);
    const flipped = first.bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte));
    const bad: Part[] = [
      { ...first, index: 1 },
      { ...first, index: 4 },
      { ...first, index: -1 },
      { ...first, index: 0.5 },
      { ...first, index: Number.NaN },
      { ...first, proof: { ...first.proof, index: 1 } },
      { ...first, proof: { ...first.proof, total: 5 } },
      { ...first, proof: { ...first.proof, aunts: [] } },
      { ...first, proof: second.proof },
      { ...first, bytes: flipped },
      { ...first, bytes: first.bytes.subarray(1) },
      { ...last, bytes: new Uint8Array(0) },
      { ...last, bytes: concatBytes(last.bytes, new Uint8Array(65_536)) },
    ];
    for (const part of bad) expect(set.add(part)).toBe('invalid');
    expect(set.count()).toBe(0);
  });

  it('refuse impossible headers before allocating', () => {
    const sizes = [0, -1, 5, 0xffff_ffff, 1.5];
    for (const total of sizes)
      expect(() => new PartSet({ ...header, total }, bytes.length)).toThrow(DecodeError);
    expect(() => new PartSet({ ...header, hash: new Uint8Array(0) }, bytes.length)).toThrow(DecodeError);
  });

  it('take right parts in any order, and make no block of more bytes than allowed', () => {
    for (const order of [parts, [...parts].reverse()]) {
      const tight = new PartSet(header, bytes.length - 1);
      expect(order.map((part) => tight.add(part))).toEqual(['added', 'added', 'added', 'added']);
      expect(tight.isComplete()).toBe(true);
      expect(() => tight.assemble()).toThrow(DecodeError);
    }
    const exact = new PartSet(header, bytes.length);
    for (const part of parts) exact.add(part);
    expect(exact.assemble()).toEqual(bytes);
  });

  it('are refused as messages when numbers disagree or hashes are cut', () => {
    const message = partToMessage(second);
    expect(partFromMessage(message)).toEqual(second);
    expect(encodePart(decodePart(encodePart(second)))).toEqual(encodePart(second));
    const { proof } = message;
    const bad = [
      { ...message, index: 2 },
      { ...message, proof: { ...proof, index: 2n } },
      { ...message, proof: { ...proof, total: 0n } },
      { ...message, proof: { ...proof, total: 1n } },
      { ...message, proof: { ...proof, total: 1n << 40n } },
      { ...message, proof: { ...proof, total: -1n } },
      { ...message, proof: { ...proof, leafHash: new Uint8Array(31) } },
      { ...message, proof: { ...proof, aunts: [new Uint8Array(33)] } },
      { ...message, proof: { ...proof, aunts: new Array<Uint8Array>(101).fill(new Uint8Array(32)) } },
      { ...message, bytes: new Uint8Array(65_537) },
    ];
    for (const part of bad) expect(() => partFromMessage(part)).toThrow(DecodeError);
  });
});
