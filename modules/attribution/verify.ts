/**
 * The published verifier of attribution claims: pure, without state, importable by clients. The state
 * machine runs exactly this code, so a claim that passes here against the roots on chain passes there.
 *
 * A claim says: bytes [a, a+n) of the answer are bytes [o, o+n) of a contribution. It is opened against the
 * contribution's root by the chunks that hold those bytes. An answer is given by its bytes, or by the same
 * kind of root; then each span opens the answer too.
 */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import type {
  Answer,
  ChunkProof,
  Claim,
  QuotedSpan,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  CHUNK_BYTES,
  chunksOfRange,
  type ContentCommitment,
  chunkCount,
  chunkLength,
  contentRoot,
  rootOfRange,
} from './range-proof.ts';

export * from './prove.ts';
export * from './range-proof.ts';
export * from './retrieval.ts';
export * from './weights.ts';

/** Why a claim is refused. Each has a stable error number: see `errors.ts`. */
export type ClaimProblemKind =
  | 'malformed-claim'
  | 'malformed-answer'
  | 'too-many-spans'
  | 'span-length'
  | 'span-outside-answer'
  | 'span-outside-contribution'
  | 'unknown-contribution'
  | 'malformed-proof'
  | 'proof-too-large'
  | 'forged-span'
  | 'wrong-root'
  | 'wrong-answer-root';

/** What is wrong, where, and what to do about it. */
export interface ClaimProblem {
  readonly kind: ClaimProblemKind;
  readonly detail: string;
}

/** Bounds of a claim: parameters of the attribution module. */
export interface ClaimLimits {
  readonly spansMax: number;
  readonly spanBytesMin: number;
  readonly spanBytesMax: number;
  readonly answerBytesMax: number;
  /** Bytes of all opened chunks and hashes together. */
  readonly proofBytesMax: number;
}

/** Bounds that hold whatever the parameters say; what exceeds them is refused before any state is read. */
export const HARD_LIMITS: ClaimLimits = {
  spansMax: 1024,
  spanBytesMin: 1,
  spanBytesMax: 1 << 20,
  answerBytesMax: 1 << 30,
  proofBytesMax: 1 << 24,
};

/** Work that checking a claim takes, known from its shape alone: what gas is charged for. */
export interface ClaimCost {
  readonly spans: number;
  /** SHA-256 computations. */
  readonly hashes: number;
  /** Bytes hashed or compared. */
  readonly bytes: number;
}

/** A claim with what it is about. */
export interface ClaimInput {
  readonly answer: Answer;
  readonly claim: Claim;
}

/** The content of a contribution as the chain knows it; undefined when there is no such contribution. */
export type SourceLookup = (contributionId: bigint) => ContentCommitment | undefined;

/**
 * Everything that can be wrong with a claim without looking at hashes or state. Undefined when nothing is.
 */
export function problemOfShape(input: ClaimInput, limits: ClaimLimits): ClaimProblem | undefined {
  const { answer, claim } = input;
  const wrong = problemOfAnswer(answer, limits);
  if (wrong !== undefined) return wrong;
  if (claim.spans.length > limits.spansMax)
    return problem(
      'too-many-spans',
      `the claim has ${claim.spans.length} spans, at most ${limits.spansMax} are allowed`,
    );
  let proofBytes = 0;
  for (const [i, span] of claim.spans.entries()) {
    const found =
      problemOfSpan(span, { place: `span ${i}`, answer, limits }) ??
      problemOfOrder(claim.spans[i - 1], span, i);
    if (found !== undefined) return found;
    proofBytes += proofLength(span.sourceProof) + proofLength(span.answerProof);
  }
  if (proofBytes > limits.proofBytesMax)
    return problem(
      'proof-too-large',
      `the proofs take ${proofBytes} bytes, at most ${limits.proofBytesMax} are allowed`,
    );
  return undefined;
}

function problemOfAnswer(answer: Answer, limits: ClaimLimits): ClaimProblem | undefined {
  const committed = answer.root.length > 0;
  if (committed && answer.content.length > 0)
    return problem('malformed-answer', 'give the answer by its content or by its root, not both');
  if (committed && answer.root.length !== HASH_BYTES)
    return problem(
      'malformed-answer',
      `the answer's root has ${answer.root.length} bytes, not ${HASH_BYTES}`,
    );
  if (!committed && answer.byteLength !== 0n)
    return problem('malformed-answer', 'byte_length belongs to an answer that is given by its root');
  if (committed && answer.byteLength === 0n)
    return problem('malformed-answer', 'an answer that is given by its root needs its byte_length');
  if (answerLength(answer) > BigInt(limits.answerBytesMax))
    return problem(
      'malformed-answer',
      `the answer has ${answerLength(answer)} bytes, at most ${limits.answerBytesMax} are allowed`,
    );
  return undefined;
}

