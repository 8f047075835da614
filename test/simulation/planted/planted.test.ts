import { expect, test } from 'vitest';
import { runSeed } from '../run.ts';
import { PLANTED, planted } from './planted.ts';

const SEEDS_MAX = 1_000;
/** No judge of speed: a change of the node changes every trace, and then the search takes longer. */
const LIMIT_MS = 1_800_000;

for (const [name, bug] of Object.entries(PLANTED)) {
  test(
    `it is found out that ${name}`,
    async () => {
      const { profile, noticedBy, from } = bug;
      for (let seed = from; seed < from + SEEDS_MAX; seed++) {
        const { violations } = await runSeed({ profile, seed, plant: (scenario) => planted(bug, scenario) });
        const [first] = violations;
        if (first === undefined) continue;
        expect(noticedBy, first.sentence).toContain(first.invariant);
        process.stdout.write(`${name}: seed ${seed}, ${first.invariant}: ${first.sentence.slice(0, 120)}\n`);
        return;
      }
      expect.fail(`${SEEDS_MAX} seeds did not find out that ${name}`);
    },
    LIMIT_MS,
  );
}
