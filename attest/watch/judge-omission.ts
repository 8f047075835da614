/**
 * Finds what a claim leaves out: docs/adr/0025. The named spans are taken away one after another, the rarest
 * first. If a passage of what is left is rarer than the next one, then it overlaps with less rare ones only,
 * or with none, and the claim had to name it. If there is such a passage, it is found: when all spans that
 * are as rare as it are taken away, it is left, since it overlaps with none of them.
 */
import { tokenise } from '../../modules/attribution/proof/tokenise.ts';
import { excuses, type OmittedPassage, omittedPassage } from '../../modules/attribution/proof/omission.ts';
import { type ShardStatement, STATEMENTS_MAX } from '../../modules/attribution/proof/shard/format.ts';
import {
  Passages,
  type RankedSpan,
  spansKept,
  type TokenRange,
} from '../../modules/attribution/proof/trace/cover.ts';
import { MARGIN_BYTES } from '../../modules/attribution/proof/trace/passage.ts';
import { OUTPUT_TOKENS_MAX, type TraceRules } from '../../modules/attribution/proof/trace/rules.ts';
import { type TokenText, tokenText } from '../../modules/attribution/proof/trace/spans.ts';
import { committedAnswer, provableContent, proveRange } from '../../modules/attribution/verify.ts';
import type { TokenProvenance } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { OmissionDispute } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { proveShard } from '../prove/prove.ts';
import { Corpus } from '../query/corpus.ts';
import { rankRange } from '../query/search.ts';
import { OutputIndex } from '../trace/output-index.ts';
import type { ClaimShard } from './judge-claim.ts';

/** A claim whose answer is known. */
export interface AnsweredClaim {
  readonly token: Pick<TokenProvenance, 'spans'>;
  readonly answer: Uint8Array;
  /** Of the chain's parameters when the claim was made: `rulesUnder`. */
  readonly rules: TraceRules;
  /** Of all its indexes, by id; the claim is true of them. */
  readonly shards: readonly ClaimShard[];
}

/** A passage that a claim leaves out, and how that is proved. */
export interface Omission {
  readonly dispute: OmissionDispute;
  /** For people. */
  readonly reason: string;
}

/**
 * Why nothing is said of what a claim leaves out of an answer, for people; undefined where it is judged. No
 * longer answer is traced by an attestor either; one of 2^20 bytes without an end of a sentence took 9 s.
 */
export function whyUnjudged(answer: Uint8Array | undefined): string | undefined {
  if (answer === undefined) return 'its answer is not known, only the root of it';
  const { length } = tokenise(answer);
  if (length <= OUTPUT_TOKENS_MAX) return undefined;
  return `its answer has ${length} tokens, at most ${OUTPUT_TOKENS_MAX} are searched`;
}

/**
 * The passage that convicts a claim; undefined when there is none. None either where what it is compared with
 * has more different tokens than a proof counts.
 */
export function omissionOf(claim: AnsweredClaim): Omission | undefined {
  const corpus = new Corpus(claim.shards.map(({ reader }) => reader));
  const text = tokenText(tokenise(claim.answer));
  const found = unnamedPassage(claim, text, corpus);
  if (found === undefined) return undefined;
  const { passage, span } = found;
  const offset = text.offsets[passage.start] ?? 0;
  const length = (text.offsets[passage.end] ?? 0) - offset;
  const whole = provableContent(claim.answer);
  const from = Math.max(0, offset - MARGIN_BYTES);
  const to = Math.min(claim.answer.length, offset + length + MARGIN_BYTES);
  const answerProof = proveRange(whole, from, to - from);
  const shown = { answerOffset: BigInt(offset), length, answerProof, span };
  const omitted = omittedPassage({ ...claim, answer: committedAnswer(whole) }, shown);
  if (typeof omitted === 'string') throw new RangeError(`a passage that is none: ${omitted}`);
  const runs = runsToCount(omitted, corpus);
  if (runs === undefined) return undefined;
  const proofs = claim.shards.map(({ reader }) => {
    const statements = runs.map(({ start, end }): ShardStatement => {
      const range = rankRange(reader, omitted.query.subarray(start, end));
      return { kind: 'count', start, length: end - start, ...range };
    });
    return proveShard(reader, { query: omitted.query, statements, documents: false });
  });
  const reason = `bytes ${offset} to ${offset + length} of the answer are not named, which ${passage.count} places hold`;
  return { dispute: OmissionDispute.create({ ...shown, proofs }), reason };
}

