import fc from 'fast-check';
import { expect, test } from 'vitest';
import { amountOf, parseCoin } from '../../framework/coins.ts';
import type { Context } from '../../framework/context.ts';
import { memoryContext } from '../../framework/testing/memory.ts';
import { readAllowance, spend, validateAllowance, writeAllowance } from './allowance.ts';
import type { Allowance } from './types.ts';

const uopen = (amount: number): readonly { denom: string; amount: string }[] =>
  amount === 0 ? [] : [{ denom: 'uopen', amount: String(amount) }];

function contextAt(seconds: number): Pick<Context, 'block' | 'gas' | 'mode' | 'reader'> {
  const context = memoryContext([]);
  const time = { seconds: BigInt(seconds), nanos: 0 };
  return {
    mode: 'finalize',
    gas: context.gas,
    reader: (name) => context.reader(name),
    block: { ...context.block, time },
  };
}

test('what is spent never exceeds the limit, nor what a period allows, however time passes', () => {
  fc.assert(
    fc.property(
      fc.record({
        total: fc.nat(100),
        each: fc.integer({ min: 1, max: 30 }),
        period: fc.integer({ min: 1, max: 20 }),
      }),
      fc.array(fc.record({ wait: fc.nat(30), fee: fc.nat(30) }), { maxLength: 40 }),
      ({ total, each, period }, steps) => {
        let allowance: Allowance | undefined = {
          kind: 'periodic',
          value: {
            basic: { spendLimit: uopen(total), expiration: undefined },
            period: { seconds: BigInt(period), nanos: 0 },
            periodSpendLimit: uopen(each),
            periodCanSpend: [],
            periodReset: { seconds: 0n, nanos: 0 },
          },
        };
        validateAllowance(allowance);
        let [now, spent] = [0, 0];
        const bySecond = new Map<number, number>();
        for (const { wait, fee } of steps) {
          now += wait;
          if (allowance === undefined) break;
          let left: Allowance | undefined;
          try {
            left = spend(contextAt(now), allowance, {
              fee: [{ denom: 'uopen', amount: BigInt(fee) }],
              messages: [],
            });
          } catch {
            continue;
          }
          spent += fee;
          bySecond.set(now, (bySecond.get(now) ?? 0) + fee);
          // It survives being stored.
          allowance = left === undefined ? undefined : readAllowance(writeAllowance(left));
          if (left?.kind === 'periodic' && total > 0) {
            const rest = amountOf(left.value.basic.spendLimit.map(parseCoin), 'uopen');
            expect(Number(rest)).toBe(total - spent);
          }
        }
        if (total > 0) expect(spent).toBeLessThanOrEqual(total);
        // Within any one period at most two of them can overlap.
        for (const start of bySecond.keys()) {
          let within = 0;
          for (const [second, fee] of bySecond) if (second >= start && second < start + period) within += fee;
          expect(within).toBeLessThanOrEqual(2 * each);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a period that lasts to the end of time stays within it', () => {
  const far: Allowance = {
    kind: 'periodic',
    value: {
      basic: { spendLimit: [], expiration: undefined },
      period: { seconds: 9_000_000_000n, nanos: 999_999_999 },
      periodSpendLimit: uopen(1),
      periodCanSpend: [],
      periodReset: { seconds: 253_402_300_000n, nanos: 999_999_999 },
    },
  };
  const left = spend(contextAt(253_402_300_001), far, { fee: [], messages: [] });
  expect(left).toMatchObject({ value: { periodReset: { seconds: 253_402_300_799n, nanos: 0 } } });
});
