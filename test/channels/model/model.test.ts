import { expect, it } from 'vitest';
import { explore } from './explore.ts';
import { SCENARIOS } from './scenarios.ts';
import type { ModelFaults, Scenario } from './world.ts';

function scenario(name: string): Scenario {
  const found = SCENARIOS.find((one) => one.name === name);
  if (found === undefined) throw new RangeError(name);
  return found;
}

it.each<readonly [string, number, number]>([
  ['one lane', 5, 300],
  ['a stream', 5, 400],
  ['two lanes, deposit for one', 5, 300],
  ['endings', 3, 250],
  ['endings after a charge', 4, 800],
  ['endings after an agreement', 4, 100],
  ['endings when due', 4, 20],
  ['endings in a stream', 3, 400],
])(
  'whatever crashes and arrives late, nothing is served unpaid, charged twice or paid and denied: %s',
  async (name, depth, statesMin) => {
    const { states, violation } = await explore(scenario(name), depth);
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(statesMin);
  },
  120_000,
);

it.each<readonly [string, ModelFaults, string, string]>([
  ['the payee does not wait for its disk', { waitless: 'payee' }, 'one lane', 'unpaid service'],
  ['the payer does not wait for its disk', { waitless: 'payer' }, 'one lane', 'signed for'],
  ['the payee’s disk lies about being synced', { lyingDisk: 'payee' }, 'one lane', 'unpaid service'],
  ['the payer’s disk lies about being synced', { lyingDisk: 'payer' }, 'one lane', 'signed for'],
  ['an answer leaves before its charge is durable', { answersFirst: true }, 'one lane', 'unpaid service'],
  [
    'the payee lets deadlines pass',
    { neverWatches: true },
    'endings after a charge',
    'a claim in time is lost',
  ],
  ['the payee does not see withdrawals', { blind: true }, 'endings after a charge', 'unpaid service'],
])(
  'a planted bug is found: %s',
  async (_, faults, name, problem) => {
    const { violation } = await explore(scenario(name), 4, faults);
    expect(violation).toContain(problem);
  },
  120_000,
);
