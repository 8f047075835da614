import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { merkleRoot } from '../../core/merkle.ts';
import {
  type ChunkProof,
  Claim,
  type QuotedSpan,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { committedAnswer, openAnswer, proveRange, provableContent, proveSpan } from './prove.ts';
import {
  type ClaimInput,
  type ClaimLimits,
  type ClaimProblemKind,
  type ContentCommitment,
  chunksOf,
  claimCost,
  compareSpans,
  contentRoot,
  problemOfClaim,
  rootOfRange,
} from './verify.ts';

const LIMITS: ClaimLimits = {
  spansMax: 8,
  spanBytesMin: 4,
  spanBytesMax: 2048,
  answerBytesMax: 10_000,
  proofBytesMax: 50_000,
};

/** Contents whose lengths lie on and around chunk boundaries. */
const contentBytes = fc
  .oneof(fc.integer({ min: 4, max: 1500 }), fc.constantFrom(255, 256, 257, 511, 512, 513, 1024, 1280))
  .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));

const range = fc
  .record({ content: contentBytes, at: fc.nat(), span: fc.nat() })
  .map(({ content, at, span }) => {
    const length = 4 + (span % Math.min(600, content.length - 3));
    return { content, offset: at % (content.length - length + 1), length };
  });

test('the content root is the RFC 6962 root over the chunks', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (content) => {
      expect(toHex(contentRoot(content))).toBe(toHex(merkleRoot(chunksOf(content))));
    }),
  );
});

test('every run of chunks opens to the root, and no proof with a hash more, less or changed does', () => {
  fc.assert(
    fc.property(range, fc.nat(), ({ content, offset, length }, pick) => {
      const source = provableContent(content);
      const proof = proveRange(source, offset, length);
      const first = Math.floor(offset / 256);
      const total = Math.ceil(content.length / 256);
      const open = (chunks: readonly Uint8Array[], hashes: readonly Uint8Array[]): string =>
        toHex(rootOfRange({ total, first, chunks, hashes }) ?? new Uint8Array(0));
      const root = toHex(source.commitment.root);
      expect(open(proof.chunks, proof.hashes)).toBe(root);
      expect(open(proof.chunks, [...proof.hashes, sha256(content)])).toBe('');
      if (proof.hashes.length === 0) return;
      const at = pick % proof.hashes.length;
      expect(open(proof.chunks, proof.hashes.toSpliced(at, 1))).toBe('');
      expect(open(proof.chunks, proof.hashes.with(at, sha256(content)))).not.toBe(root);
    }),
  );
});

interface Scene {
  readonly input: ClaimInput;
  readonly sources: ReadonlyMap<bigint, ContentCommitment>;
}

function verdict(scene: Scene, limits: ClaimLimits = LIMITS): ClaimProblemKind | undefined {
  return problemOfClaim(scene.input, limits, (id) => scene.sources.get(id))?.kind;
}

/** An answer "lead, quote 1, quote 2, …" of runs of contents 1, 2, …, open or given by its root. */
const honestScene = fc
  .record({
    ranges: fc.array(range, { minLength: 1, maxLength: 3 }),
    lead: fc.uint8Array({ maxLength: 300 }),
    open: fc.boolean(),
  })
  .map(({ ranges, lead, open }): Scene => {
    const quotes = ranges.map(({ content, offset, length }) => content.subarray(offset, offset + length));
    const answer = concatBytes(lead, ...quotes);
    const provableAnswer = provableContent(answer);
    let answerOffset = lead.length;
    const spans = ranges.map(({ content, offset, length }, i) => {
      const span = proveSpan({
        contributionId: BigInt(i + 1),
        source: provableContent(content),
        answerOffset,
        sourceOffset: offset,
        length,
        ...(open ? {} : { committedAnswer: provableAnswer }),
      });
      answerOffset += length;
      return span;
    });
    const sources = ranges.map(
      ({ content }, i) => [BigInt(i + 1), provableContent(content).commitment] as const,
    );
    const given = open ? openAnswer(answer) : committedAnswer(provableAnswer);
    return { input: { answer: given, claim: Claim.create({ spans }) }, sources: new Map(sources) };
  });

test('every honestly built claim is accepted', () => {
  fc.assert(
    fc.property(honestScene, (scene) => {
      expect(verdict(scene)).toBeUndefined();
      expect(claimCost(scene.input).spans).toBe(scene.input.claim.spans.length);
    }),
    { numRuns: 200 },
  );
});

