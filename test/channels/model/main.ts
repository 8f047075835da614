/**
 * Explores payment channels exhaustively: `npm run channels:model -- --depth 7`. Exit code 1 on a violation,
 * with the shortest way to it.
 */
import { ProgramOptions } from '../../support/program-options.ts';
import { explore } from './explore.ts';
import { SCENARIOS } from './scenarios.ts';

const options = new ProgramOptions({
  command: 'npm run channels:model',
  purpose: 'payment channels: every way that few steps can go, with the real library and modules.',
});
const depth = options.number('depth', { fallback: 6, least: 1, help: 'steps from the opened channel' });
options.end();

let [allStates, allSteps, violations] = [0, 0, 0];
for (const scenario of SCENARIOS) {
  const { states, transitions, isComplete, violation } = await explore(scenario, depth);
  const extent = isComplete ? 'all of it' : `depth ${depth}`;
  process.stdout.write(
    `${scenario.name.padEnd(28)}${extent}, ${states} states, ${transitions} steps, ${violation === undefined ? 0 : 1} violations\n`,
  );
  allStates += states;
  allSteps += transitions;
  if (violation === undefined) continue;
  violations++;
  process.stdout.write(`${violation}\n`);
  process.exitCode = 1;
}
process.stdout.write(
  `${allStates} states and ${allSteps} steps of ${SCENARIOS.length} scenarios: ${violations} violations ` +
    `(unpaid service, double charge, paid and denied, more than signed or deposited, a claim in time lost)\n`,
);
