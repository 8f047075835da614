/**
 * Runs a target: valid inputs are changed, one change or several at a time; an input whose outcome was not
 * seen before (accepted, or refused by another check) joins the inputs that are changed. So the checks that a
 * decoder makes one after another are reached one after another.
 */
import { getHeapStatistics } from 'node:v8';
import { equalBytes } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';
import { mutateBytes, splice } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateProtobuf } from './mutate-protobuf.ts';
import { Random } from './random.ts';
import type { Target } from './target.ts';

/** Time budget of one input: this, and so much for each KiB of it. */
export const INPUT_MS_MAX = 25;
export const KIB_MS_MAX = 2;
/** Memory budget of one input: this, and this multiple of its length. Reading, checking and writing again. */
export const ALLOCATION_BASE_BYTES: number = 512 * 1024;
export const ALLOCATION_MULTIPLE = 256;

/** Inputs that are kept and changed further. */
const CORPUS_MAX = 1_024;
/** Longer ones are judged, but not changed further: runs would be about nothing else. */
const CORPUS_BYTES_MAX = 6_000;
const CHANGES_MAX = 4;
/** Every so many inputs is weighed, and every input longer than `WEIGHED_BYTES`. */
const WEIGHED_EVERY = 128;
const WEIGHED_BYTES = 8_192;
/** Collections and compilations disturb measurements: the best of so many counts. */
const MEASUREMENTS = 4;

export type FailureKind = 'undocumented error' | 'unstable' | 'too slow' | 'too much memory';

export interface Failure {
  readonly kind: FailureKind;
  readonly detail: string;
  readonly input: Uint8Array;
}

export interface Report {
  readonly target: string;
  readonly inputs: number;
  readonly accepted: number;
  /** Different outcomes: accepted, and the checks that refused. */
  readonly outcomes: number;
  readonly cpuMs: number;
  readonly slowest: { readonly ms: number; readonly bytes: number };
  /** Allocated bytes of the input that took most in relation to its length, of those over 1 KiB. */
  readonly heaviest: { readonly allocated: number; readonly bytes: number };
  /** One of each kind and place. */
  readonly failures: readonly Failure[];
}

interface Outcome {
  /** What happened, without the numbers in it. */
  readonly key: string;
  readonly failure: Failure | undefined;
}

/** Reads one input and checks everything but time and memory. */
export async function judge(target: Target, input: Uint8Array): Promise<Outcome> {
  const fail = (kind: FailureKind, detail: string): Outcome => ({
    key: `${kind} ${keyOf(detail)}`,
    failure: { kind, detail, input },
  });
  let encoded: Uint8Array | undefined;
  try {
    const read = target.read(input);
    const reencode = read instanceof Promise ? await read : read;
    encoded = reencode?.();
  } catch (error) {
    if (target.documented(error)) return { key: keyOf(messageOf(error)), failure: undefined };
    return fail(
      'undocumented error',
      error instanceof Error ? `${error.name}: ${error.message}` : 'no error',
    );
  }
  if (encoded === undefined) return { key: 'accepted', failure: undefined };
  try {
    const again = target.read(encoded);
    const twice = (again instanceof Promise ? await again : again)?.();
    if (twice === undefined || !equalBytes(twice, encoded)) return fail('unstable', 'encodes differently');
  } catch (error) {
    return fail('unstable', `does not take what it wrote: ${messageOf(error)}`);
  }
  return { key: 'accepted', failure: undefined };
}

function keyOf(text: string): string {
  return text.slice(0, 60).replace(/\d+|"[^"]*"|[^ -~]+/g, '#');
}

/** The time of reading an input, in ms, and its outcome. */
async function timed(target: Target, input: Uint8Array): Promise<{ outcome: Outcome; ms: number }> {
  const start = performance.now();
  const outcome = await judge(target, input);
  return { outcome, ms: performance.now() - start };
}

/** What reading an input allocates: the least of several measurements, since others count too. */
export async function allocatedBy(target: Target, input: Uint8Array, measurements: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < measurements; i++) {
    const before = getHeapStatistics();
    try {
      const read = target.read(input);
      const reencode = read instanceof Promise ? await read : read;
      reencode?.();
    } catch {
      // Judged elsewhere.
    }
    const after = getHeapStatistics();
    const heap = after.used_heap_size - before.used_heap_size;
    const outside = after.external_memory - before.external_memory;
    const allocated = heap + outside;
    if (allocated > 0) least = Math.min(least, allocated);
  }
  return Number.isFinite(least) ? least : 0;
}

