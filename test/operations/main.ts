/**
 * Runs seeds: `npm run sim:app -- --seeds 100 --from 1 --blocks 200`. One seed prints its last blocks with
 * `--verbose`. Exit code 1 when a seed fails.
 */
import { parseArgs } from 'node:util';
import { Coverage } from './coverage.ts';
import { stopWorkers } from './nodes.ts';
import { type RunResult, reportOf, runSeed } from './run.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1' },
      blocks: { type: 'string', default: '200' },
      from: { type: 'string', default: '1' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const [seeds, blocks, from] = [values.seeds, values.blocks, values.from].map(Number);
  if (seeds === undefined || blocks === undefined || from === undefined) return;
  const before = process.cpuUsage();
  const coverage = new Coverage();
  const results: RunResult[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runSeed({ seed, blocks });
    coverage.add(result.coverage);
    if (values.verbose || result.violations.length > 0) process.stdout.write(`${reportOf(result)}\n`);
    results.push({ ...result, lines: [] });
  }
  await stopWorkers();
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${summary(results, coverage, (user + system) / 1e6)}\n`);
  if (results.some(({ violations }) => violations.length > 0)) process.exitCode = 1;
}

function summary(results: readonly RunResult[], coverage: Coverage, cpuSeconds: number): string {
  const failed = results.filter(({ violations }) => violations.length > 0).map(({ seed }) => seed);
  const sum = (of: (result: RunResult) => number): number => results.reduce((all, one) => all + of(one), 0);
  return [
    `message${' '.repeat(56)}ok  failed`,
    ...coverage.lines(),
    `${results.length} seeds, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(', ')}` : ''}`,
    `${sum(({ height }) => Number(height))} blocks, ${sum(({ transactions }) => transactions)} transactions, ` +
      `${sum(({ imports }) => imports)} imports, ${cpuSeconds.toFixed(1)} CPU seconds`,
  ].join('\n');
}

await main();
