/**
 * `npm run bench`: what nodes do on this machine, each figure beside its aim or the machine's limit in the
 * same run. `--only` takes a list of names (README.md says what each is); `--help` lists the options.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { ProgramOptions } from '../support/program-options.ts';
import { reportLatency, reportMemory, reportSimulated, reportStateSync } from './reports.ts';
import { reportAudit } from './audit-report.ts';
import { reportEpochs } from './epochs-report.ts';
import { reportEvidence } from './evidence-report.ts';
import { reportIndex, reportIndexLarge } from './index-report.ts';
import { reportQueriesLarge } from './queries-large.ts';
import { reportProofs } from './proof-report.ts';
import { reportMessages } from './messages/report.ts';
import { reportPools } from './pools-report.ts';
import { megabytes, report } from './report.ts';
import { reportRestart, reportSync } from './sync-report.ts';
import { reportTrace } from './trace-report.ts';
import { reportServe } from './serve-report.ts';
import { reportThroughput } from './throughput-report.ts';
import { reportVouchers } from './vouchers-report.ts';

const SECONDS = { throughput: 20, latency: 30, memory: 45, soak: 600 } as const;
const SOAK_RATE = 500;
const MEMORY_RATE = 200;
const LATENCY_VALIDATORS = [1, 4, 7];
const SIMULATED_VALIDATORS = [4, 16, 41, 100];
/** Blocks of 2 MB: transfers with long memos, so that execution is not what is measured. */
const FULL = { txs: 32, memoBytes: 62_000 } as const;

const options = new ProgramOptions({
  command: 'npm run bench',
  purpose: "what nodes do on this machine, each figure beside its aim or the machine's limit.",
});
const only = options.text('only', {
  fallback: 'throughput',
  help: 'names with commas: test/bench/README.md',
});
const validators = options.numbers('validators', { fallback: undefined, help: 'of each network' });
const seconds = options.number('seconds', { fallback: undefined, least: 1, help: 'how long' });
const blockTimeMs = options.number('block-time', { fallback: 1000, least: 1, help: 'milliseconds' });
const samples = options.number('samples', { fallback: 40, least: 1, help: 'of latency, or of memory' });
const rate = options.number('rate', { fallback: undefined, least: 1, help: 'transactions a second' });
const soak = options.flag('soak', 'ten minutes at 500 a second, memory over time');
const blocks = options.number('blocks', { fallback: 10_000, least: 1, help: 'of sync, restart, audit' });
const fullBlocks = options.number('full-blocks', { fallback: 100, least: 1, help: 'of full' });
const keys = options.number('keys', { fallback: 1_000_000, least: 1, help: 'of statesync' });
const accounts = options.numbers('accounts', { fallback: [10_000, 1_000_000], help: 'of messages' });
const out = options.text('out', { fallback: undefined, help: 'file for the results, as JSON' });

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  node: process.version,
  platform: `${process.platform}/${process.arch}`,
};

function secondsOr(fallback: number): number {
  return seconds ?? fallback;
}

function validatorsOr(fallback: readonly number[]): readonly number[] {
  return validators ?? fallback;
}

const BENCHMARKS: Readonly<Record<string, () => Promise<unknown>>> = {
  throughput: () =>
    reportThroughput(report, {
      validators: validatorsOr([1, 4]),
      seconds: secondsOr(soak ? SECONDS.soak : SECONDS.throughput),
      blockTimeMs,
      samples,
      rate: rate ?? (soak ? SOAK_RATE : undefined),
      soak,
      cores: machine.cores,
    }),
  latency: () =>
    reportLatency(report, {
      validators: validatorsOr(LATENCY_VALIDATORS),
      seconds: secondsOr(SECONDS.latency),
      blockTimeMs,
    }),
  simulated: () => reportSimulated(report, { validators: validatorsOr(SIMULATED_VALIDATORS), blockTimeMs }),
  sync: () => reportSync(report, { name: 'empty', blocks, txs: 0, memoBytes: 0 }),
  full: () => reportSync(report, { name: 'full', blocks: fullBlocks, ...FULL }),
  restart: () => reportRestart(report, { blocks }),
  audit: () => reportAudit(report, { blocks }),
  messages: () => reportMessages(report, { accounts }),
  trace: () => reportTrace(report),
  proofs: async () => reportProofs(report),
  vouchers: async () => reportVouchers(report),
  pools: async () => reportPools(report),
  evidence: async () => reportEvidence(report),
  serve: () => reportServe(report),
  index: async () => reportIndex(report),
  'index-large': async () => reportIndexLarge(report),
  epochs: async () => reportEpochs(report),
  'queries-large': async () => reportQueriesLarge(report),
  statesync: () => reportStateSync(report, { keys, blockTimeMs }),
  memory: () =>
    reportMemory(report, { seconds: secondsOr(SECONDS.memory), rate: rate ?? MEMORY_RATE, blockTimeMs }),
};

const names = only.split(',');
const unknown = names.find((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown !== undefined)
  options.fail(`no benchmark "${unknown}"; there are ${Object.keys(BENCHMARKS).join(', ')}`);
options.end();

process.stdout.write(
  `machine: ${machine.cpu}, ${machine.cores} cores, ${megabytes(machine.memoryBytes)} MB, ${machine.platform}, ` +
    `Node.js ${machine.node}; load average ${loadavg()[0]?.toFixed(1)}\n` +
    `settings: block time ${blockTimeMs} ms; all processes on the same cores\n`,
);
const measured: Record<string, unknown> = { machine };
for (const name of names) measured[name] = await BENCHMARKS[name]?.();
if (out !== undefined) writeFileSync(out, `${JSON.stringify(measured, undefined, 2)}\n`);
