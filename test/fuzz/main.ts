/**
 * Fuzzes decoders: `npm run fuzz -- --inputs 1000000 --target gossip/votes --seed 7`. Without a target each
 * in turn; a target ending in `*` names all that begin so. Exit code 1 when something fails.
 */
import { parseArgs } from 'node:util';
import { toHex } from '../../core/bytes.ts';
import { minimise } from './minimise.ts';
import { type Report, runTarget } from './run.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets.ts';

const SHOWN_BYTES_MAX = 400;

function wanted(pattern: string): readonly Target[] {
  const found = TARGETS.filter(({ name }) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
  if (found.length === 0)
    throw new RangeError(`no target "${pattern}"; there are ${TARGETS.map(({ name }) => name).join(', ')}`);
  return found;
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

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
  },
});
const inputs = Number(values.inputs);
const seed = Number(values.seed);
for (const target of values.target === undefined ? TARGETS : wanted(values.target)) {
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
