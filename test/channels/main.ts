/**
 * Fuzzes the voucher library and the modules together: `npm run channels:fuzz -- --steps 1000000 --seed 1`. Exit
 * code 1 on a violation, with the seed that shows it.
 */
import { ProgramOptions } from '../support/program-options.ts';
import { fuzzChannels } from './fuzz.ts';

/** Steps of one seed: a violation is looked for in so many, not in millions. */
const STEPS_OF_SEED = 20_000;

const options = new ProgramOptions({
  command: 'npm run channels:fuzz',
  purpose:
    'payment channels: no unpaid service, no double charge, nothing paid and denied, whatever crashes.',
});
const steps = options.number('steps', { fallback: 100_000, help: 'how many steps' });
const first = options.number('seed', { fallback: 1, help: 'the first seed; each has 20,000 steps' });
options.end();

const totals = new Map<string, number>();
const violations: string[] = [];
for (let done = 0, seed = first; done < steps && violations.length === 0; seed++) {
  const count = Math.min(STEPS_OF_SEED, steps - done);
  const result = await fuzzChannels({ seed, steps: count });
  for (const [what, times] of result.counts) totals.set(what, (totals.get(what) ?? 0) + times);
  for (const violation of result.violations) violations.push(`seed ${seed}: ${violation}`);
  done += count;
}
for (const [what, times] of [...totals].sort(([a], [b]) => (a < b ? -1 : 1)))
  process.stdout.write(`${what.padEnd(40)}${String(times).padStart(12)}\n`);
const ended = totals.get('channels ended') ?? 0;
const quiet = totals.get('channels ended after a quiet time') ?? 0;
const found = (what: string): number => violations.filter((violation) => violation.includes(what)).length;
process.stdout.write(
  `${steps} steps, ${ended} channels ended: ${found('unpaid service')} with unpaid service, ` +
    `${found('double charge')} with a double charge; of the ${quiet} after a time without faults ` +
    `${found('charged and not answered')} paid and denied; ${violations.length} violations\n`,
);
for (const violation of violations) process.stdout.write(`${violation}\n`);
if (violations.length > 0) process.exitCode = 1;
