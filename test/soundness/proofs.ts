/** Changed proofs are refused, unless what comes out is the proof of something else that is true. */
import { type ProofOrder, proveShard } from '../../attest/prove/prove.ts';
import { rankRange } from '../../attest/query/search.ts';
import type { ShardArrays } from '../../attest/shard.ts';
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { DecodeError, LedgerError } from '../../core/errors.ts';
import { ProofReader, ProofWriter } from '../../modules/attribution/proof/shard/bytes.ts';
import {
  compareStatements,
  proofShape,
  readStatement,
  type ShardStatement,
  writeStatement,
} from '../../modules/attribution/proof/shard/format.ts';
import {
  type ShardProof,
  type ShardProofRequest,
  verifyShardProof,
} from '../../modules/attribution/proof/shard/verify.ts';
import { SEPARATOR, tokenise } from '../../modules/attribution/proof/tokenise.ts';
import type { Random } from '../fuzz/random.ts';
import type { ShardCase } from './shards.ts';

/** What proofs show. */
export type ProofKind = 'count' | 'absence' | 'longest' | 'holders' | 'occurrence' | 'bundle';

/** A true proof and what it was made from. */
export interface HonestProof {
  readonly kind: ProofKind;
  readonly from: ShardCase;
  readonly order: ProofOrder;
  readonly request: ShardProofRequest;
}

/** A part of the text of a shard, with other tokens behind it now and then. */
function queryOf({ arrays }: ShardCase, random: Random): Uint32Array {
  const from = random.below(arrays.tokens);
  const tokens: number[] = [];
  for (let at = from; at < arrays.tokens && arrays.token(at) !== 1 && tokens.length < 90; at++)
    tokens.push(arrays.token(at));
  const other = [...tokenise(new TextEncoder().encode(random.oneIn(2) ? 'zebra ' : 'ab of the '))];
  const query = random.oneIn(3) ? [...tokens, ...other] : random.oneIn(6) ? [...other, ...tokens] : tokens;
  return Uint32Array.from(query.length === 0 ? other : query);
}

function statementsOf(arrays: ShardArrays, query: Uint32Array, random: Random): ShardStatement[] {
  const start = random.below(query.length);
  const length = 1 + random.below(query.length - start);
  const { lo, hi } = rankRange(arrays, query.subarray(start, start + length));
  if (lo === hi || random.oneIn(2)) return [{ kind: 'count', start, length, lo, hi }];
  if (random.oneIn(2)) return [{ kind: 'holders', start, length, lo, hi }];
  const rank = lo + random.below(hi - lo);
  return [{ kind: 'occurrence', start, length, lo: rank, hi: rank + 1 }];
}

/** In the order of the format, each once. */
function rising(statements: readonly ShardStatement[]): readonly ShardStatement[] {
  const sorted = statements.toSorted(compareStatements);
  return sorted.filter((statement, i) => {
    const before = sorted[i - 1];
    return before === undefined || compareStatements(before, statement) < 0;
  });
}

function kindOf(statements: readonly ShardStatement[], query: Uint32Array): ProofKind {
  const [first, second] = statements;
  if (first === undefined || second !== undefined) return 'bundle';
  if (first.kind !== 'count' || first.lo < first.hi) return first.kind;
  return first.start + first.length === query.length ? 'longest' : 'absence';
}

/** A proof of something true of a shard. @throws Error when it is refused */
export function honestProof(from: ShardCase, random: Random): HonestProof {
  const query = queryOf(from, random);
  const statements = statementsOf(from.arrays, query, random);
  while (random.oneIn(4)) statements.push(...statementsOf(from.arrays, query, random));
  const order = { query, statements: rising(statements), documents: random.oneIn(2) };
  const { commitment } = from.shard;
  const request = { commitment, query, proof: proveShard(from.shard, order) };
  verifyShardProof(request);
  return { kind: kindOf(order.statements, query), from, order, request };
}

/** A change of a proof, or of what it is held against. */
type Mutation = (honest: HonestProof, random: Random, others: readonly HonestProof[]) => ShardProofRequest;

function ofBytes(change: (proof: Uint8Array, random: Random) => Uint8Array): Mutation {
  return ({ request }, random) => ({ ...request, proof: change(request.proof, random) });
}

/** The statements with other ranks; the leaves stay, or are opened anew for what is now said. */
function ofRanks({ request, order, from }: HonestProof, random: Random): ShardProofRequest {
  const at = random.below(order.statements.length);
  const { tokens } = request.commitment;
  const changed = order.statements.map((statement, i): ShardStatement => {
    if (i !== at) return statement;
    const [down, up] = [random.below(3) - 1, random.below(3) - 1];
    const lo = Math.min(
      tokens - 1,
      Math.max(0, random.oneIn(5) ? random.below(tokens) : statement.lo + down),
    );
    const hi = Math.min(tokens, Math.max(lo, statement.hi + up));
    if (statement.kind === 'occurrence') return { ...statement, lo, hi: lo + 1 };
    return { ...statement, lo, hi: statement.kind === 'holders' ? Math.max(hi, lo + 1) : hi };
  });
  if (random.oneIn(2))
    return { ...request, proof: proveShard(from.shard, { ...order, statements: changed }) };
  return {
    ...request,
    proof: concatBytes(headOf(request, changed), request.proof.subarray(headEnd(request))),
  };
}

