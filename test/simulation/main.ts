/**
 * Runs seeds: `npm run sim -- --seeds 100 --from 1 --profile liveness`. Without a profile, each in turn. One
 * seed prints its whole trace with `--verbose`. Exit code 1 when a seed fails.
 */
import { ProgramOptions } from '../support/program-options.ts';
import { PROFILES, type Profile } from './profiles.ts';
import { type Progress, type RunResult, runSeed } from './run.ts';

const USUAL: readonly Profile[] = PROFILES.filter((profile) => profile !== 'large');

function readArguments(): {
  readonly seeds: number;
  readonly from: number;
  readonly profiles: readonly Profile[];
  readonly verbose: boolean;
} {
  const options = new ProgramOptions({
    command: 'npm run sim',
    purpose: 'whole nodes on virtual time, disk and network, one network for each seed.',
  });
  const seeds = options.number('seeds', { fallback: 1, least: 1, help: 'how many' });
  const from = options.number('from', { fallback: 1, help: 'the first seed' });
  const profile = options.choice('profile', {
    fallback: undefined,
    of: PROFILES,
    help: 'instead of each but large in turn',
  });
  const verbose = options.flag('verbose', 'print the whole trace, not only of a seed that fails');
  options.end();
  const profiles = profile === undefined ? USUAL : [profile];
  return { seeds, from, profiles, verbose };
}

function report(result: RunResult): void {
  const { profile, seed, violations, lines, digest } = result;
  const out = [...lines.map((line) => line.slice(0, 240)), ''];
  for (const { invariant, sentence, atMs } of violations) {
    out.push(`FAILED at ${atMs.toFixed(1)} ms: ${invariant}: ${sentence}`);
  }
  out.push(`trace ${digest}; replay: npm run sim -- --profile ${profile} --from ${seed} --verbose`);
  process.stdout.write(`${out.join('\n')}\n`);
}

function summary(results: readonly RunResult[], cpuSeconds: number): string {
  const sum = (of: (result: RunResult) => number): number => results.reduce((all, one) => all + of(one), 0);
  const most = (of: (progress: Progress) => number): number =>
    Math.max(0, ...results.flatMap(({ progress }) => (progress === undefined ? [] : [of(progress)])));
  const heights = sum(({ heights }) => Number(heights));
  const failed = results.filter(({ violations }) => violations.length > 0);
  return [
    `${results.length} seeds, ${failed.length} failed${failed.length > 0 ? `: ${failed.map(({ profile, seed }) => `${profile} ${seed}`).join(', ')}` : ''}`,
    `${heights} heights, ${sum(({ transactions }) => transactions)} transactions, ${sum(({ starts }) => starts)} starts of nodes, ` +
      `${sum(({ restored }) => restored)} state syncs, ` +
      `rounds up to ${Math.max(0, ...results.map(({ roundMax }) => roundMax))}`,
    `${sum(({ events }) => events)} events, ${Math.round(sum(({ virtualMs }) => virtualMs) / 1000)} virtual seconds, ` +
      `${cpuSeconds.toFixed(1)} CPU seconds (${(results.length / cpuSeconds).toFixed(1)} seeds per CPU second)`,
    `evidence of attacks in blocks: ${['lunatic', 'equivocation', 'amnesia']
      .map(
        (kind) => `${kind} in ${results.filter(({ attacks }) => attacks.some((one) => one === kind)).length}`,
      )
      .join(', ')} seeds`,
    `${sum(({ killPoints }) => killPoints.reached)} of ${sum(({ killPoints }) => killPoints.planned)} planned kill points reached`,
    `after the heal up to ${most(({ rounds }) => rounds)} rounds, ${most(({ heights }) => heights)} further heights, ${Math.round(most(({ ms }) => ms))} ms`,
    `${Math.round(sum(({ messages }) => messages) / Math.max(1, heights))} messages and ` +
      `${Math.round(sum(({ bytes }) => bytes) / Math.max(1, heights))} bytes per height`,
  ].join('\n');
}

async function main(): Promise<void> {
  const { seeds, from, profiles, verbose } = readArguments();
  const before = process.cpuUsage();
  const results: RunResult[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const profile = profiles[seed % profiles.length] ?? 'liveness';
    const result = await runSeed({ profile, seed, verbose });
    results.push({ ...result, lines: [] });
    if (verbose || result.violations.length > 0) report(result);
  }
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${summary(results, (user + system) / 1e6)}\n`);
  if (results.some(({ violations }) => violations.length > 0)) process.exitCode = 1;
}

await main();