export function mutate(target: Target, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  const any = (): Uint8Array => corpus[random.below(corpus.length)] ?? new Uint8Array(0);
  if (random.oneIn(64)) return random.bytes(random.below(random.oneIn(8) ? 2_048 : 64));
  let input = any();
  for (let left = 1 + (random.oneIn(2) ? 0 : random.below(CHANGES_MAX)); left > 0; left--) {
    if (random.oneIn(16)) input = splice(input, any(), random);
    else if (target.form === 'bytes' || random.oneIn(6)) input = mutateBytes(input, random);
    else if (target.form === 'json') input = mutateJson(input, random);
    else input = mutateProtobuf(input, random, target.bytesMax);
  }
  return input.length > target.bytesMax ? input.slice(0, target.bytesMax) : input;
}

/** What a run has found so far. */
class Findings {
  readonly failures: Map<string, Failure> = new Map();
  slowest: Report['slowest'] = { ms: 0, bytes: 0 };
  heaviest: Report['heaviest'] = { allocated: 0, bytes: 1 };

  add(failure: Failure): void {
    const key = `${failure.kind} ${keyOf(failure.detail)}`;
    const known = this.failures.get(key);
    if (known === undefined || failure.input.length < known.input.length) this.failures.set(key, failure);
  }

  /** Measures again what looks slow: other work on the machine does not count. */
  async time(target: Target, input: Uint8Array, firstMs: number): Promise<void> {
    if (firstMs <= this.slowest.ms) return;
    let ms = firstMs;
    for (let i = 1; i < MEASUREMENTS; i++) ms = Math.min(ms, (await timed(target, input)).ms);
    if (ms > this.slowest.ms) this.slowest = { ms, bytes: input.length };
    const budget = INPUT_MS_MAX + (KIB_MS_MAX * input.length) / 1024;
    if (ms > budget) this.add({ kind: 'too slow', detail: `${ms.toFixed(1)} ms`, input });
  }

  async weigh(target: Target, input: Uint8Array): Promise<void> {
    const budget = ALLOCATION_BASE_BYTES + ALLOCATION_MULTIPLE * input.length;
    const worst = this.heaviest.allocated / this.heaviest.bytes;
    const first = await allocatedBy(target, input, 1);
    const isRecord = input.length >= 1_024 && first / input.length > worst;
    if (!isRecord && first <= budget) return;
    const allocated = await allocatedBy(target, input, MEASUREMENTS);
    if (input.length >= 1_024 && allocated / input.length > worst)
      this.heaviest = { allocated, bytes: input.length };
    if (allocated > budget)
      this.add({ kind: 'too much memory', detail: `${allocated} of ${input.length} bytes`, input });
  }
}

/** Runs so many inputs; the same seed gives the same inputs. */
export async function runTarget(
  target: Target,
  { inputs, seed }: { readonly inputs: number; readonly seed: number },
): Promise<Report> {
  const random = new Random(seed);
  const corpus: Uint8Array[] = [...target.seeds];
  const outcomes = new Set<string>();
  const findings = new Findings();
  const { stackTraceLimit } = Error;
  // Most inputs are refused, and nobody reads where.
  Error.stackTraceLimit = 0;
  const cpuBefore = process.cpuUsage();
  let accepted = 0;
  for (let i = 0; i < inputs; i++) {
    // The seeds themselves first.
    const input = target.seeds[i] ?? mutate(target, corpus, random);
    const { outcome, ms } = await timed(target, input);
    if (outcome.key === 'accepted') accepted++;
    if (outcome.failure !== undefined) findings.add(outcome.failure);
    if (!outcomes.has(outcome.key)) {
      outcomes.add(outcome.key);
      if (corpus.length < CORPUS_MAX && input.length <= CORPUS_BYTES_MAX) corpus.push(input);
    }
    await findings.time(target, input, ms);
    if (i % WEIGHED_EVERY === 0 || input.length > WEIGHED_BYTES) await findings.weigh(target, input);
  }
  Error.stackTraceLimit = stackTraceLimit;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    target: target.name,
    inputs,
    accepted,
    outcomes: outcomes.size,
    cpuMs: (user + system) / 1_000,
    slowest: findings.slowest,
    heaviest: findings.heaviest,
    failures: [...findings.failures.values()],
  };
}
