/** The dearest pieces of evidence about shards that we know of, and what checks each. */
import { fraudAt, openLeaves } from '../../attest/prove/fraud-at.ts';
import { shardInMemory } from '../../attest/prove/memory.ts';
import { proveShard } from '../../attest/prove/prove.ts';
import { rankRange } from '../../attest/query/search.ts';
import type { ShardArrays, ShardReader, SourceDocument } from '../../attest/shard.ts';
import { naiveShard, textDocument } from '../../attest/testing/naive-shard.ts';
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { DEFAULT_PARAMS } from '../../modules/attribution/params.ts';
import {
  problemOfTexts,
  provenanceWeights,
  tokensOfSpans,
  workOfTexts,
} from '../../modules/attribution/proof/provenance.ts';
import { refusalOr } from '../../modules/attribution/proof/refusal.ts';
import { ProofWriter } from '../../modules/attribution/proof/shard/bytes.ts';
import {
  decodeFraud,
  encodeFraud,
  type FraudStatement,
  OPENS,
} from '../../modules/attribution/proof/shard/fraud-format.ts';
import {
  compareStatements,
  PATTERN_TOKENS_MAX,
  PROOF_VERSION,
  proofShape,
  type ShardStatement,
  STATEMENTS_MAX,
  writeStatement,
} from '../../modules/attribution/proof/shard/format.ts';
import { verifyFraud } from '../../modules/attribution/proof/shard/fraud.ts';
import { verifyShardProof } from '../../modules/attribution/proof/shard/verify.ts';
import { workOfFraud, workOfShardProof } from '../../modules/attribution/proof/shard/work.ts';
import type { Work } from '../../modules/attribution/proof/work.ts';
import { openAnswer } from '../../modules/attribution/verify.ts';
import { ProvenanceSpan, TokenProvenance } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Random } from '../fuzz/random.ts';
import { shardPieces } from './evidence-pieces.ts';

/** A piece of evidence: what is charged for it, and what is then done. */
export interface EvidenceCase {
  readonly name: string;
  readonly bytes: number;
  readonly work: Work;
  readonly check: () => unknown;
}

const WORDS = 400;
const LONG_WORDS = 6_000;
const SHORT_DOCUMENTS = 60;
const SALT = utf8('secret');

function words(random: Random, vocabulary: readonly string[], count: number): string {
  return Array.from({ length: count }, () => vocabulary[random.below(vocabulary.length)]).join(' ');
}

/** A long document, most of it again in another, and short ones. */
function documents(): readonly SourceDocument[] {
  const random = new Random(1);
  const letter = (): string => String.fromCharCode(97 + random.below(26));
  const vocabulary = Array.from({ length: WORDS }, () =>
    Array.from({ length: 1 + random.below(9) }, letter).join(''),
  );
  const long = words(random, vocabulary, LONG_WORDS);
  const others = Array.from({ length: SHORT_DOCUMENTS }, () => words(random, vocabulary, 40));
  return [long, long.slice(0, 16_000), ...others].map((text, i) => ({
    ...textDocument(i + 1, text),
    contributor: new Uint8Array(255).fill(i),
  }));
}

/** Proofs as large, as deep and as repetitive as the format lets them be, for one shard. */
function proofCases(shard: ShardReader, arrays: ShardArrays): readonly EvidenceCase[] {
  const text = Uint32Array.from({ length: PATTERN_TOKENS_MAX + STATEMENTS_MAX }, (_, i) => arrays.token(i));
  const range = (start: number, length: number) => rankRange(arrays, text.subarray(start, start + length));
  const count = (start: number, length: number): ShardStatement => {
    return { kind: 'count', start, length, ...range(start, length) };
  };
  const many = (each: (i: number) => ShardStatement, howMany = STATEMENTS_MAX): ShardStatement[] =>
    Array.from({ length: howMany }, (_, i) => each(i)).sort(compareStatements);
  const starts = Array.from({ length: 2_000 }, (_, start) => ({ start, ...range(start, 1) }));
  const common = starts.reduce((best, at) => (at.hi - at.lo > best.hi - best.lo ? at : best));
  const holders: ShardStatement = { kind: 'holders', length: 1, ...common };
  const orders: Readonly<Record<string, readonly ShardStatement[]>> = {
    'a short count': [count(40, 10)],
    'the longest count': [count(0, PATTERN_TOKENS_MAX)],
    '32 of the longest counts': many((i) => count(i, PATTERN_TOKENS_MAX), 32),
    '256 counts of 512': many((i) => count(8 * i, 512)),
    '256 counts of 33': many((i) => count(16 * i, 33)),
    '256 counts of 5': many((i) => count(16 * i, 5)),
    'a pattern by all its lengths': many((i) => count(0, 1 + 2 * i)),
    'holders of the commonest token': [holders],
    '256 occurrences': many((i) => {
      const { lo } = range(i, 8);
      return { kind: 'occurrence', start: i, length: 8, lo, hi: lo + 1 };
    }),
  };
  const { commitment } = shard;
  return Object.entries(orders).flatMap(([name, statements]) => {
    const query = text.slice(0, Math.max(...statements.map(({ start, length }) => start + length)));
    return [false, true].map((open): EvidenceCase => {
      const proof = proveShard(shard, { query, statements, documents: open });
      const request = { commitment, query, proof };
      const label = `${name}${proof[0] === 0x11 ? ', documents' : ''}`;
      const check = (): unknown => verifyShardProof(request);
      return { name: label, bytes: proof.length, work: workOfShardProof(request), check };
    });
  });
}

