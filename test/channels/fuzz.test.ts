import { expect, it } from 'vitest';
import { type FuzzOptions, fuzzChannels } from './fuzz.ts';
import type { Faults } from './parties.ts';

/** Violations of some seeds, one after another, to the first that has one. */
async function firstViolation(faults: Faults, seeds: number): Promise<string | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    const options: FuzzOptions = { seed, steps: 3_000, faults };
    const [violation] = (await fuzzChannels(options)).violations;
    if (violation !== undefined) return violation;
  }
  return undefined;
}

it('whatever crashes, drops and cheats: no unpaid service, no double charge, nothing paid and denied', async () => {
  const { violations, counts } = await fuzzChannels({ seed: 1, steps: 4_000 });
  expect(violations).toEqual([]);
  // It has happened: crashes of both, charges, links, claims, replays, withdrawals.
  for (const what of [
    'payee crashes',
    'payer crashes',
    'charged',
    'links',
    'claims',
    'attack: replay of a row',
    'attack: claim above the voucher',
    'attack: row of another channel',
    'attack: row of another lane',
    'attack: row of another request',
    'attack: row of another chain',
    'attack: row by another key',
    'attack: voucher of another channel',
    'attack: voucher of another chain',
    'attack: voucher by another key',
    'attack: voucher for another request',
    'attack: voucher behind the library',
  ])
    expect(counts.get(what) ?? 0, what).toBeGreaterThan(10);
  expect(counts.get('channels ended') ?? 0).toBeGreaterThan(3);
}, 120_000);

it.each<readonly [string, Faults]>([
  ['the payee does not wait for its disk', { payeeWaits: false }],
  ['the payee’s disk lies about being synced', { payeeDisk: { liesAboutSync: true } }],
  ['the payer does not wait for its disk', { payerWaits: false }],
  ['the payee takes any signature', { verify: () => true }],
])(
  'a planted bug is found: %s',
  async (_, faults) => {
    expect(await firstViolation(faults, 12)).toBeDefined();
  },
  240_000,
);