/** A named span that may excuse something, as rare as its tokens by themselves. */
interface Named extends TokenRange {
  /** Index among the spans of the claim. */
  readonly span: number;
  readonly surprisal: number;
}

function unnamedPassage(
  { token, answer, rules }: AnsweredClaim,
  text: TokenText,
  corpus: Corpus,
): { readonly passage: RankedSpan; readonly span: number } | undefined {
  const named = token.spans
    .map((span, i): Named & { readonly excuses: boolean } => {
      const bits = tokenise(span.text).reduce((sum, id) => sum + corpus.surprisal(id), 0);
      const at = Number(span.answerOffset);
      return {
        ...tokensAround(text, at, at + span.text.length),
        span: i,
        surprisal: bits,
        excuses: excuses(span, rules),
      };
    })
    .filter((each) => each.excuses)
    .sort((a, b) => b.surprisal - a.surprisal);
  const isFull = named.length >= spansKept(answer.length, rules);
  const passages = new Passages(text, rules, new OutputIndex(text.tokens, corpus));
  for (const next of named) {
    const passage = passages.rarest();
    if (passage !== undefined && passage.surprisal > next.surprisal) return { passage, span: next.span };
    passages.take(next);
  }
  const passage = isFull ? undefined : passages.rarest();
  return passage === undefined ? undefined : { passage, span: 0 };
}

/** The tokens that have some of the bytes [from, to). */
function tokensAround({ offsets }: TokenText, from: number, to: number): TokenRange {
  let start = 0;
  while ((offsets[start + 1] ?? Infinity) <= from) start++;
  let end = start;
  while ((offsets[end] ?? Infinity) < to) end++;
  return { start, end };
}

/**
 * What proofs have to count: the passage; with rivals, their tokens and as many of the passage as it takes,
 * those that tell most first. Undefined when a proof does not hold that many.
 */
function runsToCount(
  { tokens, rivals, query }: OmittedPassage,
  corpus: Corpus,
): readonly TokenRange[] | undefined {
  const bits = (pattern: Uint32Array): number => pattern.reduce((sum, id) => sum + corpus.surprisal(id), 0);
  const most = rivals.reduce((highest, rival) => Math.max(highest, bits(rival)), 0);
  const counted = new Set(rivals.flatMap((rival) => [...rival]));
  let least = tokens.reduce((sum, id) => sum + (counted.has(id) ? corpus.surprisal(id) : 0), 0);
  const gains = new Map<number, number>();
  for (const id of tokens)
    if (rivals.length > 0 && !counted.has(id)) gains.set(id, (gains.get(id) ?? 0) + corpus.surprisal(id));
  for (const [id, gain] of [...gains].sort((a, b) => b[1] - a[1])) {
    if (least > most) break;
    counted.add(id);
    least += gain;
  }
  if (counted.size >= STATEMENTS_MAX) return undefined;
  const singles = [...counted].map((id) => query.indexOf(id)).map((start) => ({ start, end: start + 1 }));
  // A passage of one token is one of them.
  const runs = singles.filter(({ start, end }) => start > 0 || end < tokens.length);
  // In the order of statements: the passage begins first, and is longer than what else begins there.
  const first = runs.filter(({ start }) => start === 0);
  const others = runs.filter(({ start }) => start > 0).sort((a, b) => a.start - b.start);
  return [...first, { start: 0, end: tokens.length }, ...others];
}
