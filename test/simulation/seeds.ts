/** Seeds in `npm test`: what fails says how to run it alone. */
import { expect } from 'vitest';
import type { Profile } from './profiles.ts';
import { type RunResult, runSeed } from './run.ts';

/**
 * Runs that many seeds of a profile; expects that nothing is violated, and that the first one gives the same
 * trace again, in the same process, with the others in between.
 */
export async function expectSeeds(
  profile: Profile,
  from: number,
  count: number,
): Promise<readonly RunResult[]> {
  const results: RunResult[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const result = await runSeed({ profile, seed });
    results.push(result);
    const { violations, lines } = result;
    const said = violations.map(({ invariant, sentence }) => `${invariant}: ${sentence}`);
    const replay = `npm run sim -- --profile ${profile} --from ${seed} --verbose`;
    expect(said, `${replay}\n${said.length > 0 ? lines.join('\n') : ''}`).toEqual([]);
  }
  const again = await runSeed({ profile, seed: from });
  const [first] = results;
  expect(again.digest, `${profile} ${from}, for the second time`).toBe(first?.digest);
  expect(again.events).toBe(first?.events);
  return results;
}
