/** `--only index`: what it costs to build an index, at three sizes of the corpus; `index-large`: at ten times all. */
import { type BuildEngines, buildShard, FASTEST } from '../../attest/index/build.ts';
import { inverseOf, suffixArray } from '../../attest/index/sais.ts';
import type { ShardSink } from '../../attest/index/shard-files.ts';
import { readSources, type ShardInput } from '../../attest/index/shard-input.ts';
import { firstLocalFault } from '../../attest/index/local-checks.ts';
import { plainHasher } from '../../attest/wasm/batch-hasher.ts';
import { wasmSuffixArray } from '../../attest/wasm/suffix-array.ts';
import { sha256 } from '../../core/hash.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import { reportPagedSearch } from './paged-search.ts';
import { megabytes, type Report } from './report.ts';
import { allMails, variedCopies } from './trace-material.ts';

/** Bytes of mails that are indexed: a tenth of all, what makes four million tokens, all. */
const SIZES: readonly number[] = [3_250_000, 9_700_000, Number.MAX_SAFE_INTEGER];
/** What the aims are stated for. */
const AIM_TOKENS = 4_000_000;
const COMMIT_AIM_SECONDS = 8;
const ENTRIES: readonly number[] = [1, 8];
/** An inner node: prefix and two hashes. */
const INNER_BYTES = 65;
const HASHES = 500_000;

/** What was measured at one size; seconds are of processor time, of all threads. */
export interface IndexFigures {
  readonly tokens: number;
  readonly tokeniseSeconds: number;
  readonly sortSeconds: { readonly wasm: number; readonly plain: number };
  /** By entries of a leaf, all four trees. */
  readonly commitSeconds: Readonly<Record<string, number>>;
}

/** Sorts and commits at each size; once with everything in TypeScript, on the smallest. */
export function reportIndex({ row, note }: Report): readonly IndexFigures[] {
  const mails = allMails();
  row(
    'machine/sha256',
    { bytes: INNER_BYTES },
    `${Math.round(hashesPerSecond())} calls a second of node:crypto`,
  );
  const measured = SIZES.map((bytes, i) =>
    measure({ row, note }, upTo(mails, bytes), { peers: i === 0, paged: i === SIZES.length - 1 }),
  );
  growth({ row, note }, measured);
  return measured;
}

/** The same for ten times all mails, each copy another variation; checked instead of sorted twice. */
export function reportIndexLarge({ row, note }: Report): readonly IndexFigures[] {
  const mails = allMails();
  const options = { peers: false, once: true };
  const all = measure({ row, note }, mails, options);
  const large = measure({ row, note }, variedCopies(mails), options);
  growth({ row, note }, [all, large]);
  return [all, large];
}

function growth({ row }: Report, measured: readonly IndexFigures[]): void {
  const [small, large] = [measured[0], measured.at(-1)];
  if (small === undefined || large === undefined) return;
  const times = (of: (figures: IndexFigures) => number): string => (of(large) / of(small)).toFixed(1);
  row(
    'attest/build/growth',
    { tokens: `${times(({ tokens }) => tokens)}x` },
    `sort ${times(({ sortSeconds }) => sortSeconds.wasm)} times, commitment ` +
      `${times(({ commitSeconds }) => commitSeconds['1'] ?? Number.NaN)} times`,
  );
}

interface MeasureOptions {
  /** Also a plain sort of suffixes, and hashes one at a time. */
  readonly peers: boolean;
  /** Sorts by one engine only, and commits with one entry a leaf only. */
  readonly once?: boolean;
  /** Also searches through a cache of pages. */
  readonly paged?: boolean;
}

