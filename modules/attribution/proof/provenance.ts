/** Token provenance: form, proofs and weights of statements about where passages of an answer occur. */
import { equalBytes } from '../../../core/bytes.ts';
import type {
  Answer,
  ProvenanceSpan,
  ShardCommitment,
  ShardHit,
  TokenProvenance,
} from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { refusalOr } from './refusal.ts';
import type { ShardStatement } from './shard/format.ts';
import { type ProvedStatement, verifyShardProof } from './shard/verify.ts';
import { workOfShardProof } from './shard/work.ts';
import { tokenise } from './tokenise.ts';
import { isSentenceEnd, type SpanLimits, rulesUnder } from './trace/rules.ts';
import { spanWeights, traceWeights } from './trace/shares.ts';
import { sumOfWork, type Work, workOfOpening } from './work.ts';
import { answerLength, type ClaimProblem, openedAnswer, problem, proofLength } from '../verify.ts';
import type { Weight } from '../weights.ts';

/** Most indexes that a claim rests on: one for each snapshot. */
export const CLAIM_INDEXES_MAX = 4;

/** Bounds of provenance: parameters of the module. */
export interface ProvenanceLimits extends SpanLimits {
  readonly proofBytesMax: number;
}

/** Everything that can be wrong without looking at hashes or state. */
export function problemOfProvenanceShape(
  { indexIds, spans, proofs }: TokenProvenance,
  answer: Answer,
  limits: ProvenanceLimits,
): ClaimProblem | undefined {
  if (indexIds.length === 0 || indexIds.length > CLAIM_INDEXES_MAX || !ascends(indexIds))
    return problem('malformed-claim', `index_ids must be 1 to ${CLAIM_INDEXES_MAX}, ascending`);
  if (spans.length === 0) return problem('malformed-claim', 'token provenance without spans');
  if (spans.length > limits.spansMax)
    return problem('too-many-spans', `${spans.length} spans, at most ${limits.spansMax} are allowed`);
  const proofBytes = proofs.reduce((sum, proof) => sum + proof.length, 0);
  if (proofBytes > limits.proofBytesMax)
    return problem(
      'proof-too-large',
      `the proofs take ${proofBytes} bytes, more than ${limits.proofBytesMax}`,
    );
  let reached = 0n;
  for (const [i, span] of spans.entries()) {
    const wrong = problemOfSpan(span, { place: `span ${i}`, answer, limits, reached });
    if (wrong !== undefined) return wrong;
    reached = span.answerOffset + BigInt(span.text.length);
  }
  return undefined;
}

function problemOfSpan(
  { answerOffset, text, hits, answerProof }: ProvenanceSpan,
  at: {
    readonly place: string;
    readonly answer: Answer;
    readonly limits: ProvenanceLimits;
    readonly reached: bigint;
  },
): ClaimProblem | undefined {
  const { place, answer, limits, reached } = at;
  const { occurrencesMax } = limits;
  const { spanBytesMin, spanBytesMax } = rulesUnder(limits);
  if (text.length < spanBytesMin || text.length > spanBytesMax)
    return problem(
      'span-length',
      `${place} has ${text.length} bytes, not ${spanBytesMin} to ${spanBytesMax}`,
    );
  // A longer run is rarer than each of its sentences: it would pay those alone who hold them in this order.
  if (tokenise(text).subarray(0, -1).some(isSentenceEnd))
    return problem('malformed-claim', `${place} goes beyond a sentence; name each by itself`);
  if (answerOffset < reached)
    return problem('malformed-claim', `${place} begins before the end of the one before`);
  if (answerOffset + BigInt(text.length) > answerLength(answer))
    return problem('span-outside-answer', `${place} ends behind the answer`);
  if (answer.root.length > 0 !== (answerProof !== undefined))
    return problem(
      'malformed-proof',
      `${place}: answer_proof belongs to an answer that is given by its root`,
    );
  if (hits.length === 0 || !ascends(hits.map(({ shardId }) => shardId)))
    return problem('malformed-claim', `${place} needs hits, by ascending shard_id`);
  const occurrences = hits.reduce((sum, { contributionIds }) => sum + contributionIds.length, 0);
  if (occurrences > occurrencesMax || hits.some(({ contributionIds }) => contributionIds.length === 0))
    return problem(
      'malformed-claim',
      `${place} has ${occurrences} occurrences, at most ${occurrencesMax} are allowed, and at least one in each hit`,
    );
  return undefined;
}

function ascends(numbers: readonly bigint[]): boolean {
  return numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? number));
}

