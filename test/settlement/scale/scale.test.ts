import { expect, test } from 'vitest';
import { reconcile } from './money.ts';
import { problemsOfSize } from './limits.ts';
import { runScale } from './run.ts';

test('ten thousand inferences over 20 channels settle in ten transactions, to the unit', async () => {
  const said: string[] = [];
  const result = await runScale(
    {
      inferences: 10_000,
      channels: 20,
      rounds: 4,
      contributions: 400,
      receiptsEvery: 3,
      threads: 2,
      windowBlocks: 30,
      seed: 3,
    },
    { say: (text) => said.push(text), now: () => 0 },
  );
  expect(result.problems).toEqual([]);
  expect(problemsOfSize(result.transactions)).toEqual([]);
  expect(result.transactions).toHaveLength(10);
  const { money, traffic, transactions, transfer } = result;
  // Every inference has a voucher that was verified.
  expect(traffic.paid).toMatchObject({ vouchers: 10_000, amount: -money.channels });
  expect(Math.abs(traffic.paid.receipts - 10_000 / 3)).toBeLessThanOrEqual(2);
  expect(money.contributors).toBeGreaterThan(0n);
  expect(money.settlement).toBeGreaterThan(0n);
  expect(money.all).toBe(0n);
  const bytes = transactions.reduce((sum, tx) => sum + tx.bytes, 0);
  expect(bytes / 10_000).toBeLessThan(transfer.bytes / 10);
  // A unit more or less of any party is found out.
  const { totals } = traffic;
  expect(reconcile(result.balances, totals, result.world)).toEqual([]);
  for (const party of ['platform', 'model', 'stakers', 'contributors'] as const) {
    const wrong = { ...totals, [party]: totals[party] + 1n };
    expect(reconcile(result.balances, wrong, result.world)).not.toEqual([]);
  }
  expect(said.filter((text) => text.includes('vouchers and receipts of all verified'))).toHaveLength(4);
  expect(said.filter((text) => text.includes('epoch of 2500 receipts'))).toHaveLength(4);
}, 120_000);
