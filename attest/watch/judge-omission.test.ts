import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes } from '../../core/bytes.ts';
import {
  excuses,
  type OmissionCase,
  omittedPassage,
  problemOfOmission,
} from '../../modules/attribution/proof/omission.ts';
import { compareStatements, type ShardStatement } from '../../modules/attribution/proof/shard/format.ts';
import { everyPassage } from '../../modules/attribution/proof/testing/naive-index.ts';
import { tokenise } from '../../modules/attribution/proof/tokenise.ts';
import {
  coverSpans,
  type RankedSpan,
  spansKept,
  type TokenRange,
} from '../../modules/attribution/proof/trace/cover.ts';
import { MARGIN_BYTES } from '../../modules/attribution/proof/trace/passage.ts';
import { TRACE_RULES, type TraceRules } from '../../modules/attribution/proof/trace/rules.ts';
import { tokenText } from '../../modules/attribution/proof/trace/spans.ts';
import { committedAnswer, provableContent, proveRange } from '../../modules/attribution/verify.ts';
import type { ProvenanceSpan } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { provenanceClaim } from '../claim.ts';
import { shardInMemory } from '../prove/memory.ts';
import { proveShard } from '../prove/prove.ts';
import { Corpus } from '../query/corpus.ts';
import { rankRange } from '../query/search.ts';
import { naiveShard, textDocument } from '../testing/naive-shard.ts';
import { OutputIndex } from '../trace/output-index.ts';
import type { ClaimShard } from './judge-claim.ts';
import { type AnsweredClaim, omissionOf } from './judge-omission.ts';

const numbers = fc.record({
  spansMax: fc.integer({ min: 1, max: 4 }),
  tokensMin: fc.integer({ min: 1, max: 3 }),
  occurrencesMax: fc.integer({ min: 1, max: 4 }),
  bytesPerSpan: fc.integer({ min: 1, max: 20 }),
  spanBytesMin: fc.integer({ min: 1, max: 4 }),
  spanBytesMax: fc.integer({ min: 6, max: 30 }),
});
const text = fc
  .array(fc.constantFrom('a ', 'b ', 'abcde', 'ab', 'c', '. ', 'é', '日', '\n', 'd '), { maxLength: 16 })
  .map((parts) => new TextEncoder().encode(parts.join('')));
const scene = fc
  .record({
    texts: fc.array(text, { minLength: 1, maxLength: 4 }),
    shardSize: fc.integer({ min: 1, max: 4 }),
    parts: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 4, max: 16 }), text), { maxLength: 3 }),
    numbers,
  })
  .map(({ texts, shardSize, parts, numbers: changes }) => {
    // Pieces of the texts with something between them.
    const pieces = parts.flatMap(([pick, from, length, between]): readonly Uint8Array[] => {
      const source = texts[pick % texts.length] ?? new Uint8Array(0);
      const at = from % (source.length + 1);
      return [source.slice(at, at + length), between.slice(0, 6)];
    });
    const answer = concatBytes(...pieces);
    return sceneOf({ texts, shardSize, answer, rules: { ...TRACE_RULES, ...changes } });
  });

/** Documents of so many in a shard, an answer, and what an honest claim names. */
function sceneOf({
  texts,
  shardSize,
  answer,
  rules,
}: {
  readonly texts: readonly Uint8Array[];
  readonly shardSize: number;
  readonly answer: Uint8Array;
  readonly rules: TraceRules;
}) {
  const shards: ClaimShard[] = [];
  for (let from = 0; from < texts.length; from += shardSize) {
    const documents = texts.slice(from, from + shardSize).map((each, i) => textDocument(from + i + 1, each));
    const options = { datanetId: 1n, firstPosition: BigInt(from) };
    shards.push({ id: BigInt(shards.length + 1), reader: shardInMemory(naiveShard(documents), options) });
  }
  const whole = tokenText(tokenise(answer));
  const index = new OutputIndex(whole.tokens, new Corpus(shards.map(({ reader }) => reader)));
  const all = everyPassage(whole.tokens, rules, {
    longest: () => 0,
    count: (start, end) => countIn(shards, whole.tokens.subarray(start, end)),
    surprisal: (at) => index.surprisal(at),
  });
  return { answer, rules, shards, text: whole, all, honest: coverSpans(whole, rules, index) };
}
type Scene = ReturnType<typeof sceneOf>;