/** Whether the answer says what each span has. Opens it where it is given by its root. */
export function problemOfTexts({ spans }: TokenProvenance, answer: Answer): ClaimProblem | undefined {
  for (const [i, { answerOffset, text, answerProof }] of spans.entries()) {
    const place = `span ${i}`;
    const said = openedAnswer(answer, {
      offset: Number(answerOffset),
      length: text.length,
      answerProof,
      place,
    });
    if (!(said instanceof Uint8Array)) return said;
    if (!equalBytes(said, text)) return problem('forged-span', `${place}: the answer says something else`);
  }
  return undefined;
}

/** The tokens of all spans, one after another, and where each begins. */
export interface SpanTokens {
  readonly query: Uint32Array;
  /** One more than there are spans. */
  readonly starts: readonly number[];
}

/** Tokens of the texts of spans, each tokenised alone. */
export function tokensOfSpans(spans: readonly Pick<ProvenanceSpan, 'text'>[]): SpanTokens {
  const parts = spans.map(({ text }) => tokenise(text));
  const starts = [0];
  for (const part of parts) starts.push((starts.at(-1) ?? 0) + part.length);
  const query = new Uint32Array(starts.at(-1) ?? 0);
  for (const [i, part] of parts.entries()) query.set(part, starts[i] ?? 0);
  return { query, starts };
}

/** A shard that a claim rests on. */
export interface ClaimedShard {
  readonly id: bigint;
  readonly commitment: ShardCommitment;
}

/** The contribution of a document of a shard; undefined when there is none. */
export type DocumentLookup = (shard: ClaimedShard, document: number) => bigint | undefined;

/** What is claimed of a span in a shard; undefined: that it does not occur. */
export function hitIn({ hits }: ProvenanceSpan, shardId: bigint): ShardHit | undefined {
  return hits.find((hit) => hit.shardId === shardId);
}

/**
 * Checks the proofs of a claim, one for each shard.
 * @param shards by id, all of the claim's indexes
 */
export function problemOfProofs(
  { spans, proofs }: TokenProvenance,
  shards: readonly ClaimedShard[],
  contributionOf: DocumentLookup,
): ClaimProblem | undefined {
  const wrong = problemOfCount(proofs, shards);
  if (wrong !== undefined) return wrong;
  const tokens = tokensOfSpans(spans);
  const hitsOf = spans.map(({ hits }) => new Map(hits.map((hit) => [hit.shardId, hit])));
  for (const [i, shard] of shards.entries()) {
    const proved = statementsOf(shard, tokens.query, proofs[i] ?? new Uint8Array(0));
    if (typeof proved === 'string') return problem('malformed-proof', `shard ${shard.id}: ${proved}`);
    if (proved.length !== spans.length)
      return problem(
        'malformed-proof',
        `shard ${shard.id}: ${proved.length} statements, not one for each span`,
      );
    for (const at of spans.keys()) {
      const start = tokens.starts[at] ?? 0;
      const length = (tokens.starts[at + 1] ?? 0) - start;
      const statement = proved[at];
      const hit = hitsOf[at]?.get(shard.id);
      if (statement !== undefined && shows(statement, { start, length, hit })) {
        const other = otherHolder(statement, shard, hit, contributionOf);
        if (other === undefined) continue;
        return problem(
          'forged-span',
          `span ${at}: rank ${other} of shard ${shard.id} is of another contribution`,
        );
      }
      return problem('malformed-proof', `shard ${shard.id}: statement ${at} is not what span ${at} claims`);
    }
  }
  return undefined;
}

function problemOfCount(
  proofs: readonly Uint8Array[],
  shards: readonly ClaimedShard[],
): ClaimProblem | undefined {
  if (proofs.length === shards.length) return undefined;
  return problem('malformed-proof', `${proofs.length} proofs for ${shards.length} shards; one for each`);
}

/** The statements that a proof shows, or why it shows none. */
export function statementsOf(
  { commitment }: ClaimedShard,
  query: Uint32Array,
  proof: Uint8Array,
): readonly ProvedStatement[] | string {
  const shown = refusalOr(() => verifyShardProof({ commitment, query, proof }));
  return 'refusal' in shown ? shown.refusal : shown.value.statements;
}

interface Expected {
  readonly start: number;
  readonly length: number;
  readonly hit: ShardHit | undefined;
}

function shows({ statement }: ProvedStatement, { start, length, hit }: Expected): boolean {
  const { kind, lo, hi } = statement;
  if (statement.start !== start || statement.length !== length) return false;
  if (hit === undefined) return kind === 'count' && lo === hi;
  return kind === 'holders' && lo === hit.firstRank && hi === lo + hit.contributionIds.length;
}

