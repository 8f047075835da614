/** Skipping verification accepts only what sequential verification accepts. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LedgerError } from '../core/errors.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import { LIGHT_TRUST_LEVEL } from '../consensus/types/verify-commit.ts';
import { checkPriorities, checkSuccessor } from './priorities.ts';
import { verifySkipping } from './skipping.ts';
import { type Powers, SECOND, TestProvider, testChain, timeAt, verify } from './testing/chain.ts';
import { type VerifyOptions, verifyAdjacent, verifyBackwards } from './verify.ts';

const LENGTH = 10;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

const options: VerifyOptions = {
  trustingPeriodNanos: 3600n * SECOND,
  now: timeAt(100n),
  maxClockDriftNanos: SECOND,
  trustLevel: LIGHT_TRUST_LEVEL,
  verify,
};

/** Validator sets that change at random, and nodes that do not sign at random. */
const plans = fc.record({
  sets: fc.array(
    fc.dictionary(fc.constantFrom(...NAMES), fc.bigInt(1n, 100n), { minKeys: 1, noNullPrototype: true }),
    { minLength: LENGTH + 1, maxLength: LENGTH + 1 },
  ),
  absent: fc.array(fc.subarray(NAMES, { maxLength: 3 }), { minLength: LENGTH, maxLength: LENGTH }),
  sticky: fc.boolean(),
});

type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never;

function chainOf({ sets, absent, sticky }: Plan): readonly LightBlock[] {
  const powers = (height: bigint): Powers => {
    const at = Math.min(Number(height) - 1, LENGTH);
    return sets[sticky ? at - (at % 4) : at] ?? {};
  };
  return testChain({ length: LENGTH, validators: powers, absent: (h) => absent[Number(h) - 1] ?? [] });
}

const accepts = (check: () => void): boolean => {
  try {
    check();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(LedgerError);
    return false;
  }
};

it('skipping accepts only what sequential accepts of a chain whose blocks its validators all signed', async () => {
  let skipped = 0;
  await fc.assert(
    fc.asyncProperty(plans, fc.nat(LENGTH - 2), async (plan, at) => {
      const chain = chainOf(plan);
      const [trusted] = chain;
      const target = chain[at + 1];
      if (trusted === undefined || target === undefined) throw new Error('length');
      // The target is held to its own validators either way; what lies between, only by sequential.
      const valid = accepts(() => verifyTarget(chain, at + 1));
      const source = new TestProvider('source', chain);
      const trace = await verifySkipping({ source, trusted, target }, options).catch((error: unknown) => {
        expect(error).toBeInstanceOf(LedgerError);
        return undefined;
      });
      if (trace === undefined) return;
      expect(valid).toBe(true);
      expect(trace.at(-1)).toBe(target);
      if (trace.length < at + 2) skipped++;
    }),
    { numRuns: 150 },
  );
  expect(skipped).toBeGreaterThan(10);
});

/** The last step of sequential verification. */
function verifyTarget(chain: readonly LightBlock[], at: number): void {
  const [before, target] = [chain[at - 1], chain[at]];
  if (before === undefined || target === undefined) throw new Error('length');
  verifyAdjacent(before, target, options);
}

it('what sequential accepts, skipping accepts, too, as long as nothing is missing', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const chain = chainOf({ ...plan, absent: [] });
      const [trusted, target] = [chain[0], chain.at(-1)];
      if (trusted === undefined || target === undefined) throw new Error('length');
      const source = new TestProvider('source', chain);
      const trace = await verifySkipping({ source, trusted, target }, options);
      expect(trace.at(-1)).toBe(target);
      for (let at = 1; at < chain.length; at++) verifyTarget(chain, at);
      expect(source.asked.length).toBeLessThan(LENGTH * LENGTH);
    }),
    { numRuns: 80 },
  );
});

it('a block with one signature less than 2/3 is never accepted, by whichever way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(LENGTH - 2), async (at) => {
      const height = BigInt(at + 2);
      const chain = testChain({ length: LENGTH, absent: (h) => (h === height ? ['a', 'b'] : []) });
      const [trusted, target] = [chain[0], chain[at + 1]];
      if (trusted === undefined || target === undefined) throw new Error('length');
      const source = new TestProvider('source', chain);
      await expect(verifySkipping({ source, trusted, target }, options)).rejects.toThrow('not valid');
    }),
    { numRuns: 20 },
  );
});

it('priorities and hash links of every chain are accepted', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const chain = chainOf({ ...plan, absent: [] });
      for (const [i, block] of chain.entries()) {
        checkPriorities(block);
        const next = chain[i + 1];
        if (next === undefined) continue;
        verifyBackwards(block.header, next.header);
        checkSuccessor(block, next);
      }
    }),
    { numRuns: 60 },
  );
});