/** Statements alone: what is read before their work is charged for, when the last of them is wrong. */
function headCase({ commitment }: ShardReader): EvidenceCase {
  const writer = new ProofWriter();
  writer.uint(PROOF_VERSION, 1);
  writer.varint(STATEMENTS_MAX);
  const shape = proofShape(commitment);
  for (let start = 0; start < STATEMENTS_MAX; start++)
    writeStatement(writer, shape, { kind: 'occurrence', start, length: 1, lo: 0, hi: 1 });
  const proof = writer.done().slice(0, -1);
  const query = new Uint32Array(STATEMENTS_MAX);
  const check = (): unknown => refusalOr(() => workOfShardProof({ commitment, query, proof }));
  return { name: 'statements cut short', bytes: proof.length, work: NO_WORK, check };
}

const NO_WORK: Work = { hashes: 0, bytes: 0 };

/** Every kind of fraud at the place where its proof is longest, of a right shard: all is checked, in vain. */
function fraudCases(shard: ShardReader, sources: readonly SourceDocument[]): readonly EvidenceCase[] {
  const content = (document: number): Uint8Array => sources[document]?.content ?? new Uint8Array(0);
  const { commitment } = shard;
  const records = sources.map(({ contributionId, contributor, root, byteLength }) => {
    return { contributionId, contributor, root, byteLength: BigInt(byteLength), accepted: true };
  });
  const chain = { recordAt: (_datanet: bigint, position: bigint) => records[Number(position)] };
  const statements = Object.keys(OPENS) as FraudStatement[];
  const made = statements.map((kind) => {
    const places = kind.startsWith('document-') ? [1] : [63, 127, 640, 703, 1_000, 4_095];
    const all = places.flatMap((at) => {
      const fraud = refusalOr(() => fraudAt(shard, { kind, at }, content));
      return 'value' in fraud ? [encodeFraud(fraud.value)] : [];
    });
    return { name: `fraud ${kind}`, proof: all.reduce((a, b) => (b.length > a.length ? b : a)) };
  });
  for (const tree of ['text', 'suffix', 'inverse', 'documents'] as const) {
    const opened = openLeaves(shard, tree, [1]);
    made.push({
      name: `fraud malformed ${tree}`,
      proof: encodeFraud({ kind: 'malformed-leaf', tree, opened }),
    });
  }
  return made.map(({ name, proof }): EvidenceCase => {
    const check = (): unknown => refusalOr(() => verifyFraud(commitment, decodeFraud(proof), chain));
    return { name, bytes: proof.length, work: workOfFraud(decodeFraud(proof)), check };
  });
}

/** All of them, of shards with one and with eight entries in a leaf, the latter salted. */
export function shardEvidence(): readonly EvidenceCase[] {
  const sources = documents();
  const arrays = naiveShard(sources);
  return [1, 8].flatMap((entriesPerLeaf) => {
    const salted = entriesPerLeaf === 8 ? { saltSecret: SALT } : {};
    const shard = shardInMemory(arrays, { datanetId: 1n, entriesPerLeaf, ...salted });
    const label = (each: EvidenceCase): EvidenceCase => ({
      ...each,
      name: `${each.name}, B=${entriesPerLeaf}`,
    });
    const cases = [...proofCases(shard, arrays), headCase(shard), ...fraudCases(shard, sources)];
    return [...cases, ...shardPieces(shard)].map(label);
  });
}

/** Passages of the greatest length, as many as the parameters allow: what is done with their texts. */
export function textEvidence(): EvidenceCase {
  const { spansMax, spanBytesMax } = DEFAULT_PARAMS;
  const [first] = documents();
  const text = (first?.content ?? new Uint8Array(0)).slice(0, spanBytesMax);
  const answer = openAnswer(concatBytes(...Array.from({ length: spansMax }, () => text)));
  const hits = [{ shardId: 1n, firstRank: 0, contributionIds: [1n] }];
  const spans = Array.from({ length: spansMax }, (_, i) =>
    ProvenanceSpan.create({ answerOffset: BigInt(i * text.length), text, hits }),
  );
  const token = TokenProvenance.create({ spans });
  const shard = shardInMemory(naiveShard(documents()), { datanetId: 1n });
  const shards = [{ id: 1n, commitment: shard.commitment }];
  const check = (): unknown => {
    tokensOfSpans(spans);
    return problemOfTexts(token, answer) ?? provenanceWeights(spans, shards, (id) => id);
  };
  return { name: 'texts of a claim', bytes: 0, work: workOfTexts(token), check };
}
