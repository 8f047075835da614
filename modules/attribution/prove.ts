/** The prover that belongs to the published verifier: builds what `verify.ts` accepts. */
import { assert } from '../../core/errors.ts';
import type {
  Answer,
  ChunkProof,
  QuotedSpan,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  type ContentCommitment,
  chunkHashes,
  chunksOf,
  chunksOfRange,
  rangeHashes,
  rootOfChunkHashes,
} from './range-proof.ts';

/** A content with its leaf hashes at hand, so that many proofs hash it once. */
export interface ProvableContent {
  readonly content: Uint8Array;
  readonly chunkHashes: readonly Uint8Array[];
  readonly commitment: ContentCommitment;
}

/** Hashes a content. The array is kept, not copied. */
export function provableContent(content: Uint8Array): ProvableContent {
  const leaves = chunkHashes(content);
  return {
    content,
    chunkHashes: leaves,
    commitment: { root: rootOfChunkHashes(leaves), byteLength: content.length },
  };
}

/**
 * Opens `length` bytes of a content from `offset`. @throws AssertionError when they are not in the content
 */
export function proveRange(source: ProvableContent, offset: number, length: number): ChunkProof {
  assert(
    length > 0 && offset >= 0 && offset + length <= source.content.length,
    'range is outside the content',
  );
  const { first, end } = chunksOfRange(offset, length);
  return {
    chunks: chunksOf(source.content).slice(first, end),
    hashes: rangeHashes(source.chunkHashes, first, end),
  };
}

/** Where an answer quotes a contribution. Offsets and length in bytes. */
export interface Quotation {
  readonly contributionId: bigint;
  readonly source: ProvableContent;
  readonly answerOffset: number;
  readonly sourceOffset: number;
  readonly length: number;
  /** The answer, when it is to be given by its root. */
  readonly committedAnswer?: ProvableContent;
}

/** The span of a claim with its proofs. */
export function proveSpan(quotation: Quotation): QuotedSpan {
  const { contributionId, source, answerOffset, sourceOffset, length, committedAnswer } = quotation;
  return {
    contributionId,
    answerOffset: BigInt(answerOffset),
    sourceOffset: BigInt(sourceOffset),
    length,
    sourceProof: proveRange(source, sourceOffset, length),
    answerProof:
      committedAnswer === undefined ? undefined : proveRange(committedAnswer, answerOffset, length),
  };
}

/** An answer in full. */
export function openAnswer(content: Uint8Array): Answer {
  return { content, root: new Uint8Array(0), byteLength: 0n };
}

/** An answer of which only the root and the quoted chunks are published. Not for an empty one. */
export function committedAnswer(answer: ProvableContent): Answer {
  const { root, byteLength } = answer.commitment;
  return { content: new Uint8Array(0), root, byteLength: BigInt(byteLength) };
}