function countIn(shards: readonly ClaimShard[], pattern: Uint32Array): number {
  return shards.reduce((sum, { reader }) => {
    const { lo, hi } = rankRange(reader, pattern);
    return sum + hi - lo;
  }, 0);
}

/** A claim of these tokens of the answer. */
function claimOf(
  { answer, rules, shards, text: { offsets } }: Scene,
  ranges: readonly TokenRange[],
): AnsweredClaim {
  const ordered = [...ranges].sort((a, b) => a.start - b.start);
  const spans = ordered.map(({ start, end }) => {
    const from = offsets[start] ?? 0;
    return { answerOffset: BigInt(from), text: answer.slice(from, offsets[end]), answerProof: undefined };
  });
  const order = { indexIds: [1n], shards, spans, proved: false };
  return { token: provenanceClaim(order), answer, rules, shards };
}

function caseOf({ token, answer, rules }: AnsweredClaim): OmissionCase {
  return { token, rules, answer: committedAnswer(provableContent(answer)) };
}

/** Everything about the answer's bytes [from, to) that can be counted, proved to the verifier: what it says. */
function verdictOn(claim: AnsweredClaim, at: { from: number; to: number; span: number }): string | undefined {
  const { from, to, span } = at;
  const first = Math.max(0, from - MARGIN_BYTES);
  const last = Math.min(claim.answer.length, to + MARGIN_BYTES);
  const answerProof = proveRange(provableContent(claim.answer), first, last - first);
  const shown = { answerOffset: BigInt(from), length: to - from, answerProof, span };
  const omitted = omittedPassage(caseOf(claim), shown);
  if (typeof omitted === 'string') return omitted;
  const { query, tokens } = omitted;
  const lengths = new Map([...new Set(query)].map((id) => [query.indexOf(id), [1]]));
  lengths.set(
    0,
    [...(lengths.get(0) ?? []), tokens.length].filter((each, i, all) => all.indexOf(each) === i),
  );
  const proofs = claim.shards.map(({ reader }) => {
    const statements = [...lengths].flatMap(([start, list]) =>
      list.map((length): ShardStatement => {
        const range = rankRange(reader, query.subarray(start, start + length));
        return { kind: 'count', start, length, ...range };
      }),
    );
    return proveShard(reader, { query, statements: statements.sort(compareStatements), documents: false });
  });
  return problemOfOmission(omitted, numbered(claim.shards), proofs);
}

const numbered = (shards: readonly ClaimShard[]) =>
  shards.map(({ id, reader }) => ({ id, commitment: reader.commitment }));

function expectNotConvicted(made: Scene, span: number): void {
  const claim = claimOf(made, made.honest);
  expect(omissionOf(claim)).toBeUndefined();
  for (let from = 0; from < made.answer.length; from++)
    for (let to = from + 1; to <= made.answer.length; to++)
      expect(verdictOn(claim, { from, to, span }), `bytes ${from} to ${to}`).toEqual(expect.any(String));
}

test('no bytes of the answer convict an honest claim, whatever is pointed at', () => {
  fc.assert(
    fc.property(scene, fc.nat(4), (made, span) => expectNotConvicted(made, span)),
    { numRuns: 400 },
  );
});

