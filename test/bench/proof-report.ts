/** `--only proofs`: bytes and time of proofs about indexes, at three sizes of the corpus, and over single bytes. */
import { buildShard } from '../../attest/index/build.ts';
import { MemoryStorage } from '../../attest/index/shard-files.ts';
import { StoredShard } from '../../attest/index/stored-shard.ts';
import { type ProofOrder, proveShard } from '../../attest/prove/prove.ts';
import { Corpus } from '../../attest/query/corpus.ts';
import { rankRange } from '../../attest/query/search.ts';
import type { ShardReader } from '../../attest/shard.ts';
import { traceOutput } from '../../attest/trace/trace.ts';
import { sha256Into } from '../../core/hash.ts';
import { compareStatements, type ShardStatement } from '../../modules/attribution/proof/shard/format.ts';
import { verifyShardProof } from '../../modules/attribution/proof/shard/verify.ts';
import { SEPARATOR, tokenise } from '../../modules/attribution/proof/tokenise.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import { Random } from '../fuzz/random.ts';
import { percentile } from './percentile.ts';
import type { Report } from './report.ts';
import { allMails, drawOutput, indexMails, type TraceMaterial } from './trace-material.ts';

/** Bytes of mails, and entries of a leaf: a tenth of all, what makes four million tokens (both ways), all. */
const SIZES: readonly (readonly [number, number])[] = [
  [3_250_000, 1],
  [10_500_000, 1],
  [10_500_000, 8],
  [Number.MAX_SAFE_INTEGER, 1],
];
const PATTERNS = 2_000;
const BUNDLES = 100;
/** Verified before, not counted: the code is compiled, and what proving left behind is collected. */
const WARM_ROUNDS = 4;
/** Each proof is verified so often: what is allocated meanwhile is collected meanwhile, and is in the mean. */
const ROUNDS = 5;
const INNER_BYTES = 65;
const HASHES = 200_000;
/** The setting of Chen et al. 2018. */
const BYTE_LEVEL = { bytes: 10_000_000, pattern: 200 } as const;

/** Proofs of one kind; times in microseconds. */
export interface ProofFigures {
  readonly bytes: number;
  readonly bytesP99: number;
  readonly proveP50: number;
  readonly proveP99: number;
  readonly verifyP50: number;
  readonly verifyP99: number;
  /** Of the process, a proof's mean: what other processes on the cores do is not in it. */
  readonly verifyCpu: number;
}

/** Proves and verifies 2,000 patterns of each kind at each size. */
export function reportProofs({ row, note }: Report): readonly ProofFigures[] {
  const mails = allMails();
  row('machine/sha256', { bytes: INNER_BYTES }, `${hashMicros().toFixed(2)} us a call of node:crypto`);
  const measured: ProofFigures[] = [];
  for (const [bytes, entries] of SIZES) {
    measured.push(...proofRows({ row, note }, indexMails(mails, bytes, entries)));
  }
  measured.push(byteLevel({ row, note }, Buffer.concat(mails)));
  return measured;
}

/** Proves and verifies 2,000 patterns of each kind on one corpus. */
export function proofRows({ row, note }: Report, material: TraceMaterial): readonly ProofFigures[] {
  const { tokens, commitment } = material.shard;
  const keys = { tokens, B: commitment.entriesPerLeaf };
  note(`indexed ${tokens} tokens, ${keys.B} entries a leaf`);
  const measured = Object.entries(kindsOf(material.shard)).map(([name, order]) => {
    const figures = measure(material.shard, Array.from({ length: PATTERNS }, order));
    const aim = name === 'count' ? ' (aim 1,100 B, 50 us at 4 M)' : '';
    row(`attest/prove/${name}`, keys, `${shown(figures)}${aim}`);
    return figures;
  });
  const bundle = measure(material.shard, bundlesOf(material));
  row('attest/prove/bundle', keys, `${shown(bundle)} (aim 40 KB at 4 M)`);
  return [...measured, bundle];
}

/** Patterns of single bytes, as others have measured: long ones, of which entries hold the beginning only. */
function byteLevel({ row, note }: Report, text: Buffer): ProofFigures {
  const content = text.subarray(0, BYTE_LEVEL.bytes);
  const tokens = Uint32Array.from({ length: content.length + 1 }, (_, i) =>
    i < content.length ? (content[i] ?? 0) * 2 ** 24 : SEPARATOR,
  );
  const document = {
    contributionId: 1n,
    contributor: new Uint8Array(20),
    root: contentRoot(content),
    byteLength: content.length,
    tombstone: false,
    firstToken: 0,
    tokens: tokens.length,
  };
  const storage = new MemoryStorage();
  const options = { datanetId: 1n, firstPosition: 0n, entriesPerLeaf: 1, sink: storage };
  const before = process.cpuUsage();
  const commitment = buildShard({ documents: [document], text: tokens }, options);
  const { user, system } = process.cpuUsage(before);
  note(
    `sorted and committed ${tokens.length} bytes in ${((user + system) / 1e6).toFixed(1)} s of processor time`,
  );
  const shard = new StoredShard(commitment, storage);
  const random = new Random(3);
  const orders = Array.from({ length: PATTERNS }, () => countOrder(shard, random, BYTE_LEVEL.pattern));
  const figures = measure(shard, orders);
  const keys = { bytes: content.length, pattern: BYTE_LEVEL.pattern };
  const peer = 'Chen et al. 2018: 2,760 B, 149 us, 47 s; other hardware, language and characters';
  row(
    'attest/prove/byte-level',
    keys,
    `${shown(figures)}; built in ${((user + system) / 1e6).toFixed(1)} s (${peer})`,
  );
  return figures;
}

