import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Party, type SplitPolicy } from '../../proto/gen/openledger/models/v1/models.ts';
import { inferenceFee, splitFee, sumOfParts } from './fee.ts';

const amount = fc.bigInt({ min: 0n, max: 1n << 120n });

/** Four parts of 10,000 and one of four residual parties. */
const policy = fc
  .record({
    cuts: fc.tuple(fc.nat(10_000), fc.nat(10_000), fc.nat(10_000)),
    residual: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ cuts, residual }): SplitPolicy => {
    const [a = 0, b = 0, c = 0] = [...cuts].sort((x, y) => x - y);
    return { platformBps: a, modelBps: b - a, stakersBps: c - b, contributorsBps: 10_000 - c, residual };
  });

test('the parts of a fee add up to it, and none but the residual party gains by rounding', () => {
  fc.assert(
    fc.property(amount, policy, (fee, split) => {
      const parts = splitFee(fee, split);
      expect(sumOfParts(parts)).toBe(fee);
      const rows = [
        [Party.PARTY_PLATFORM, parts.platform, split.platformBps],
        [Party.PARTY_MODEL, parts.model, split.modelBps],
        [Party.PARTY_STAKERS, parts.stakers, split.stakersBps],
        [Party.PARTY_CONTRIBUTORS, parts.contributors, split.contributorsBps],
      ] as const;
      for (const [party, got, bps] of rows) {
        const floor = (fee * BigInt(bps)) / 10_000n;
        if (party === split.residual) expect(got - floor).toBeLessThan(4n);
        else expect(got).toBe(floor);
      }
    }),
  );
});

test('the fee is rounded up once', () => {
  const rates = { inPer1000: 3n, outPer1000: 5n, perCall: 7n };
  expect(inferenceFee(rates, { tokensIn: 0n, tokensOut: 0n })).toBe(7n);
  expect(inferenceFee(rates, { tokensIn: 1n, tokensOut: 0n })).toBe(8n);
  expect(inferenceFee(rates, { tokensIn: 500n, tokensOut: 100n })).toBe(9n);
  expect(inferenceFee(rates, { tokensIn: 501n, tokensOut: 100n })).toBe(10n);
  expect(inferenceFee(rates, { tokensIn: 1000n, tokensOut: 1000n })).toBe(15n);
});