function measure(
  { row, note }: Report,
  contents: readonly Uint8Array[],
  options: MeasureOptions,
): IndexFigures {
  const bytes = contents.reduce((sum, content) => sum + content.length, 0);
  const [input, tokeniseSeconds] = cpu(() => inputOf(contents));
  const tokens = input.text.length;
  note(`${megabytes(bytes)} MB, ${contents.length} documents, ${tokens} tokens`);
  const rate = (seconds: number): string => `${(tokens / seconds / 1e6).toFixed(2)} M tokens/s`;
  row(
    'attest/build/tokenise',
    { tokens },
    `${rate(tokeniseSeconds)}, with the check of ${megabytes(bytes)} MB against their roots`,
  );
  const [sa, wasm] = cpu(() => wasmSuffixArray(input.text) ?? suffixArray(input.text));
  row('attest/build/sort', { engine: 'wasm', tokens }, `${rate(wasm)} (${wasm.toFixed(2)} s)`);
  let plain = Number.NaN;
  if (options.once === true) {
    if (firstLocalFault({ text: input.text, sa, isa: inverseOf(sa) }) !== undefined)
      throw new Error('a wrong order');
  } else {
    const [again, seconds] = cpu(() => suffixArray(input.text));
    plain = seconds;
    if (Buffer.compare(bytesOf(again), bytesOf(sa)) !== 0) throw new Error('two engines, two orders');
    row(
      'attest/build/sort',
      { engine: 'typescript', tokens },
      `${rate(plain)} (${plain.toFixed(2)} s), equal to the byte`,
    );
  }
  if (options.peers) {
    const [, seconds] = cpu(() => plainSort(input.text));
    row(
      'attest/build/sort',
      { engine: 'comparing', tokens },
      `${rate(seconds)}: suffixes sorted by comparing them`,
    );
  }
  const commitSeconds: Record<string, number> = {};
  for (const entries of options.once === true ? [1] : ENTRIES)
    commitSeconds[String(entries)] = commit({ row, note }, { input, sa, entries, ...options });
  if (options.paged === true) reportPagedSearch({ row, note }, input, { ...FASTEST, sort: () => sa });
  return { tokens, tokeniseSeconds, sortSeconds: { wasm, plain }, commitSeconds };
}

interface CommitTask extends MeasureOptions {
  readonly input: ShardInput;
  readonly sa: Uint32Array;
  readonly entries: number;
}

/** Builds all four trees over arrays that are there; seconds. */
function commit({ row }: Report, { input, sa, entries, peers }: CommitTask): number {
  const tokens = input.text.length;
  const engines: BuildEngines = { ...FASTEST, sort: () => sa };
  const [written, seconds] = cpu(() => build(input, entries, engines));
  const aim = Math.abs(tokens / AIM_TOKENS - 1) < 0.05 ? ` (aim ${COMMIT_AIM_SECONDS} s)` : '';
  row(
    'attest/commit/wasm',
    { entries, tokens },
    `${seconds.toFixed(2)} s${aim}; ${megabytes(written)} MB of files`,
  );
  if (!peers) return seconds;
  const [, plain] = cpu(() => build(input, entries, { sort: engines.sort, hasher: plainHasher }));
  row(
    'attest/commit/crypto.hash',
    { entries, tokens },
    `${plain.toFixed(2)} s: the same trees, one call of node:crypto a hash`,
  );
  return seconds;
}

/** Builds a shard that nobody keeps; bytes of its files. */
function build(input: ShardInput, entriesPerLeaf: number, engines: BuildEngines): number {
  let bytes = 0;
  const sink: ShardSink = {
    create: (_file, size) => {
      bytes += size;
    },
    write: () => undefined,
  };
  buildShard(input, { datanetId: 1n, firstPosition: 0n, entriesPerLeaf, sink }, engines);
  return bytes;
}

function inputOf(contents: readonly Uint8Array[]): ShardInput {
  return readSources(
    contents.map((content, i) => ({
      contributionId: BigInt(i + 1),
      contributor: new Uint8Array(20).fill(i % 250),
      root: contentRoot(content),
      content,
      byteLength: content.length,
    })),
  );
}

/** The first contents of so many bytes together. */
function upTo(contents: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let sum = 0;
  return contents.filter((content) => {
    sum += content.length;
    return sum <= bytes;
  });
}

function plainSort(text: Uint32Array): Uint32Array {
  return Uint32Array.from(text.keys()).sort((a, b) => {
    while (a < text.length && b < text.length) {
      const difference = (text[a++] ?? 0) - (text[b++] ?? 0);
      if (difference !== 0) return difference;
    }
    return b - a;
  });
}

function bytesOf(array: Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A value, and the processor time in seconds that it took. */
function cpu<T>(make: () => T): [T, number] {
  const before = process.cpuUsage();
  const value = make();
  const { user, system } = process.cpuUsage(before);
  return [value, (user + system) / 1e6];
}

/** What the machine does one call at a time. */
function hashesPerSecond(): number {
  const input = new Uint8Array(INNER_BYTES);
  const [, seconds] = cpu(() => {
    for (let i = 0; i < HASHES; i++) sha256(input);
  });
  return HASHES / seconds;
}