test('one rival that is as rare excuses a passage, though others that overlap with it are not', () => {
  const [left, middle, right] = ['ab cd ', 'ef gh ', 'ij kl mn op '];
  const texts = [`${left}${middle}`, `${middle}${right}`].map((each) => new TextEncoder().encode(each));
  const rules = { ...TRACE_RULES, tokensMin: 2, spanBytesMin: 1, bytesPerSpan: 4 };
  const answer = new TextEncoder().encode(`${left}${middle}${right}`);
  const made = sceneOf({ texts, shardSize: 1, answer, rules });
  const named = made.honest.map(({ start, end }) => [start, end]);
  expect(named).toEqual([
    [2, 8],
    [0, 2],
  ]);
  const found = made.all.find(({ start, end }) => start === 0 && end === 4);
  expect(found?.surprisal).toBeGreaterThan(made.honest[1]?.surprisal ?? Infinity);
  expectNotConvicted(made, 0);
});

/** The rule of ADR 25 over all passages. */
function isComplete(
  { all, rules, answer, text: { offsets } }: Scene,
  spans: readonly ProvenanceSpan[],
  bitsOf: (span: ProvenanceSpan) => number,
): boolean {
  const named = spans.filter((span) => excuses(span, rules));
  return all.every((passage: RankedSpan) => {
    const [from, to] = [offsets[passage.start] ?? 0, offsets[passage.end] ?? 0];
    const rivals = named.filter(({ answerOffset, text: said }) => {
      const at = Number(answerOffset);
      return at < to && from < at + said.length;
    });
    if (rivals.length > 0) return rivals.some((rival) => bitsOf(rival) >= passage.surprisal);
    return (
      named.length >= spansKept(answer.length, rules) &&
      named.every((each) => bitsOf(each) >= passage.surprisal)
    );
  });
}

test('of a claim of any passages: it is convicted exactly when it leaves out what it had to name', () => {
  let convicted = 0;
  fc.assert(
    fc.property(scene, fc.array(fc.tuple(fc.nat(), fc.nat(8)), { maxLength: 5 }), (made, picks) => {
      const { tokens } = made.text;
      const chosen: TokenRange[] = [];
      for (const [pick, length] of picks) {
        // Passages, and other runs: too short, too common, with words cut, across sentences.
        const start = pick % Math.max(1, tokens.length);
        const run = { start, end: Math.min(tokens.length, start + 1 + length) };
        const next = pick % 3 === 0 ? run : made.all[pick % Math.max(1, made.all.length)];
        if (next === undefined || countIn(made.shards, tokens.subarray(next.start, next.end)) === 0) continue;
        if (next.start === next.end || chosen.some((each) => next.start < each.end && each.start < next.end))
          continue;
        chosen.push(next);
      }
      const claim = claimOf(made, chosen);
      const corpus = new Corpus(made.shards.map(({ reader }) => reader));
      const bitsOf = ({ text: said }: ProvenanceSpan): number =>
        tokenise(said).reduce((sum, id) => sum + corpus.surprisal(id), 0);
      const found = omissionOf(claim);
      expect(found === undefined).toBe(isComplete(made, claim.token.spans, bitsOf));
      if (found === undefined) return;
      convicted++;
      const omitted = omittedPassage(caseOf(claim), found.dispute);
      if (typeof omitted === 'string') throw new RangeError(omitted);
      expect(problemOfOmission(omitted, numbered(made.shards), found.dispute.proofs)).toBeUndefined();
    }),
    { numRuns: 1_500 },
  );
  expect(convicted).toBeGreaterThan(150);
});

test('of an honest claim no span can be left out', () => {
  let left = 0;
  fc.assert(
    fc.property(scene, (made) => {
      for (const one of made.honest) {
        const claim = claimOf(
          made,
          made.honest.filter((each) => each !== one),
        );
        const found = omissionOf(claim);
        if (found === undefined) throw new RangeError('nothing is found');
        const omitted = omittedPassage(caseOf(claim), found.dispute);
        if (typeof omitted === 'string') throw new RangeError(omitted);
        expect(problemOfOmission(omitted, numbered(made.shards), found.dispute.proofs)).toBeUndefined();
        left++;
      }
    }),
    { numRuns: 300 },
  );
  expect(left).toBeGreaterThan(100);
});