/** Changes one thing of one span or of the answer; the seed picks what and where. */
function mutate(scene: Scene, seed: number): Scene {
  const { answer, claim } = scene.input;
  const at = seed % claim.spans.length;
  const span = claim.spans[at];
  if (span === undefined) throw new Error('no span');
  const withSpan = (change: Partial<QuotedSpan>): Scene => ({
    ...scene,
    input: { answer, claim: { ...claim, spans: claim.spans.with(at, { ...span, ...change }) } },
  });
  const proof = span.sourceProof;
  switch (seed % 11) {
    case 0:
      return withSpan({ sourceProof: flipChunkBit(proof, seed) });
    case 1:
      return withSpan({ sourceProof: { ...proof, chunks: proof.chunks.slice(1) } });
    case 2:
      return withSpan({ sourceProof: { ...proof, hashes: [...proof.hashes, sha256(utf8('more'))] } });
    case 3:
      return withSpan({ contributionId: span.contributionId + 100n });
    case 4:
      return withSpan({ sourceOffset: span.sourceOffset + (1n << 40n) });
    case 5:
      return withSpan({ length: span.length + 5000 });
    case 6:
      return withSpan({ answerOffset: span.answerOffset + 20_000n });
    case 7: {
      const sources = new Map(scene.sources);
      const source = sources.get(span.contributionId);
      if (source !== undefined) sources.set(span.contributionId, { ...source, root: sha256(source.root) });
      return { ...scene, sources };
    }
    case 8:
      return withSpan({ sourceProof: { ...proof, chunks: proof.chunks.map((chunk) => chunk.subarray(1)) } });
    case 9:
      return { ...scene, input: { answer, claim: { ...claim, spans: [...claim.spans, span] } } };
    default: {
      if (answer.root.length > 0)
        return { ...scene, input: { claim, answer: { ...answer, root: sha256(answer.root) } } };
      const content = answer.content.slice();
      const place = Number(span.answerOffset) + (seed % span.length);
      content[place] = (content[place] ?? 0) ^ 1;
      return { ...scene, input: { claim, answer: { ...answer, content } } };
    }
  }
}

function flipChunkBit(proof: ChunkProof, seed: number): ChunkProof {
  const at = seed % proof.chunks.length;
  const chunk = (proof.chunks[at] ?? new Uint8Array(1)).slice();
  const byte = seed % chunk.length;
  chunk[byte] = (chunk[byte] ?? 0) ^ (1 << (seed % 8));
  return { ...proof, chunks: proof.chunks.with(at, chunk) };
}

test('every mutated claim is refused', () => {
  fc.assert(
    fc.property(honestScene, fc.nat(), (scene, seed) => {
      expect(verdict(mutate(scene, seed))).toBeDefined();
    }),
    { numRuns: 1000 },
  );
});

const speech = utf8('the state of the union is strong. '.repeat(40));

function oneSpanScene(change: Partial<QuotedSpan> = {}, quote = speech.subarray(250, 300)): Scene {
  const source = provableContent(speech);
  const span = proveSpan({ contributionId: 7n, source, answerOffset: 0, sourceOffset: 250, length: 50 });
  return {
    input: { answer: openAnswer(quote), claim: Claim.create({ spans: [{ ...span, ...change }] }) },
    sources: new Map([[7n, source.commitment]]),
  };
}

test('each kind of lie has its own name', () => {
  const forgedText = speech.slice(250, 300).fill(33, 10, 12);
  const forgedDocument = provableContent(speech.slice().fill(33, 260, 262));
  expect(verdict(oneSpanScene())).toBeUndefined();
  expect(verdict(oneSpanScene({}, forgedText))).toBe('forged-span');
  expect(verdict(oneSpanScene({ sourceProof: proveRange(forgedDocument, 250, 50) }, forgedText))).toBe(
    'wrong-root',
  );
  expect(verdict(oneSpanScene({ contributionId: 8n }))).toBe('unknown-contribution');
  expect(verdict(oneSpanScene({ sourceOffset: 1355n }))).toBe('span-outside-contribution');
  expect(verdict(oneSpanScene({ answerOffset: 1n }))).toBe('span-outside-answer');
  expect(verdict(oneSpanScene({ length: 3 }))).toBe('span-length');
  expect(verdict(oneSpanScene({ sourceOffset: 600n }))).toBe('malformed-proof');
  expect(verdict(oneSpanScene(), { ...LIMITS, proofBytesMax: 100 })).toBe('proof-too-large');
  expect(verdict(oneSpanScene(), { ...LIMITS, spansMax: 0 })).toBe('too-many-spans');
  expect(verdict(oneSpanScene(), { ...LIMITS, answerBytesMax: 10 })).toBe('malformed-answer');
});

test('the answer cannot be given twice, and its root needs a length and openings', () => {
  const scene = oneSpanScene();
  const { answer, claim } = scene.input;
  const root = contentRoot(answer.content);
  const refuse = (changed: Partial<typeof answer>): ClaimProblemKind | undefined =>
    verdict({ ...scene, input: { claim, answer: { ...answer, ...changed } } });
  expect(refuse({ root })).toBe('malformed-answer');
  expect(refuse({ byteLength: 50n })).toBe('malformed-answer');
  expect(refuse({ content: new Uint8Array(0), root })).toBe('malformed-answer');
  expect(refuse({ content: new Uint8Array(0), root, byteLength: 50n })).toBe('malformed-proof');
});

test('an empty claim holds for every answer, and spans have one order', () => {
  const nothing = { answer: openAnswer(new Uint8Array(0)), claim: Claim.create() };
  expect(verdict({ input: nothing, sources: new Map() })).toBeUndefined();
  const [span] = oneSpanScene().input.claim.spans;
  if (span === undefined) throw new Error('no span');
  expect(compareSpans(span, { ...span, contributionId: 8n })).toBe(-1);
  expect(compareSpans({ ...span, answerOffset: 1n }, span)).toBe(1);
  expect(compareSpans(span, span)).toBe(0);
});