function shown(figures: ProofFigures): string {
  const { bytes, bytesP99, proveP50, proveP99, verifyP50, verifyP99, verifyCpu } = figures;
  const us = (value: number): string => value.toFixed(0);
  return (
    `${us(bytes)} B mean, ${us(bytesP99)} p99; verify ${us(verifyCpu)} us of processor time, ` +
    `${us(verifyP50)} p50, ${us(verifyP99)} p99; prove ${us(proveP50)} p50, ${us(proveP99)} p99`
  );
}

/** Tokens that stand together in a document. */
function patternOf(shard: ShardReader, random: Random, length: number): Uint32Array {
  for (;;) {
    const from = random.below(shard.tokens - length);
    const tokens = Uint32Array.from({ length }, (_, i) => shard.token(from + i));
    if (!tokens.includes(SEPARATOR)) return tokens;
  }
}

function countOrder(shard: ShardReader, random: Random, length: number): ProofOrder {
  const query = patternOf(shard, random, length);
  return orderOf(query, { kind: 'count', start: 0, length, ...rankRange(shard, query) });
}

function orderOf(query: Uint32Array, statement: ShardStatement): ProofOrder {
  return { query, statements: [statement], documents: statement.kind === 'occurrence' };
}

/** Patterns of 4 to 19 tokens, and longer ones. */
function kindsOf(shard: ShardReader): Readonly<Record<string, () => ProofOrder>> {
  const random = new Random(2);
  const [never = 0] = tokenise(Buffer.from('zqxj'));
  return {
    count: () => countOrder(shard, random, 4 + random.below(16)),
    'count-long': () => countOrder(shard, random, 20 + random.below(41)),
    absence: () => {
      const query = patternOf(shard, random, 4 + random.below(16));
      query[query.length - 1] = never;
      return orderOf(query, { kind: 'count', start: 0, length: query.length, ...rankRange(shard, query) });
    },
    occurrence: () => {
      const query = patternOf(shard, random, 4 + random.below(16));
      const { lo } = rankRange(shard, query);
      return orderOf(query, { kind: 'occurrence', start: 0, length: query.length, lo, hi: lo + 1 });
    },
  };
}

/** For outputs of 450 tokens, all holders of all spans that tracing keeps, with their documents. */
function bundlesOf(material: TraceMaterial): readonly ProofOrder[] {
  const corpus = new Corpus([material.shard]);
  const random = new Random(1);
  const orders = Array.from({ length: BUNDLES }, (): ProofOrder => {
    const { outputTokens: query, spans } = traceOutput(drawOutput(material, random), corpus);
    const statements = spans.flatMap(({ start, end, ranges }) =>
      ranges.map(({ lo, hi }): ShardStatement => ({ kind: 'holders', start, length: end - start, lo, hi })),
    );
    return { query, statements: statements.toSorted(compareStatements), documents: true };
  });
  return orders.filter(({ statements }) => statements.length > 0);
}

function measure(shard: ShardReader, orders: readonly ProofOrder[]): ProofFigures {
  const { commitment } = shard;
  const requests = orders.map((order) => ({
    commitment,
    query: order.query,
    proof: proveShard(shard, order),
  }));
  for (let i = 0; i < WARM_ROUNDS; i++) for (const request of requests) verifyShardProof(request);
  const before = process.cpuUsage();
  const verify = Array.from({ length: ROUNDS }, () =>
    requests.map((request) => micros(() => verifyShardProof(request))),
  ).flat();
  const { user, system } = process.cpuUsage(before);
  const prove = orders.map((order) => micros(() => proveShard(shard, order)));
  const bytes = requests.map(({ proof }) => proof.length);
  return {
    bytes: bytes.reduce((sum, each) => sum + each, 0) / bytes.length,
    bytesP99: percentile(bytes, 0.99),
    proveP50: percentile(prove, 0.5),
    proveP99: percentile(prove, 0.99),
    verifyP50: percentile(verify, 0.5),
    verifyP99: percentile(verify, 0.99),
    verifyCpu: (user + system) / verify.length,
  };
}

function micros(run: () => unknown): number {
  const start = performance.now();
  run();
  return 1_000 * (performance.now() - start);
}

function hashMicros(): number {
  const input = Buffer.alloc(INNER_BYTES);
  const out = Buffer.alloc(INNER_BYTES);
  const hash = (): void => {
    for (let i = 0; i < HASHES; i++) sha256Into(input, out, 1);
  };
  hash();
  return micros(hash) / HASHES;
}
