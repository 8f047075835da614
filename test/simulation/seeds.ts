/** Seeds in `npm test`: what fails says how to run it alone. */
import { expect } from 'vitest';
import type { Profile } from './profiles.ts';
import { runSeed } from './run.ts';

/** Runs that many seeds of a profile; expects that nothing is violated. */
export async function expectSeeds(profile: Profile, from: number, count: number): Promise<void> {
  for (let seed = from; seed < from + count; seed++) {
    const { violations, lines } = await runSeed({ profile, seed });
    const said = violations.map(({ invariant, sentence }) => `${invariant}: ${sentence}`);
    const replay = `npm run sim -- --profile ${profile} --from ${seed} --verbose`;
    expect(said, `${replay}\n${said.length > 0 ? lines.join('\n') : ''}`).toEqual([]);
  }
}