/** The first rank whose document is not that of the contribution that the hit names. */
function otherHolder(
  { holders }: ProvedStatement,
  shard: ClaimedShard,
  hit: ShardHit | undefined,
  contributionOf: DocumentLookup,
): number | undefined {
  return holders.find(({ document }, i) => contributionOf(shard, document) !== hit?.contributionIds[i])?.rank;
}

/**
 * True when a proof of one statement about the tokens of a span contradicts what is claimed of it in a shard:
 * another count, other ranks, or another contribution at a rank.
 */
export function contradicts(
  { statement, holders }: ProvedStatement,
  claimed: { readonly span: ProvenanceSpan; readonly shard: ClaimedShard; readonly tokens: number },
  contributionOf: DocumentLookup,
): boolean {
  const { kind, start, length, lo, hi }: ShardStatement = statement;
  if (start !== 0 || length !== claimed.tokens) return false;
  const hit = hitIn(claimed.span, claimed.shard.id);
  const count = hit?.contributionIds.length ?? 0;
  if (kind !== 'occurrence') return hi - lo !== count || (count > 0 && lo !== hit?.firstRank);
  const [holder] = holders;
  const at = lo - (hit?.firstRank ?? 0);
  if (hit === undefined || holder === undefined || at < 0 || at >= count) return true;
  return contributionOf(claimed.shard, holder.document) !== hit.contributionIds[at];
}

/**
 * Weights of the spans of a claim by owner, ascending: each token counts one (in Q16), decayed by how often
 * its span occurs, and the owners of a span share equally.
 * @param ownerOf the canonical contribution that a contribution counts for
 */
export function provenanceWeights(
  spans: readonly ProvenanceSpan[],
  shards: readonly ClaimedShard[],
  ownerOf: (contributionId: bigint) => bigint,
): readonly Weight[] {
  const total = shards.reduce((sum, { commitment }) => sum + commitment.tokens, 0);
  const { starts } = tokensOfSpans(spans);
  const held = spans.map(({ hits }, i) => {
    const ids = hits.flatMap(({ contributionIds }) => contributionIds);
    const holders = [...new Set(ids.map(ownerOf))].sort((a, b) => (a < b ? -1 : 1));
    return { start: starts[i] ?? 0, end: starts[i + 1] ?? 0, count: ids.length, holders };
  });
  const worth = spanWeights(held, total);
  return traceWeights(held, worth).map(({ contributionId, weight }) => ({ owner: contributionId, weight }));
}

/** A byte of a text is hashed, tokenised for proofs and for weights, and compared: so many bytes of work. */
const TEXT_STEPS = 8;

/** Work of what is said of the answer: `problemOfTexts`, and the weights of the spans. */
export function workOfTexts({ spans }: TokenProvenance): Work {
  return sumOfWork(
    spans.flatMap(({ text, answerProof }) => {
      const tokens: Work = { hashes: 0, bytes: TEXT_STEPS * text.length };
      if (answerProof === undefined) return [tokens];
      const { chunks, hashes } = answerProof;
      const leafBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      return [tokens, workOfOpening({ leaves: chunks.length, leafBytes, hashes: hashes.length })];
    }),
  );
}

/**
 * Work of `problemOfProofs`, or why there is none to do.
 * @param shards by id, all of the claim's indexes
 */
export function workOfProofs(
  { spans, proofs }: TokenProvenance,
  shards: readonly ClaimedShard[],
): Work | ClaimProblem {
  const wrong = problemOfCount(proofs, shards);
  if (wrong !== undefined) return wrong;
  const { query } = tokensOfSpans(spans);
  const parts: Work[] = [];
  for (const [i, { id, commitment }] of shards.entries()) {
    const proof = proofs[i] ?? new Uint8Array(0);
    const work = refusalOr(() => workOfShardProof({ commitment, query, proof }));
    if ('refusal' in work) return problem('malformed-proof', `shard ${id}: ${work.refusal}`);
    parts.push(work.value);
  }
  return sumOfWork(parts);
}

/** Bytes of a claim's texts and proofs, those of the answer included: what gas is charged for. */
export function provenanceBytes({ spans, proofs }: TokenProvenance): number {
  const texts = spans.reduce((sum, { text, answerProof }) => sum + text.length + proofLength(answerProof), 0);
  return texts + proofs.reduce((sum, proof) => sum + proof.length, 0);
}