/** First bytes of a proof, with these statements. */
function headOf({ commitment, proof }: ShardProofRequest, statements: readonly ShardStatement[]): Uint8Array {
  const writer = new ProofWriter();
  writer.raw(proof.subarray(0, 1));
  writer.varint(statements.length);
  for (const statement of statements) writeStatement(writer, proofShape(commitment), statement);
  return writer.done();
}

/** Where a true proof's statements end. */
function headEnd({ commitment, query, proof }: ShardProofRequest): number {
  const reader = new ProofReader(proof);
  reader.u8();
  for (let count = reader.varint(); count > 0; count--) readStatement(reader, proofShape(commitment), query);
  return reader.at;
}

function swapHalves(bytes: Uint8Array, from: number): Uint8Array {
  const middle = from + Math.floor((bytes.length - from) / 2);
  return concatBytes(bytes.subarray(0, from), bytes.subarray(middle), bytes.subarray(from, middle));
}

/** Hashes stand at the end: two neighbours change places. */
function swapHashes(proof: Uint8Array, random: Random): Uint8Array {
  const hashes = Math.floor(proof.length / 32) - 1;
  const at = proof.length - 32 * (1 + random.below(Math.max(1, hashes)));
  const [a, b, c] = [Math.max(0, at - 32), Math.max(0, at), Math.min(proof.length, at + 32)];
  return concatBytes(proof.subarray(0, a), proof.subarray(b, c), proof.subarray(a, b), proof.subarray(c));
}

function otherShard(others: readonly HonestProof[], random: Random): HonestProof | undefined {
  return others[random.below(others.length)];
}

/** Ids that no content has: the separator, zeros inside, letters behind spaces, four bytes that are one each. */
const NO_TOKENS = [SEPARATOR, 0x61000061, 0x20206161, 0xffffffff] as const;

/** The proof that a prover makes who takes such an id for a token; where a pattern is, or beside it. */
function ofNoToken({ request, order, from }: HonestProof, random: Random): ShardProofRequest {
  const query = request.query.slice();
  query[random.below(query.length)] = random.pick(NO_TOKENS);
  const statements = order.statements.map((statement): ShardStatement => {
    const { start, length } = statement;
    const { lo, hi } = rankRange(from.arrays, query.subarray(start, start + length));
    return lo < hi && statement.kind !== 'count'
      ? { ...statement, lo, hi: statement.kind === 'holders' ? hi : lo + 1 }
      : { kind: 'count', start, length, lo, hi };
  });
  return { ...request, query, proof: proofOrOld({ request, order, from }, query, statements) };
}

/** A separator at the end of a pattern can lead the prover behind the text: then the proof is that of before. */
function proofOrOld(
  { request, order, from }: Pick<HonestProof, 'request' | 'order' | 'from'>,
  query: Uint32Array,
  statements: readonly ShardStatement[],
): Uint8Array {
  try {
    return proveShard(from.shard, { ...order, query, statements: rising(statements) });
  } catch (error) {
    if (error instanceof RangeError) return request.proof;
    throw error;
  }
}

/** The proof of the same statements and more, in some order. */
function ofStatements(
  change: (statements: readonly ShardStatement[], random: Random) => readonly ShardStatement[],
): Mutation {
  return ({ request, order, from }, random) => ({
    ...request,
    proof: proveShard(from.shard, { ...order, statements: change(order.statements, random) }),
  });
}