interface SpanPlace {
  readonly place: string;
  readonly answer: Answer;
  readonly limits: ClaimLimits;
}

function problemOfSpan(span: QuotedSpan, { place, answer, limits }: SpanPlace): ClaimProblem | undefined {
  const { length } = span;
  if (length < limits.spanBytesMin || length > limits.spanBytesMax)
    return problem(
      'span-length',
      `${place} is ${length} bytes long, ${limits.spanBytesMin} to ${limits.spanBytesMax} are allowed`,
    );
  if (span.answerOffset + BigInt(length) > answerLength(answer))
    return problem(
      'span-outside-answer',
      `${place} ends at byte ${span.answerOffset + BigInt(length)} of an answer of ${answerLength(answer)} bytes`,
    );
  const committed = answer.root.length > 0;
  if (committed !== (span.answerProof !== undefined))
    return problem(
      'malformed-proof',
      `${place} ${committed ? 'needs an answer_proof, since the answer is given by its root' : 'has an answer_proof, but the answer is given in full'}`,
    );
  for (const proof of [span.sourceProof, span.answerProof])
    if (proof?.hashes.some((hash) => hash.length !== HASH_BYTES) ?? false)
      return problem('malformed-proof', `${place} has a proof hash that is not ${HASH_BYTES} bytes long`);
  return undefined;
}

function problemOfOrder(
  before: QuotedSpan | undefined,
  span: QuotedSpan,
  i: number,
): ClaimProblem | undefined {
  if (before === undefined || compareSpans(before, span) < 0) return undefined;
  return problem(
    'malformed-claim',
    `span ${i} is out of order or repeated: sort spans by answer_offset, contribution_id, source_offset`,
  );
}

/** The order in which spans stand in a claim. */
export function compareSpans(a: QuotedSpan, b: QuotedSpan): number {
  const differences = [
    a.answerOffset - b.answerOffset,
    a.contributionId - b.contributionId,
    a.sourceOffset - b.sourceOffset,
    BigInt(a.length - b.length),
  ];
  for (const difference of differences) if (difference !== 0n) return difference < 0n ? -1 : 1;
  return 0;
}

/**
 * What checking a claim of this shape takes. A run of c chunks with h hashes is c leaves and c + h − 1
 * inner nodes.
 */
export function claimCost({ answer, claim }: ClaimInput): ClaimCost {
  const answerChunks = chunkCount(answer.content.length);
  let hashes = 2 * answerChunks;
  let bytes = answer.content.length;
  for (const span of claim.spans) {
    bytes += span.length;
    for (const proof of [span.sourceProof, span.answerProof]) {
      if (proof === undefined) continue;
      hashes += 2 * proof.chunks.length + proof.hashes.length;
      bytes += proofLength(proof);
    }
  }
  return { spans: claim.spans.length, hashes, bytes };
}

/** Root and length of an answer, computed from its content or as given. */
export function answerCommitment(answer: Answer): ContentCommitment {
  if (answer.root.length > 0) return { root: answer.root, byteLength: Number(answer.byteLength) };
  return { root: contentRoot(answer.content), byteLength: answer.content.length };
}

/**
 * The whole check: shape, then every span against its contribution. Undefined when the claim holds.
 * @param sourceOf finds a contribution; called once for each span
 */
export function problemOfClaim(
  input: ClaimInput,
  limits: ClaimLimits,
  sourceOf: SourceLookup,
): ClaimProblem | undefined {
  return problemOfShape(input, limits) ?? problemOfOpenings(input, sourceOf);
}

