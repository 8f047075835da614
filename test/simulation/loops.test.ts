import { expect, test } from 'vitest';
import type { Companion } from './companion.ts';
import type { Profile } from './profiles.ts';
import { runSeed } from './run.ts';
import type { Simulation } from './simulation.ts';

const EVENTS_MAX = 5_000;

/** From half a second on it does something again and again, and no time passes. */
function looping({ scheduler }: Simulation): Companion {
  const again = (): void => void scheduler.after(0, again);
  return {
    start: () => void scheduler.after(500, again),
    isContent: () => true,
    complaint: () => 'nothing',
  };
}

test.each<Profile>(['safety', 'liveness'])(
  'a loop that time does not pass in is a violation: %s',
  async (profile) => {
    const { violations, virtualMs } = await runSeed({
      profile,
      seed: 1,
      plant: (scenario) => ({ ...scenario, eventsMax: EVENTS_MAX, companions: [looping] }),
    });
    expect(violations.map(({ invariant }) => invariant)).toEqual(['time passes']);
    expect(virtualMs).toBeLessThan(2_000);
  },
);
