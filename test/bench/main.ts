/**
 * `npm run bench`: what a devnet of real processes does on this machine, beside the machine's own limit.
 * Options: --validators 1,4  --seconds 20  --block-time 1000 (ms)  --samples 40  --out results.json
 * --only throughput,sync,full  --blocks 10000 (of the empty chain)
 * --rate 500 (transactions a second; default: as many as the chain takes)  --soak (10 minutes at 500 a
 * second, memory over time).
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { runScenario, type ScenarioResult } from './scenario.ts';
import { signatureChecksPerSecond } from './signature-rate.ts';
import { reportSync } from './sync-report.ts';

const SIGNATURE_SECONDS = 2;
const SOAK_SECONDS = 600;
const SOAK_ROWS = 10;
/** Transactions a second to prepare for; the load ends early when a node takes more. */
const RATE_MAX = { one: 10_000, several: 5_000, soak: 500 } as const;
/** Blocks of 2 MB: transfers with long memos, so that execution is not what is measured. */
const FULL = { blocks: 200, txs: 32, memoBytes: 62_000 } as const;

const { values } = parseArgs({
  options: {
    validators: { type: 'string', default: '1,4' },
    seconds: { type: 'string' },
    'block-time': { type: 'string', default: '1000' },
    samples: { type: 'string', default: '40' },
    out: { type: 'string' },
    rate: { type: 'string' },
    soak: { type: 'boolean', default: false },
    only: { type: 'string', default: 'throughput' },
    blocks: { type: 'string', default: '10000' },
  },
});

const soak = values.soak;
const seconds = Number(values.seconds ?? (soak ? SOAK_SECONDS : 20));
const rate = values.rate === undefined ? (soak ? RATE_MAX.soak : undefined) : Number(values.rate);
const note = (line: string): void => void process.stderr.write(`bench: ${line}\n`);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  node: process.version,
  platform: `${process.platform}/${process.arch}`,
};
say(
  `machine: ${machine.cpu}, ${machine.cores} cores, ${megabytes(machine.memoryBytes)} MB, ${machine.platform}, Node.js ${machine.node}`,
);
say(
  `settings: block time ${values['block-time']} ms, load ${seconds} s, load generator and all validators on the same cores`,
);
const parts = values.only.split(',');
if (parts.includes('throughput')) await throughput();
if (parts.includes('sync') || parts.includes('restart'))
  await reportSync({ name: 'empty', blocks: Number(values.blocks), txs: 0, memoBytes: 0, say: row, note });
if (parts.includes('full')) await reportSync({ name: 'full', ...FULL, say: row, note });

async function throughput(): Promise<void> {
  note('native signature checks');
  const limit = await signatureChecksPerSecond(machine.cores, SIGNATURE_SECONDS);
  row(
    'machine/secp256k1-verify',
    { cores: machine.cores },
    `${Math.round(limit)} checks/s (the limit of this run)`,
  );

  const results: ScenarioResult[] = [];
  for (const validators of values.validators.split(',').map(Number)) {
    const result = await runScenario({
      validators,
      seconds,
      blockTimeMs: Number(values['block-time']),
      rateMax: rate ?? (validators === 1 ? RATE_MAX.one : RATE_MAX.several),
      rate,
      latencySamples: Number(values.samples),
      note,
    });
    results.push(result);
    print(result, limit);
  }
  if (values.out !== undefined) {
    writeFileSync(values.out, `${JSON.stringify({ machine, limit, results }, undefined, 2)}\n`);
  }
}

function print(result: ScenarioResult, limit: number): void {
  const { validators, blockTimeMs, throughput, latency } = result;
  const key = { validators };
  // Every validator checks every signature once: the bound on these cores is the limit over the validators.
  const bound = limit / validators;
  row(
    'node/msg-send',
    key,
    `${Math.round(throughput.perSecond)} committed tx/s (${percent(throughput.perSecond / bound)} of ${Math.round(bound)}, the signature limit of ${validators} validator(s) here)`,
  );
  row(
    'node/msg-send/committed',
    key,
    `${throughput.committed} tx in ${throughput.blocks} blocks over ${throughput.seconds.toFixed(1)} s, largest block ${throughput.largestBlock}, failed ${throughput.failed}, refused ${throughput.refused}${throughput.refusal === undefined ? '' : ` (${throughput.refusal})`}`,
  );
  row(
    'node/latency/p50',
    key,
    `${Math.round(latency.p50Ms)} ms (${(latency.p50Ms / blockTimeMs).toFixed(2)} × block time, ${latency.samples} samples)`,
  );
  row(
    'node/latency/p99',
    key,
    `${Math.round(latency.p99Ms)} ms (${(latency.p99Ms / blockTimeMs).toFixed(2)} × block time)`,
  );
  row('node/rss/idle', key, `${result.idleRssBytes.map(megabytes).join(', ')} MB by process`);
  row('node/rss/peak', key, `${result.peakRssBytes.map(megabytes).join(', ')} MB by process`);
  row(
    'node/cpu',
    key,
    `${result.cpuCores.toFixed(2)} cores under load, all validators together; ${Math.round(result.cpuMicrosPerTx)} µs for a transaction`,
  );
  if (soak)
    for (const [at, bytes] of sampled(result.memory))
      row('node/rss/soak', { ...key, second: Math.round(at) }, `${megabytes(bytes)} MB (largest process)`);
}

function row(name: string, keys: Readonly<Record<string, number | string>>, value: string): void {
  const path = [name, ...Object.entries(keys).map(([key, each]) => `${key}=${each}`)].join('/');
  say(`${path.padEnd(44)} ${value}`);
}

function sampled<T>(values: readonly T[]): readonly T[] {
  const step = Math.max(1, Math.ceil(values.length / SOAK_ROWS));
  return values.filter((_, i) => i % step === 0 || i === values.length - 1);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
