/** Heads and adapters: what examples and queries bring, to the byte and to the bound. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecodeError } from '../../../../core/errors.ts';
import { FEATURE_MAX, FEATURES_MAX, type Shape, WEIGHT_MAX } from './bounds.ts';
import { cardId, decodeCard, encodeCard, type InfluenceCard } from './card.ts';
import { checkClaim, decodeClaim, encodeClaim, type InfluenceClaim } from './claim.ts';
import { logitOf, softmaxResidual } from './fixed-point.ts';
import { decodeExample, encodeExample } from './leaves.ts';

const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);

const shapes = fc.record({
  kind: fc.constantFrom('head' as const, 'adapter' as const),
  features: fc.integer({ min: 2, max: 20 }),
  classes: fc.integer({ min: 2, max: 9 }),
});

/** A shape and an example of it. */
const examples = shapes.chain((shape) =>
  fc.record({
    shape: fc.constantFrom({ ...shape, examples: 1 }),
    contributionId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    label: fc.integer({ min: 0, max: shape.classes - 1 }),
    features: fc.array(fc.integer({ min: 0, max: 255 }), {
      minLength: shape.features - 1,
      maxLength: shape.features - 1,
    }),
    offsets: fc.array(fc.integer({ min: INT32_MIN, max: INT32_MAX }), {
      minLength: shape.kind === 'adapter' ? shape.classes : 0,
      maxLength: shape.kind === 'adapter' ? shape.classes : 0,
    }),
  }),
);

test('an example is one leaf, and no leaf of the other kind of model', () => {
  fc.assert(
    fc.property(examples, ({ shape, features: bytes, ...rest }) => {
      const example = { ...rest, features: Uint8Array.from([...bytes, FEATURE_MAX]) };
      const leaf = encodeExample(example);
      expect(leaf.length).toBe(11 + shape.features + 4 * example.offsets.length);
      expect(decodeExample(leaf, shape)).toEqual(example);
      const other = shape.kind === 'head' ? 'adapter' : 'head';
      expect(decodeExample(leaf, { ...shape, kind: other })).toBeUndefined();
      expect(decodeExample(leaf, { ...shape, classes: example.label })).toBeUndefined();
      expect(decodeExample(leaf.subarray(0, -1), shape)).toBeUndefined();
      const unconstant = leaf.slice();
      unconstant[10 + shape.features] = 254;
      expect(decodeExample(unconstant, shape)).toBeUndefined();
    }),
  );
});

test('an offset counts 2^4 units of a logit, and the largest logit is exact', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: INT32_MIN, max: INT32_MAX }),
      fc.integer({ min: -1000, max: 1000 }),
      (offset, weight) => {
        const features = Uint8Array.of(3, FEATURE_MAX);
        const logit = logitOf([weight, 7], { features, offsets: [0, offset] }, 1);
        expect(BigInt(logit)).toBe(16n * BigInt(offset) + 3n * BigInt(weight) + 7n * 255n);
        expect(logitOf([weight, 7], { features, offsets: [] }, 1)).toBe(3 * weight + 7 * 255);
      },
    ),
  );
  const features = new Uint8Array(FEATURES_MAX).fill(FEATURE_MAX);
  const row = new Float64Array(FEATURES_MAX).fill(WEIGHT_MAX);
  const most = logitOf(row, { features, offsets: [INT32_MAX] }, 0);
  expect(BigInt(most)).toBe(BigInt(WEIGHT_MAX) * 255n * 1024n + 16n * BigInt(INT32_MAX));
  expect(most).toBeLessThan(2 ** 45);
  const least = -most - 32;
  const out: number[] = [];
  softmaxResidual([most, least], 1, out);
  expect(out).toEqual([2 ** 15 - 1, -(2 ** 15)]);
});

