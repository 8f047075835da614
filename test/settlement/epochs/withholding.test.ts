import { expect, test } from 'vitest';
import { randomFrom } from '../../attribution/fidelity/digits.ts';
import { Dice } from './dice.ts';
import { LIES } from './lies.ts';
import { runWithholding } from './withholding.ts';

/** A minute on a machine that is busy with others. */
const TIMEOUT_MS = 240_000;

test('wrong epochs end by fraud or silence, right ones with an answering gateway do not', {
  timeout: TIMEOUT_MS,
}, async () => {
  const dice = new Dice(randomFrom(31));
  const { tallies, failures } = await runWithholding({ epochs: LIES.length, policies: 3, dice });
  expect(failures).toEqual([]);
  for (const { policy, honest, wrong } of tallies) {
    expect(wrong.fraud + wrong.silence, policy).toBeGreaterThan(6);
    expect(honest.final + honest.silence, policy).toBeGreaterThan(10);
  }
  const of = (name: string) => tallies.find(({ policy }) => policy === name);
  expect(of('serves nothing, answers nothing')?.honest.final).toBe(0);
  expect(of('serves everything')?.requests).toBeGreaterThan(0);
  expect(of('serves nothing, answers')?.wrong.fraud).toBeGreaterThan(0);
});