/** The second half of the check, for a claim whose shape is right: hashes and bytes of every span. */
export function problemOfOpenings(input: ClaimInput, sourceOf: SourceLookup): ClaimProblem | undefined {
  for (const [i, span] of input.claim.spans.entries()) {
    const source = sourceOf(span.contributionId);
    const place = `span ${i}`;
    if (source === undefined) {
      const id = span.contributionId;
      return problem(
        'unknown-contribution',
        `${place} names contribution ${id}, which does not exist; check the id`,
      );
    }
    const found = problemOfOpening({ span, source, answer: input.answer, place });
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Opening {
  readonly span: QuotedSpan;
  readonly source: ContentCommitment;
  readonly answer: Answer;
  readonly place: string;
}

function problemOfOpening({ span, source, answer, place }: Opening): ClaimProblem | undefined {
  const { length, contributionId } = span;
  const end = span.sourceOffset + BigInt(length);
  if (end > BigInt(source.byteLength)) {
    const where = `${place} ends at byte ${end} of contribution ${contributionId}`;
    return problem('span-outside-contribution', `${where}, which has ${source.byteLength} bytes`);
  }
  const sourceRange = { offset: Number(span.sourceOffset), length, content: source };
  const quoted = openRange(span.sourceProof, sourceRange);
  if (quoted === undefined) return problem('malformed-proof', `${place}: ${proofAdvice(sourceRange)}`);
  if (!equalBytes(quoted.root, source.root)) {
    const roots = `leads to ${toHex(quoted.root)}, but the root of contribution ${contributionId} is ${toHex(source.root)}`;
    return problem(
      'wrong-root',
      `${place}: its proof ${roots}; build it from the content that was contributed`,
    );
  }
  const { answerProof } = span;
  const said = openedAnswer(answer, { offset: Number(span.answerOffset), length, answerProof, place });
  if (!(said instanceof Uint8Array)) return said;
  const at = firstDifference(said, quoted.bytes);
  if (at === undefined) return undefined;
  const bytes = `byte ${span.answerOffset + BigInt(at)} of the answer is not byte ${span.sourceOffset + BigInt(at)}`;
  return problem(
    'forged-span',
    `${place}: ${bytes} of contribution ${contributionId}; quote it exactly or drop the span`,
  );
}

/** A run of an answer: with a proof when the answer is given by its root. */
export interface AnswerRun {
  readonly offset: number;
  readonly length: number;
  readonly answerProof: ChunkProof | undefined;
  /** For sentences: `span 3`. */
  readonly place: string;
}

/** What the answer says in a run: from its content, or opened against its root. */
export function openedAnswer(answer: Answer, run: AnswerRun): Uint8Array | ClaimProblem {
  const { offset, length, answerProof, place } = run;
  if (answerProof === undefined) return answer.content.subarray(offset, offset + length);
  const range = { offset, length, content: answerCommitment(answer) };
  const opened = openRange(answerProof, range);
  if (opened === undefined)
    return problem('malformed-proof', `${place}, answer_proof: ${proofAdvice(range)}`);
  if (equalBytes(opened.root, answer.root)) return opened.bytes;
  const roots = `leads to ${toHex(opened.root)}, but the answer's root is ${toHex(answer.root)}`;
  return problem('wrong-answer-root', `${place}: its answer_proof ${roots}`);
}

interface ByteRange {
  readonly offset: number;
  readonly length: number;
  readonly content: ContentCommitment;
}

/**
 * The bytes that a proof opens and the root that it leads to; undefined when chunks or hashes do not fit
 * the range.
 */
function openRange(
  proof: ChunkProof,
  range: ByteRange,
): { readonly bytes: Uint8Array; readonly root: Uint8Array } | undefined {
  const { offset, length, content } = range;
  const { first, end } = chunksOfRange(offset, length);
  if (proof.chunks.length !== end - first) return undefined;
  const opened = new Uint8Array((end - first) * CHUNK_BYTES);
  for (const [i, chunk] of proof.chunks.entries()) {
    if (chunk.length !== chunkLength(first + i, content.byteLength)) return undefined;
    opened.set(chunk, i * CHUNK_BYTES);
  }
  const total = chunkCount(content.byteLength);
  const root = rootOfRange({ total, first, chunks: proof.chunks, hashes: proof.hashes });
  if (root === undefined) return undefined;
  const start = offset - first * CHUNK_BYTES;
  return { bytes: opened.subarray(start, start + length), root };
}

function proofAdvice({ offset, length, content }: ByteRange): string {
  const { first, end } = chunksOfRange(offset, length);
  return `the proof must hold chunks ${first} to ${end - 1} of ${chunkCount(content.byteLength)}, whole and in order, and exactly the hashes that lead from them to the root`;
}

function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return undefined;
}

/** Bytes of an answer. */
export function answerLength(answer: Answer): bigint {
  return answer.root.length > 0 ? answer.byteLength : BigInt(answer.content.length);
}

/** Bytes of opened chunks and hashes. */
export function proofLength(proof: ChunkProof | undefined): number {
  if (proof === undefined) return 0;
  return proof.chunks.reduce((sum, chunk) => sum + chunk.length, 0) + proof.hashes.length * HASH_BYTES;
}

/** A problem of this kind. */
export function problem(kind: ClaimProblemKind, detail: string): ClaimProblem {
  return { kind, detail };
}
