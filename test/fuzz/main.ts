/**
 * Fuzzes decoders: `npm run fuzz -- --inputs 1000000 --target gossip/votes --seed 7`. Without a target each
 * in turn; a target ending in `*` names all that begin so. Exit code 1 when something fails.
 */
import { toHex } from '../../core/bytes.ts';
import { ProgramOptions } from '../support/program-options.ts';
import { minimise } from './minimise.ts';
import { type Report, runTarget } from './run.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets.ts';

const SHOWN_BYTES_MAX = 400;

function wanted(pattern: string): readonly Target[] {
  return TARGETS.filter(({ name }) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

function line(report: Report): string {
  const { target, inputs, accepted, outcomes, cpuMs, slowest, heaviest, failures } = report;
  return [
    target.padEnd(24),
    `${inputs} inputs`,
    `${Math.round(inputs / (cpuMs / 1_000))}/s of CPU`,
    `${((100 * accepted) / inputs).toFixed(1)} % accepted`,
    `${outcomes} outcomes`,
    `slowest ${slowest.ms.toFixed(2)} ms (${slowest.bytes} B)`,
    `heaviest x${Math.round(heaviest.allocated / heaviest.bytes)} (${heaviest.bytes} B)`,
    failures.length === 0 ? 'ok' : `${failures.length} FAILED`,
  ].join(' | ');
}

const options = new ProgramOptions({
  command: 'npm run fuzz',
  purpose: 'every decoder of bytes from outside under changed and random inputs.',
});
const inputs = options.number('inputs', { fallback: 20_000, least: 1, help: 'how many for each target' });
const seed = options.number('seed', { fallback: 1, help: 'what inputs are made from' });
const pattern = options.text('target', { fallback: '*', help: 'a name, or how several begin: gossip/*' });
const targets = wanted(pattern);
if (targets.length === 0)
  options.fail(`no target "${pattern}"; there are ${TARGETS.map(({ name }) => name).join(', ')}`);
options.end();
for (const target of targets) {
  const report = await runTarget(target, { inputs, seed });
  process.stdout.write(`${line(report)}\n`);
  for (const failure of report.failures) {
    process.exitCode = 1;
    const smallest = await minimise(target, failure);
    const shown = toHex(smallest.subarray(0, SHOWN_BYTES_MAX));
    process.stdout.write(`  ${failure.kind}: ${failure.detail}\n  ${smallest.length} bytes: ${shown}\n`);
    process.stdout.write(
      `  replay: npm run fuzz -- --target ${target.name} --inputs ${inputs} --seed ${seed}\n`,
    );
  }
}
