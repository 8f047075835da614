/**
 * Which passages of an output are worth naming: numbers, fixed with a model's attribution policy or by the
 * default, and what a token is to them.
 */
import { LedgerError } from '../../../../core/errors.ts';
import { PATTERN_TOKENS_MAX } from '../shard/format.ts';
import { TOKEN_BYTES_MAX, tokenBytes } from '../tokenise.ts';

/** What a chain's parameters say of spans. */
export interface SpanLimits {
  /** Most spans that are kept, however long the output is. */
  readonly spansMax: number;
  /** Shortest and longest span, in bytes. */
  readonly spanBytesMin: number;
  readonly spanBytesMax: number;
  /** Most often that a span may occur in the corpus. */
  readonly occurrencesMax: number;
}

/** Numbers of a trace. */
export interface TraceRules extends SpanLimits {
  /** Shortest span, in tokens. */
  readonly tokensMin: number;
  /** One span is kept for so many bytes of the output, rounded up: a chain knows no more than these. */
  readonly bytesPerSpan: number;
  /** Tokens on each side of a span that its passage has, which is shown and scored. */
  readonly contextTokens: number;
}

/**
 * OLMoTrace keeps the rarest 5 % (arXiv:2504.07096; ten occurrences at most in its open service), of tokens
 * of about four bytes. Ours have 2.4 to 3: twelve are some six words. At less most of what texts of one kind
 * have in common is chance, at more edited quotations are lost (`npm run truth` has the table). 48 bytes are
 * some twenty tokens. Context as there: about twenty words a side. Spans and their bytes: as a chain's
 * parameters are by default.
 */
export const TRACE_RULES: TraceRules = {
  spansMax: 64,
  spanBytesMin: 16,
  spanBytesMax: 4_096,
  tokensMin: 12,
  occurrencesMax: 10,
  bytesPerSpan: 48,
  contextTokens: 40,
};

/**
 * The rules of a chain with these parameters, for claims and for disputes of what they leave out. What a
 * proof cannot show, a pattern of more than `PATTERN_TOKENS_MAX` tokens, is no span.
 */
export function rulesUnder(limits: SpanLimits): TraceRules {
  return {
    ...TRACE_RULES,
    spansMax: limits.spansMax,
    spanBytesMin: limits.spanBytesMin,
    spanBytesMax: Math.min(limits.spanBytesMax, PATTERN_TOKENS_MAX),
    occurrencesMax: Math.min(limits.occurrencesMax, TRACE_RULES.occurrencesMax),
  };
}

/** Longest output that is traced, in tokens: sums of surprisals stay exact. */
export const OUTPUT_TOKENS_MAX = 65_536;

const BOUNDS: readonly (readonly [name: keyof TraceRules, least: number, most: number])[] = [
  ['spansMax', 1, 1_024],
  ['spanBytesMin', 1, 2 ** 20],
  ['spanBytesMax', 1, PATTERN_TOKENS_MAX],
  ['tokensMin', 1, 1_024],
  ['occurrencesMax', 1, 64],
  ['bytesPerSpan', 1, 4_096],
  ['contextTokens', 0, 256],
];

/** @throws LedgerError `attribution.rules` naming the number that is out of its bounds */
export function validateRules(rules: TraceRules): void {
  for (const [name, least, most] of BOUNDS) {
    const value = rules[name];
    if (Number.isSafeInteger(value) && value >= least && value <= most) continue;
    throw new LedgerError('attribution.rules', `${name} is ${value}; choose ${least} to ${most}`, {
      name,
      value,
    });
  }
}

function firstByte(token: number): number {
  return token >>> 24;
}

function lastByte(token: number): number {
  return (token >>> (8 * (TOKEN_BYTES_MAX - tokenBytes(token)))) & 0xff;
}

/** Letters and digits of ASCII, and every byte of a character beyond it. */
export function isWordByte(byte: number): boolean {
  return (
    byte >= 0x80 ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x30 && byte <= 0x39)
  );
}

/** Lead bytes of characters of three and four bytes: each is a token, and may begin and end a word. */
export function isWideLead(byte: number): boolean {
  return byte >= 0xe0;
}

/**
 * True where a word may be cut from what is before it: not between two pieces of one word. Characters of
 * three and four bytes are tokens by themselves, and most scripts that have them do not part words: a cut is
 * right on both sides of each. `at` may be the number of tokens.
 */
export function isBoundary(tokens: Uint32Array, at: number): boolean {
  const before = tokens[at - 1];
  const token = tokens[at];
  if (before === undefined || token === undefined) return true;
  if (isWideLead(firstByte(token)) || isWideLead(firstByte(before))) return true;
  return !(isWordByte(lastByte(before)) && isWordByte(firstByte(token)));
}

/** True where a span may begin: at the first piece of a word, not at punctuation or space. */
export function isWordStart(tokens: Uint32Array, at: number): boolean {
  const token = tokens[at];
  return token !== undefined && isWordByte(firstByte(token)) && isBoundary(tokens, at);
}

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const STOPS: readonly number[] = [0x2e, 0x21, 0x3f];
/** The full stop of Chinese and Japanese, with and without a space. */
const IDEOGRAPHIC_STOPS: readonly number[] = [0xe3808200, 0xe3808220];

/**
 * True for a token that no span reaches beyond: a line feed; a full stop, question or exclamation mark (or a
 * run of it) with a space behind; an ideographic full stop. A point inside a number or an address is none.
 */
export function isSentenceEnd(token: number): boolean {
  const first = firstByte(token);
  if (first === LINE_FEED) return true;
  if (STOPS.includes(first)) return lastByte(token) === SPACE;
  return IDEOGRAPHIC_STOPS.includes(token);
}

/** The index behind the first sentence end at or after `from`; the number of tokens when there is none. */
export function sentenceEndAfter(tokens: Uint32Array, from: number): number {
  for (let at = from; at < tokens.length; at++) if (isSentenceEnd(tokens[at] ?? 0)) return at + 1;
  return tokens.length;
}

/** The last boundary of words from `start` to `end`, inclusive: where a match is cut back to. */
export function cutToWords(tokens: Uint32Array, start: number, end: number): number {
  let cut = end;
  while (cut > start && !isBoundary(tokens, cut)) cut--;
  return cut;
}
