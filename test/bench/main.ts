/**
 * `npm run bench`: what nodes do on this machine, each figure beside its aim or the machine's limit in the same
 * run. `--only` takes a list of names (README.md says what each is); without it, throughput. Options:
 * --validators 1,4  --seconds 20  --block-time 1000 (ms)  --samples 40  --out results.json  --blocks 10000
 * --full-blocks 100  --keys 1000000  --rate 500 (transactions a second; default: as many as the chain takes)
 * --accounts 10000,1000000 --soak (10 minutes at 500 a second, memory over time).
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { reportLatency, reportMemory, reportSimulated, reportStateSync } from './reports.ts';
import { reportMessages } from './messages/report.ts';
import { megabytes, report } from './report.ts';
import { reportRestart, reportSync } from './sync-report.ts';
import { reportThroughput } from './throughput-report.ts';

const SECONDS = { throughput: 20, latency: 30, memory: 45, soak: 600 } as const;
const SOAK_RATE = 500;
const MEMORY_RATE = 200;
const LATENCY_VALIDATORS = '1,4,7';
const SIMULATED_VALIDATORS = '4,16,41,100';
/** Blocks of 2 MB: transfers with long memos, so that execution is not what is measured. */
const FULL = { txs: 32, memoBytes: 62_000 } as const;

const { values } = parseArgs({
  options: {
    validators: { type: 'string' },
    seconds: { type: 'string' },
    'block-time': { type: 'string', default: '1000' },
    samples: { type: 'string', default: '40' },
    out: { type: 'string' },
    rate: { type: 'string' },
    soak: { type: 'boolean', default: false },
    only: { type: 'string', default: 'throughput' },
    blocks: { type: 'string', default: '10000' },
    'full-blocks': { type: 'string', default: '100' },
    keys: { type: 'string', default: '1000000' },
    accounts: { type: 'string', default: '10000,1000000' },
  },
});

const { soak } = values;
const blockTimeMs = Number(values['block-time']);
const rate = values.rate === undefined ? undefined : Number(values.rate);
const blocks = Number(values.blocks);

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  node: process.version,
  platform: `${process.platform}/${process.arch}`,
};

function secondsOr(fallback: number): number {
  return Number(values.seconds ?? fallback);
}

function validatorsOr(fallback: string): readonly number[] {
  return (values.validators ?? fallback).split(',').map(Number);
}

const BENCHMARKS: Readonly<Record<string, () => Promise<unknown>>> = {
  throughput: () =>
    reportThroughput(report, {
      validators: validatorsOr('1,4'),
      seconds: secondsOr(soak ? SECONDS.soak : SECONDS.throughput),
      blockTimeMs,
      samples: Number(values.samples),
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
  full: () => reportSync(report, { name: 'full', blocks: Number(values['full-blocks']), ...FULL }),
  restart: () => reportRestart(report, { blocks }),
  messages: () => reportMessages(report, { accounts: values.accounts.split(',').map(Number) }),
  statesync: () => reportStateSync(report, { keys: Number(values.keys), blockTimeMs }),
  memory: () =>
    reportMemory(report, { seconds: secondsOr(SECONDS.memory), rate: rate ?? MEMORY_RATE, blockTimeMs }),
};

process.stdout.write(
  `machine: ${machine.cpu}, ${machine.cores} cores, ${megabytes(machine.memoryBytes)} MB, ${machine.platform}, ` +
    `Node.js ${machine.node}; load average ${loadavg()[0]?.toFixed(1)}\n` +
    `settings: block time ${blockTimeMs} ms; all processes on the same cores\n`,
);
const measured: Record<string, unknown> = { machine };
for (const name of values.only.split(',')) {
  const benchmark = BENCHMARKS[name];
  if (benchmark === undefined)
    throw new Error(`no benchmark "${name}"; there are ${Object.keys(BENCHMARKS).join(', ')}`);
  measured[name] = await benchmark();
}
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(measured, undefined, 2)}\n`);
