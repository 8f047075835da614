import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TRACE_RULES } from '../../modules/attribution/proof/trace/rules.ts';
import { Corpus } from '../query/corpus.ts';
import type { SourceDocument } from '../shard.ts';
import { naiveShard, textDocument, tombstoneDocument } from '../testing/naive-shard.ts';
import { type Trace, traceOutput } from './trace.ts';

const HONEY = 'Bees turn the nectar of many flowers into honey by letting water out of it.';
const BREAD = 'Bread needs flour, water, salt, and a long night of patience.';
const TEA = 'The kettle sings before the water boils, as every cook in this town will tell you.';
const rules = { ...TRACE_RULES, tokensMin: 6 };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function traceIn(documents: readonly SourceDocument[], output: string): Trace {
  return traceOutput(utf8(output), new Corpus([naiveShard(documents)]), rules);
}

/** The texts of the spans, the rarest first. */
function texts({ output, spans }: Trace): readonly string[] {
  return spans.map(({ byteStart, byteEnd }) => new TextDecoder().decode(output.subarray(byteStart, byteEnd)));
}

describe('an output that quotes', () => {
  const documents = [textDocument(1, `${HONEY} ${BREAD}`), textDocument(2, TEA), textDocument(3, BREAD)];
  const trace = traceIn(documents, `They say: Bees turn the nectar of many flowers into gold! ${BREAD}`);

  test('its spans are whole words, as long as they match', () => {
    expect(texts(trace)).toEqual([BREAD, 'Bees turn the nectar of many flowers into ']);
    expect(trace.spans.map(({ count }) => count)).toEqual([2, 1]);
  });

  test('holders, and documents with what stands around the rarest span', () => {
    expect(trace.spans.map(({ holders }) => holders)).toEqual([[1n, 3n], [1n]]);
    expect(trace.documents.map(({ contributionId, spans }) => [contributionId, spans])).toEqual([
      [1n, [0, 1]],
      [3n, [0]],
    ]);
    const { tokens, quoteStart, quoteEnd, byteOffset } = trace.documents[0]?.passage ?? { tokens: [] };
    expect(byteOffset).toBe(HONEY.length + 1);
    expect(quoteStart).toBeGreaterThan(0);
    expect(quoteEnd).toBe(tokens.length);
  });

  test('weights are conserved from spans to contributions to contributors', () => {
    const sum = (list: readonly { readonly weight: bigint }[]): bigint =>
      list.reduce((total, { weight }) => total + weight, 0n);
    expect(sum(trace.spans)).toBe(trace.weight);
    expect(sum(trace.contributions)).toBe(trace.weight);
    expect(sum(trace.contributors)).toBe(trace.weight);
    expect(trace.contributors.map(({ contributionIds }) => contributionIds)).toEqual([[1n], [3n]]);
  });
});

test('copies of one content count as the first of them', () => {
  const trace = traceIn([textDocument(4, BREAD), textDocument(2, BREAD), textDocument(9, TEA)], BREAD);
  expect(trace.documents.map(({ contributionId, copies }) => [contributionId, copies])).toEqual([[2n, [4n]]]);
  expect(trace.contributions.map(({ contributionId }) => contributionId)).toEqual([2n]);
  expect(trace.spans[0]?.count).toBe(2);
});

test('who is withdrawn earns nothing, and nobody for what only he held', () => {
  const shard = naiveShard([textDocument(1, HONEY), textDocument(2, BREAD), tombstoneDocument(3, TEA)]);
  const corpus = new Corpus([shard], { isWithdrawn: (id) => id === 1n });
  const trace = traceOutput(utf8(`${HONEY} ${BREAD} ${TEA}`), corpus, rules);
  // A sentence that ends its document has no space behind its stop, which is another token.
  expect(texts(trace)).toEqual([HONEY.slice(0, -1), BREAD.slice(0, -1)]);
  expect(trace.spans.map(({ holders }) => holders)).toEqual([[], [2n]]);
  expect(trace.contributions.map(({ contributionId }) => contributionId)).toEqual([2n]);
  expect(trace.weight).toBe(trace.spans[1]?.weight);
});

test('nothing of what is too short, too common, or not there', () => {
  const common = Array.from({ length: 11 }, (_, i) => textDocument(i + 1, `${BREAD} ${i}`));
  expect(texts(traceIn(common, BREAD))).toEqual([]);
  expect(texts(traceIn([textDocument(1, BREAD)], 'Bread needs. Salt, and'))).toEqual([]);
  const empty = traceIn([textDocument(1, BREAD)], '');
  expect([empty.spans, empty.documents, empty.contributors, empty.weight]).toEqual([[], [], [], 0n]);
  expect(texts(traceOutput(utf8(BREAD), new Corpus([])))).toEqual([]);
});

test('an output that is too long is refused in words', () => {
  expect(() => traceIn([textDocument(1, BREAD)], '. '.repeat(65_537))).toThrow(
    'the output has 65537 tokens; at most 65536 are traced at once: trace it in parts',
  );
});

test('in how many shards the documents lie makes no difference', () => {
  const words = fc.constantFrom('alpha ', 'beta ', 'gamma ', 'delta. ', 'one, ', 'two ', '日本');
  const text = fc.array(words, { minLength: 1, maxLength: 25 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(text, { minLength: 2, maxLength: 5 }), text, fc.nat(), (contents, output, cut) => {
      const documents = contents.map((content, i) => textDocument(i + 1, content));
      const at = 1 + (cut % (documents.length - 1));
      const one = traceOutput(utf8(output), new Corpus([naiveShard(documents)]), rules);
      const parts = [documents.slice(0, at), documents.slice(at)].map(naiveShard);
      const two = traceOutput(utf8(output), new Corpus(parts, { samples: 2 }), rules);
      expect(withoutPlaces(two)).toEqual(withoutPlaces(one));
    }),
    { numRuns: 60 },
  );
});

function withoutPlaces({ spans, documents, ...trace }: Trace): unknown {
  return {
    ...trace,
    spans: spans.map(({ ranges: _, ...span }) => span),
    documents: documents.map(({ passage: { shard: _, position: __, ...passage }, ...rest }) => ({
      ...rest,
      passage,
    })),
  };
}
