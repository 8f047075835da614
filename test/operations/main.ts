/**
 * Runs seeds: `npm run sim:app -- --seeds 100 --from 1 --blocks 200`. One seed prints its last blocks with
 * `--verbose`. Exit code 1 when a seed fails.
 */
import { ProgramOptions } from '../support/program-options.ts';
import { Coverage } from './coverage.ts';
import { stopWorkers } from './nodes.ts';
import { type RunResult, reportOf, runSeed } from './run.ts';

async function main(): Promise<void> {
  const options = new ProgramOptions({
    command: 'npm run sim:app',
    purpose: 'random operations of every module on a whole application, one chain for each seed.',
  });
  const seeds = options.number('seeds', { fallback: 1, least: 1, help: 'how many' });
  const from = options.number('from', { fallback: 1, help: 'the first seed' });
  const blocks = options.number('blocks', { fallback: 200, least: 1, help: 'blocks of each chain' });
  const verbose = options.flag('verbose', 'print what each block did, not only of a seed that fails');
  options.end();
  const before = process.cpuUsage();
  const coverage = new Coverage();
  const results: RunResult[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runSeed({ seed, blocks });
    coverage.add(result.coverage);
    if (verbose || result.violations.length > 0) process.stdout.write(`${reportOf(result)}\n`);
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
