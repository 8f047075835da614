/** The rows of throughput: what a devnet takes, beside the machine's own limit in the same run. */
import { growthSince } from './memory-watch.ts';
import { megabytes, percent, type Report, type Row } from './report.ts';
import { runScenario, type ScenarioResult } from './scenario.ts';
import { signatureChecksPerSecond } from './signature-rate.ts';

const SIGNATURE_SECONDS = 2;
/** The first minutes of a soak whose memory is held against that of the last. */
const GROWTH_SINCE_MINUTES = [3, 5] as const;
/** Transactions a second to prepare for; the load ends early when a node takes more. */
const RATE_MAX = { one: 10_000, several: 5_000 } as const;

/** What to measure. */
export interface ThroughputOptions {
  readonly validators: readonly number[];
  readonly seconds: number;
  readonly blockTimeMs: number;
  readonly samples: number;
  /** Undefined: as many as the chain takes. */
  readonly rate: number | undefined;
  readonly soak: boolean;
  readonly cores: number;
}

/** Measures and says; returns everything that was measured. */
export async function reportThroughput(
  { row, note }: Report,
  options: ThroughputOptions,
): Promise<{ readonly limit: number; readonly results: readonly ScenarioResult[] }> {
  const { seconds, rate, soak, cores } = options;
  note('native signature checks');
  const limit = await signatureChecksPerSecond(cores, SIGNATURE_SECONDS);
  row('machine/secp256k1-verify', { cores }, `${Math.round(limit)} checks/s (the limit of this run)`);

  const results: ScenarioResult[] = [];
  for (const validators of options.validators) {
    const result = await runScenario({
      validators,
      seconds,
      blockTimeMs: options.blockTimeMs,
      rateMax: rate ?? (validators === 1 ? RATE_MAX.one : RATE_MAX.several),
      rate,
      latencySamples: options.samples,
      probeHeaps: soak,
      note,
    });
    results.push(result);
    print(row, result, { limit, soak });
  }
  return { limit, results };
}

function print(
  row: Row,
  result: ScenarioResult,
  { limit, soak }: { readonly limit: number; readonly soak: boolean },
): void {
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
  if (soak) printSoak(row, result);
}

function printSoak(row: Row, { validators, memory }: ScenarioResult): void {
  for (const { minute, rssBytes, anonymousBytes, fileBytes, heap } of memory)
    row(
      'node/memory/soak',
      { validators, minute },
      `${megabytes(rssBytes)} MB resident: ${megabytes(anonymousBytes)} anonymous, ${megabytes(fileBytes)} of files; heap ` +
        `${megabytes(heap.heapBytes)}, in use after a collection ${megabytes(heap.usedAfterCollectionBytes)}, external ` +
        `${megabytes(heap.externalBytes)}, of it array buffers ${megabytes(heap.arrayBufferBytes)}; ${heap.collections} full collections`,
    );
  const last = memory.at(-1)?.minute ?? 0;
  for (const since of GROWTH_SINCE_MINUTES) {
    const resident = growthSince(memory, since, ({ rssBytes }) => rssBytes);
    const inUse = growthSince(memory, since, ({ heap }) => heap.usedAfterCollectionBytes);
    if (resident === undefined) continue;
    row(
      'node/memory/growth',
      { validators, minutes: `${since}-${last}` },
      `resident ${signed(resident)}, in use after a collection ${inUse === undefined ? 'unknown' : signed(inUse)} ` +
        '(means of a minute, largest process; aim: none)',
    );
  }
}

function signed(share: number): string {
  return `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} %`;
}
