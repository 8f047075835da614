/**
 * What a claim leaves out: the rule of docs/adr/0025, and what shows that a claim breaks it. A *rival* of a
 * passage is a named span that may excuse that it is not named. The claim is convicted when each of them is
 * less rare.
 *
 * | named spans | rivals |
 * | --- | --- |
 * | some overlap with the passage | these |
 * | none overlaps, and as many are named as there may be | the one that the dispute points at |
 * | none overlaps, and there is room for more | none: the passage had to be named |
 *
 * A span that occurs more often than a passage may is no rival, and takes no room.
 *
 * How rare the passage is, is bounded from below, and how rare a rival is from above: a token whose count is
 * not proved counts nothing in the one, and as if it stood once in the other.
 */
import type {
  Answer,
  ProvenanceSpan,
  TokenProvenance,
} from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { OmissionDispute } from '../../../proto/gen/openledger/attribution/v1/tx.ts';
import { openedAnswer } from '../verify.ts';
import { type ClaimedShard, statementsOf, tokensOfSpans } from './provenance.ts';
import { tokenise } from './tokenise.ts';
import { spansKept } from './trace/cover.ts';
import { log2Q16, surprisalQ16 } from './trace/fixed-log.ts';
import { MARGIN_BYTES, passageTokens } from './trace/passage.ts';
import type { TraceRules } from './trace/rules.ts';

/** What a passage is said to be left out of. */
export interface OmissionCase {
  readonly token: Pick<TokenProvenance, 'spans'>;
  /** By its root and length. */
  readonly answer: Answer;
  /** Of the chain's parameters when the claim was made: `rulesUnder`. */
  readonly rules: TraceRules;
}

/** A passage that stands in the answer and not in the claim. */
export interface OmittedPassage {
  readonly rules: TraceRules;
  readonly tokens: Uint32Array;
  /** Tokens of each. */
  readonly rivals: readonly Uint32Array[];
  /** What proofs are about: tokens of the passage, then those of its rivals. */
  readonly query: Uint32Array;
}

/** True for a span that may be why another is not named. */
export function excuses({ hits }: Pick<ProvenanceSpan, 'hits'>, rules: TraceRules): boolean {
  const count = hits.reduce((sum, { contributionIds }) => sum + contributionIds.length, 0);
  return count <= rules.occurrencesMax;
}

/** The passage that a dispute shows; a sentence when it shows none, or what the claim need not name. */
export function omittedPassage(
  { token, answer, rules }: OmissionCase,
  dispute: Omit<OmissionDispute, 'proofs'>,
): OmittedPassage | string {
  const { length } = dispute;
  const offset = Number(dispute.answerOffset);
  const answerBytes = Number(answer.byteLength);
  const { spanBytesMin, spanBytesMax, tokensMin } = rules;
  if (length < spanBytesMin || length > spanBytesMax || offset + length > answerBytes)
    return `the answer has no passage of ${length} bytes at byte ${offset}`;
  const from = Math.max(0, offset - MARGIN_BYTES);
  const to = Math.min(answerBytes, offset + length + MARGIN_BYTES);
  const { answerProof } = dispute;
  const bytes = openedAnswer(answer, { offset: from, length: to - from, answerProof, place: 'the passage' });
  if (!(bytes instanceof Uint8Array)) return bytes.detail;
  const tokens = passageTokens({ bytes, at: offset - from, length });
  if (tokens === undefined || tokens.length < tokensMin)
    return `bytes ${offset} to ${offset + length} of the answer are no passage that is named`;
  const rivals = rivalsOf({ token, answer, rules }, dispute);
  if (rivals === undefined) return `span ${dispute.span} is none that excuses anything`;
  const parts = rivals.map(({ text }) => tokenise(text));
  const passage = { text: bytes.subarray(offset - from, offset - from + length) };
  return { rules, tokens, rivals: parts, query: tokensOfSpans([passage, ...rivals]).query };
}

/** See the table above. */
function rivalsOf(
  { token, answer, rules }: OmissionCase,
  { answerOffset, length, span }: Omit<OmissionDispute, 'proofs'>,
): readonly ProvenanceSpan[] | undefined {
  const end = answerOffset + BigInt(length);
  const named = token.spans.filter((each) => excuses(each, rules));
  const overlapping = named.filter(
    (each) => each.answerOffset < end && answerOffset < each.answerOffset + BigInt(each.text.length),
  );
  if (overlapping.length > 0) return overlapping;
  if (named.length < spansKept(Number(answer.byteLength), rules)) return [];
  const pointed = token.spans[span];
  return pointed !== undefined && named.includes(pointed) ? [pointed] : undefined;
}

/**
 * Why proofs do not show that a claim had to name a passage; undefined when they do.
 * @param shards by id, all of the claim's indexes
 * @param proofs one for each
 */
export function problemOfOmission(
  omitted: OmittedPassage,
  shards: readonly ClaimedShard[],
  proofs: readonly Uint8Array[],
): string | undefined {
  const counts = countsIn(omitted.query, shards, proofs);
  if (typeof counts === 'string') return counts;
  const { rules, tokens, rivals } = omitted;
  const occurrences = counts.passage(tokens.length);
  if (occurrences === undefined) return 'the proofs do not count the passage';
  if (occurrences < 1 || occurrences > rules.occurrencesMax)
    return `the passage occurs ${occurrences} times; 1 to ${rules.occurrencesMax} times it would be named`;
  const total = shards.reduce((sum, { commitment }) => sum + commitment.tokens, 0);
  const bits = (pattern: Uint32Array, unproved: number): number => {
    let sum = 0;
    for (const id of pattern) {
      const count = counts.token(id);
      sum += count === undefined || count === 0 ? unproved : surprisalQ16(total, count);
    }
    return sum;
  };
  const least = bits(tokens, 0);
  for (const rival of rivals) {
    const most = bits(rival, log2Q16(total));
    if (most >= least)
      return `the passage tells ${least} bits / 2^16 by the proofs, a span that is named up to ${most}`;
  }
  return undefined;
}

/** Counts over all shards. */
interface Counts {
  /** Of the first tokens of the query, so many. */
  passage(length: number): number | undefined;
  token(id: number): number | undefined;
}

/** What the proofs of all shards count together, or why they are not all about the same. */
function countsIn(
  query: Uint32Array,
  shards: readonly ClaimedShard[],
  proofs: readonly Uint8Array[],
): Counts | string {
  if (proofs.length !== shards.length || shards.length === 0)
    return `${proofs.length} proofs for ${shards.length} shards; give one for each`;
  const sums = new Map<string, number>();
  for (const [i, shard] of shards.entries()) {
    const proved = statementsOf(shard, query, proofs[i] ?? new Uint8Array(0));
    if (typeof proved === 'string') return `shard ${shard.id}: ${proved}`;
    if (i > 0 && proved.length !== sums.size) return OTHERS;
    for (const { statement } of proved) {
      const { kind, start, length, lo, hi } = statement;
      const key = `${start} ${length}`;
      const before = i === 0 ? 0 : sums.get(key);
      if (kind !== 'count' || before === undefined) return OTHERS;
      sums.set(key, before + hi - lo);
    }
  }
  const places = new Map<number, number>();
  for (const [start, id] of query.entries()) if (sums.has(`${start} 1`)) places.set(id, start);
  return {
    passage: (length) => sums.get(`0 ${length}`),
    token: (id) => sums.get(`${places.get(id)} 1`),
  };
}

const OTHERS = 'the proofs of all shards must count the same runs of tokens, and say nothing else';