test('the same number added to all offsets changes no residual', () => {
  const same = fc.array(fc.integer({ min: -(2 ** 27), max: 2 ** 27 }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(same, fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), (offsets, shift) => {
      const residual = (by: number): number[] => {
        const out: number[] = [];
        const input = { features: Uint8Array.of(9, FEATURE_MAX), offsets: offsets.map((b) => b + by) };
        softmaxResidual(
          offsets.map((_, k) => logitOf([5_000_000 * k, 77], input, k)),
          0,
          out,
        );
        return out;
      };
      expect(residual(shift)).toEqual(residual(0));
    }),
  );
});

const root = new Uint8Array(32).fill(1);

function cardOf(shape: Shape): InfluenceCard {
  return {
    ...shape,
    datanetId: 1n,
    snapshotCount: 9n,
    extractor: new Uint8Array(32).fill(2),
    base: new Uint8Array(shape.kind === 'adapter' ? 32 : 0).fill(3),
    groups: 1,
    lambda: 2 ** 18,
    gradientBound: 5,
    solutionBound: 2 ** 20,
    topExamples: 1,
    topGroups: 1,
    roots: { weights: root, examples: root, residuals: root, sums: root, groups: root },
  };
}

function claimOn(card: InfluenceCard, offsets: readonly number[]): InfluenceClaim {
  return {
    card: cardId(card),
    query: { features: Uint8Array.of(1, FEATURE_MAX), offsets, label: 0, logits: [4, -5] },
    solutionBits: 20,
    bound: 0,
    roots: { solution: root, effects: root, sums: root },
    total: 0,
    examples: [],
    groups: [],
  };
}

const SHAPE = { features: 2, classes: 2, examples: 1 };
const head = cardOf({ kind: 'head', ...SHAPE });
const adapter = cardOf({ kind: 'adapter', ...SHAPE });

test('a card of an adapter is that of a head with its form and the hash of its base', () => {
  const [ofHead, ofAdapter] = [encodeCard(head), encodeCard(adapter)];
  expect([ofHead.length, ofAdapter.length, ofHead[0], ofAdapter[0]]).toEqual([235, 267, 1, 2]);
  expect(ofAdapter.subarray(49, 81)).toEqual(adapter.base);
  expect([decodeCard(ofHead), decodeCard(ofAdapter)]).toEqual([head, adapter]);
  const otherBase = { ...adapter, base: new Uint8Array(32).fill(4) };
  expect(cardId(otherBase)).not.toEqual(cardId(adapter));
});

test('the answer of a claim is a class of its card', () => {
  const answered = (label: number): InfluenceClaim => {
    const claim = claimOn(head, []);
    return { ...claim, query: { ...claim.query, label } };
  };
  expect(() => checkClaim(head, answered(SHAPE.classes - 1))).not.toThrow();
  expect(() => checkClaim(head, answered(SHAPE.classes))).toThrow('no class 2');
});

test('a claim brings the offsets that its card wants', () => {
  const bytes = encodeClaim(claimOn(adapter, [-7, INT32_MAX]));
  expect(bytes.length).toBe(encodeClaim(claimOn(head, [])).length + 8);
  expect(decodeClaim(bytes)).toEqual(claimOn(adapter, [-7, INT32_MAX]));
  expect(() => checkClaim(adapter, claimOn(adapter, [-7, INT32_MAX]))).not.toThrow();
  expect(() => checkClaim(head, claimOn(head, []))).not.toThrow();
  expect(() => checkClaim(adapter, claimOn(adapter, []))).toThrow('0 offsets; the model takes 2');
  expect(() => checkClaim(adapter, claimOn(adapter, [1]))).toThrow('1 offsets; the model takes 2');
  expect(() => checkClaim(adapter, claimOn(adapter, [1, 2, 3]))).toThrow('3 offsets; the model takes 2');
  expect(() => checkClaim(head, claimOn(head, [1, 2]))).toThrow('2 offsets; the model takes 0');
  // Form 2 with no classes would be read as form 1 is.
  const none = claimOn(head, []);
  const empty = encodeClaim({ ...none, query: { ...none.query, logits: [] } });
  empty[0] = 2;
  expect(() => decodeClaim(empty)).toThrow(DecodeError);
});
