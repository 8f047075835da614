import { expect, test } from 'vitest';
import { runSeed } from '../run.ts';
import { PLANTED, planted } from './planted.ts';

/** The last one that is tried, wherever the search begins. */
const SEED_MAX = 1_000;
/** No judge of speed: a change of the node changes every trace, and then the search takes longer. */
const LIMIT_MS = 1_800_000;

for (const [name, bug] of Object.entries(PLANTED)) {
  test(
    `it is found out that ${name}`,
    async () => {
      const { profile, noticedBy, from } = bug;
      for (let seed = from; seed <= SEED_MAX; seed++) {
        const { violations } = await runSeed({ profile, seed, plant: (scenario) => planted(bug, scenario) });
        const [first] = violations;
        if (first === undefined) continue;
        expect(noticedBy, first.sentence).toContain(first.invariant);
        process.stdout.write(`${name}: seed ${seed}, ${first.invariant}: ${first.sentence.slice(0, 120)}\n`);
        return;
      }
      expect.fail(`seeds ${from} to ${SEED_MAX} did not find out that ${name}`);
    },
    LIMIT_MS,
  );
}