/** Every change, by name. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a bit': ofBytes((proof, random) => {
    const copy = proof.slice();
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  }),
  'a bit of what is not a hash': ofBytes((proof, random) => {
    const copy = proof.slice();
    const at = random.below(Math.min(copy.length, 60));
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  }),
  ranks: ofRanks,
  'another Datanet': ({ request }, random, others) => ({
    ...request,
    commitment: otherShard(others, random)?.request.commitment ?? request.commitment,
  }),
  "another shard's proof": ({ request }, random, others) => ({
    ...request,
    proof: otherShard(others, random)?.request.proof ?? request.proof,
  }),
  'a stale root': ({ request, from }, random) => {
    const { suffixRoot } = from.stale;
    const commitment = random.oneIn(2) ? from.stale : { ...request.commitment, suffixRoot };
    return { ...request, commitment };
  },
  'swapped halves': ({ request }, random) => ({
    ...request,
    proof: swapHalves(request.proof, random.oneIn(2) ? 0 : headEnd(request)),
  }),
  'swapped hashes': ofBytes(swapHashes),
  'wrong leaf count': ({ request }, random) => {
    const { commitment } = request;
    const by = random.oneIn(2) ? 1 : -1;
    const entriesPerLeaf = random.oneIn(4) ? 9 - commitment.entriesPerLeaf : commitment.entriesPerLeaf;
    const documents = random.oneIn(3) ? commitment.documents + by : commitment.documents;
    const tokens = documents === commitment.documents ? commitment.tokens + 64 * by : commitment.tokens;
    return { ...request, commitment: { ...commitment, entriesPerLeaf, documents, tokens } };
  },
  truncated: ofBytes((proof, random) => proof.subarray(0, random.below(proof.length))),
  longer: ofBytes((proof, random) => concatBytes(proof, random.bytes(1 + random.below(40)))),
  'no token in the query': ofNoToken,
  'a statement twice': ofStatements((statements, random) => {
    const at = random.below(statements.length);
    const to = random.below(statements.length + 1);
    const again = statements[at];
    return again === undefined ? statements : statements.toSpliced(to, 0, again);
  }),
  'another statement of a pattern twice': ofStatements((statements, random) => {
    const again = statements[random.below(statements.length)];
    if (again === undefined) return statements;
    const count: ShardStatement = { ...again, kind: 'count' };
    return [count, ...statements, count];
  }),
  'statements in another order': ofStatements((statements, random) => {
    const at = random.below(statements.length);
    return [...statements.slice(at), ...statements.slice(0, at)];
  }),
  'another pattern': ({ request }, random) => {
    const query = request.query.slice();
    const at = random.below(query.length);
    query[at] = random.oneIn(2) ? random.uint32() : (query[random.below(query.length)] ?? 0);
    return { ...request, query };
  },
};

/**
 * What became of a changed proof. `true`: it is the proof of another statement, which is true. `same`: the
 * change left the statement and all that it rests on as they were.
 */
export type Outcome = 'refused' | 'true' | 'same' | 'FORGED';

/** Holds a changed proof against the verifier. */
export function judge(
  honest: HonestProof,
  mutant: ShardProofRequest,
  others: readonly HonestProof[],
): Outcome {
  const shown = shownBy(mutant);
  if (shown === undefined) return 'refused';
  if (!isLawful(mutant, shown)) return 'FORGED';
  if (isUntouched(honest, mutant, shown)) return 'same';
  const source = [honest, ...others].find(({ request: { commitment } }) => commitment === mutant.commitment);
  return source !== undefined && isTrueProof(source.from, mutant, shown) ? 'true' : 'FORGED';
}

/** What a proof may never be: about ids that are no tokens, or of statements that do not rise. */
function isLawful({ query }: ShardProofRequest, { statements }: ShardProof): boolean {
  const rises = statements.every(({ statement }, i) => {
    const before = statements[i - 1]?.statement;
    return before === undefined || compareStatements(before, statement) < 0;
  });
  return rises && !NO_TOKENS.some((id) => query.includes(id));
}

/** Whether it shows the same of the same patterns, by the same bytes, against the trees of which it opens leaves. */
function isUntouched({ request }: HonestProof, mutant: ShardProofRequest, shown: ShardProof): boolean {
  const [before, after] = [request.commitment, mutant.commitment];
  const isSameShard =
    before.tokens === after.tokens &&
    before.entriesPerLeaf === after.entriesPerLeaf &&
    equalBytes(before.suffixRoot, after.suffixRoot) &&
    equalBytes(before.textRoot, after.textRoot) &&
    (shown.documents.size === 0 ||
      (before.documents === after.documents && equalBytes(before.documentRoot, after.documentRoot)));
  const patterns = shown.statements.every(({ statement: { start, length } }) =>
    mutant.query.subarray(start, start + length).every((token, i) => token === request.query[start + i]),
  );
  return isSameShard && patterns && equalBytes(mutant.proof, request.proof);
}

/** What a request shows; undefined when it is refused in one of the documented ways. */
export function shownBy(request: ShardProofRequest): ShardProof | undefined {
  try {
    return verifyShardProof(request);
  } catch (error) {
    if (error instanceof DecodeError || error instanceof LedgerError) return undefined;
    throw error;
  }
}

/** True when all that it says is so, by counting, and the bytes are the ones that the prover gives for it. */
function isTrueProof(from: ShardCase, { query, proof }: ShardProofRequest, shown: ShardProof): boolean {
  const statements = shown.statements.map(({ statement }) => statement);
  const order = { query, statements, documents: (proof[0] ?? 0) % 2 === 1 };
  return (
    statements.every((statement) => isTrue(from.arrays, query, statement)) &&
    equalBytes(proveShard(from.shard, order), proof)
  );
}

function isTrue(arrays: ShardArrays, query: Uint32Array, statement: ShardStatement): boolean {
  const { kind, start, length, lo, hi } = statement;
  const begins = (position: number): boolean => {
    for (let i = 0; i < length; i++) if (tokenAt(arrays, position + i) !== query[start + i]) return false;
    return true;
  };
  if (kind === 'occurrence') return begins(arrays.suffix(lo));
  for (let rank = 0; rank < arrays.tokens; rank++)
    if (begins(arrays.suffix(rank)) !== (lo <= rank && rank < hi)) return false;
  return true;
}

function tokenAt(arrays: ShardArrays, position: number): number {
  return position < arrays.tokens ? arrays.token(position) : -1;
}
