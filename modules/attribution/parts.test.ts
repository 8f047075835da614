import { expect, it } from 'vitest';
import { BPS_UNITS, combineParts, POLICY_WEIGHT } from './parts.ts';

const policy = { tokenBps: 2500, influenceBps: 7500, retrievalBps: 0 };
const parts = { token: [], influence: [], retrieval: [] };

it('weight of influence that is not listed stays with nobody, to the unit', () => {
  const influence = [
    { owner: 1n, weight: 3n },
    { owner: 2n, weight: 2n },
  ];
  const units = 7500n * BPS_UNITS;
  const { shares, unattributed } = combineParts(policy, { ...parts, influence }, { influence: 2n });
  // 3, 2 and 2 sevenths of 7.5 · 10^15 leave 2, 6 and 6: the two units that are over go to the latter two.
  expect(shares.map(({ influenceWeight }) => influenceWeight)).toEqual([
    (units * 3n) / 7n,
    (units * 2n) / 7n + 1n,
  ]);
  expect(unattributed).toBe(2500n * BPS_UNITS + (units * 2n) / 7n + 1n);
  const sum = shares.reduce((total, { weight }) => total + weight, unattributed);
  expect(sum).toBe(POLICY_WEIGHT);
});

it('a claim that lists everything leaves nothing of its part, one that lists nothing all of it', () => {
  const influence = [{ owner: 1n, weight: 3n }];
  const all = combineParts(policy, { ...parts, influence }, { influence: 0n });
  expect(all.unattributed).toBe(2500n * BPS_UNITS);
  expect(combineParts(policy, parts, { influence: 9n })).toEqual({
    shares: [],
    unattributed: POLICY_WEIGHT,
  });
});

it('whatever the weights are, the shares and what is nobody’s add up', () => {
  for (let seed = 1n; seed <= 200n; seed++) {
    const weight = (i: bigint): bigint =>
      (seed * 7919n * (i + 1n)) % (1n << (1n + ((seed * (i + 3n)) % 50n)));
    const influence = [0n, 1n, 2n].map((i) => ({ owner: i + 1n, weight: weight(i) }));
    const unlisted = weight(3n);
    const { shares, unattributed } = combineParts(policy, { ...parts, influence }, { influence: unlisted });
    expect(shares.reduce((sum, share) => sum + share.weight, unattributed)).toBe(POLICY_WEIGHT);
    const whole = influence.reduce((sum, one) => sum + one.weight, unlisted);
    if (whole === 0n) continue;
    const exact = (7500n * BPS_UNITS * unlisted) / whole;
    const rest = unattributed - 2500n * BPS_UNITS;
    expect(rest === exact || rest === exact + 1n).toBe(true);
  }
});
