import { expect, test } from 'vitest';
import { commitLeaves, leavesOfArrays, shardInMemory } from '../../../../attest/prove/memory.ts';
import { proveShard } from '../../../../attest/prove/prove.ts';
import { rankRange } from '../../../../attest/query/search.ts';
import { naiveShard, textDocument } from '../../../../attest/testing/naive-shard.ts';
import { concatBytes, utf8 } from '../../../../core/bytes.ts';
import { DecodeError, LedgerError } from '../../../../core/errors.ts';
import { SEPARATOR, tokenise } from '../tokenise.ts';
import { ProofReader, ProofWriter } from './bytes.ts';
import {
  PROOF_BYTES_MAX,
  PROOF_VERSION,
  proofShape,
  readDocumentLeaf,
  readEntry,
  readTextLeaf,
  type ShardStatement,
  STATEMENTS_MAX,
  writeDocumentLeaf,
  writeStatement,
  writeTextLeaf,
} from './format.ts';
import { verifyShardProof } from './verify.ts';

const LONG = 'the index holds what the Datanet holds. '.repeat(20);
const arrays = naiveShard([textDocument(1, LONG), textDocument(2, 'the index'), textDocument(3, 'x')]);
const shard = shardInMemory(arrays, { datanetId: 1n });
const { commitment } = shard;
const shape = proofShape(commitment);
const query = tokenise(utf8('the index'));
const { length } = query;
const range = rankRange(arrays, query);
const count: ShardStatement = { kind: 'count', start: 0, length, ...range };
const occurrence: ShardStatement = { kind: 'occurrence', start: 0, length, lo: range.lo, hi: range.lo + 1 };

function refusalOf(proof: Uint8Array, tokens: Uint32Array = query): unknown {
  try {
    return verifyShardProof({ commitment, query: tokens, proof });
  } catch (error) {
    return error;
  }
}

test('a query holds tokens only, wherever the patterns stand', () => {
  const proof = proveShard(shard, { query, statements: [count], documents: false });
  for (const id of [SEPARATOR, 0x61000061, 0x61620000 + 0x20])
    expect(refusalOf(proof, Uint32Array.from([...query, id]))).toBeInstanceOf(LedgerError);
  expect(refusalOf(proof)).not.toBeInstanceOf(Error);
});

test('an entry that goes on behind a separator is none, also when query or neighbour have it so', () => {
  for (const [head, previous] of [
    [6, [97, SEPARATOR, 98]],
    [7, []],
  ] as const) {
    const bytes = Uint8Array.of(head, ...new Uint8Array(shape.rankBytes + shape.documentBytes), 0, 98);
    const reference = { previous, query: Uint32Array.of(97, SEPARATOR, 98), start: 0 };
    expect(() => readEntry(new ProofReader(bytes), shape, reference)).toThrow(/behind the end of a document/);
  }
});

test('documents are asked for where there are holders, and nowhere else', () => {
  const proof = proveShard(shard, { query, statements: [count], documents: true });
  expect(proof[0]).toBe(PROOF_VERSION);
  expect(refusalOf(concatBytes(Uint8Array.of(PROOF_VERSION + 1), proof.subarray(1)))).toBeInstanceOf(
    DecodeError,
  );
});

test('a holder stands in the range of its document', () => {
  const at = arrays.documentAt(arrays.suffix(range.lo));
  const wrong = {
    ...arrays,
    documentAt: (position: number) => (arrays.documentAt(position) === at ? 2 : at),
  };
  const options = { datanetId: 1n };
  const leaves = { ...leavesOfArrays(arrays, options), suffix: leavesOfArrays(wrong, options).suffix };
  const liar = commitLeaves(leaves, arrays, options);
  const proof = proveShard(liar, { query, statements: [occurrence], documents: true });
  expect(() => verifyShardProof({ commitment: liar.commitment, query, proof })).toThrow(/does not hold/);
});

/** A proof that ends behind its statements. */
function headOf(statements: readonly ShardStatement[]): Uint8Array {
  const writer = new ProofWriter();
  writer.uint(PROOF_VERSION, 1);
  writer.varint(statements.length);
  for (const statement of statements) writeStatement(writer, shape, statement);
  return writer.done();
}

test('what a proof may ask for is bounded before it is read', () => {
  expect(String(refusalOf(new Uint8Array(PROOF_BYTES_MAX + 1)))).toContain('too long');
  const wide: ShardStatement = { kind: 'holders', start: 0, length, lo: 0, hi: 20 };
  const text = tokenise(utf8(LONG.repeat(3)));
  const many20 = Array.from({ length: STATEMENTS_MAX }, (_, start) => ({ ...wide, start }));
  expect(String(refusalOf(headOf(many20), text))).toContain('too much');
  const deep = (start: number): ShardStatement => {
    return { kind: 'count', start, length: text.length - STATEMENTS_MAX, lo: 0, hi: 0 };
  };
  const head = headOf(Array.from({ length: STATEMENTS_MAX }, (_, start) => deep(start)));
  expect(String(refusalOf(head, text))).toContain('too much');
  const many = Array.from({ length: STATEMENTS_MAX + 1 }, () => count);
  expect(String(refusalOf(headOf(many)))).toContain('too many');
});

test('statements rise: none is said twice, and they have one order', () => {
  const proofOf = (...statements: ShardStatement[]): unknown =>
    refusalOf(proveShard(shard, { query, statements, documents: false }));
  const { lo, hi } = rankRange(arrays, query.subarray(0, 1));
  const part: ShardStatement = { ...count, length: 1, lo, hi };
  const one: ShardStatement = { ...occurrence, length: 1, lo, hi: lo + 1 };
  const another: ShardStatement = { ...one, lo: lo + 1, hi: lo + 2 };
  expect(proofOf(part, one, another, count, occurrence)).not.toBeInstanceOf(Error);
  for (const wrong of [
    [count, count],
    [count, part],
    [occurrence, count],
    [another, one],
    [count, occurrence, count],
  ])
    expect(String(proofOf(...wrong))).toContain('not in order');
});

test('entries that are not the shard’s are refused before the text is looked at', () => {
  const text = tokenise(utf8(LONG));
  const deep: ShardStatement = { kind: 'count', start: 0, length: text.length, ...rankRange(arrays, text) };
  const proof = proveShard(shard, { query: text, statements: [deep], documents: false });
  const other = { ...commitment, suffixRoot: commitment.textRoot };
  const head = headOf([deep]).length;
  // The first text leaf stands behind the opening of the suffix tree; what it says is not looked at.
  const refusal = (bytes: Uint8Array): string => {
    try {
      verifyShardProof({ commitment: other, query: text, proof: bytes });
      return '';
    } catch (error) {
      return String(error);
    }
  };
  expect(refusal(proof)).toContain('not of the suffix tree');
  for (let end = proof.length - 1; end > head + 600; end -= 97)
    expect(refusal(proof.subarray(0, end))).toContain('not of the suffix tree');
});

test('a document leaf has one encoding of its id', () => {
  const leaf = { ...arrays.document(0), contributionId: 1n, salt: new Uint8Array(0) };
  const writer = new ProofWriter();
  writeDocumentLeaf(writer, shape, leaf);
  const bytes = writer.done();
  expect(readDocumentLeaf(new ProofReader(bytes), shape)).toEqual(leaf);
  const longer = concatBytes(Uint8Array.of(0x81, 0), bytes.subarray(1));
  expect(() => readDocumentLeaf(new ProofReader(longer), shape)).toThrow(/leading zeros/);
});

test('a text leaf leaves out all that it can', () => {
  const text = tokenise(utf8(LONG));
  const tokens = Array.from({ length: 64 }, (_, i) => arrays.token(64 + i));
  const leaf = { document: 0, offset: 9, tokens, salt: new Uint8Array(0) };
  const reference = { position: 70, query: text.slice(70, 90), start: 0 };
  const writer = new ProofWriter();
  writeTextLeaf(writer, shape, { index: 1, leaf, reference });
  expect(readTextLeaf(new ProofReader(writer.done()), shape, { index: 1, reference })).toEqual(leaf);
  const wasteful = new ProofWriter();
  wasteful.uint(0, shape.documentBytes);
  wasteful.varint(9);
  wasteful.uint(19, 1);
  wasteful.tokens([...tokens.slice(0, 6), ...tokens.slice(25)], 0);
  const reader = new ProofReader(wasteful.done());
  expect(() => readTextLeaf(reader, shape, { index: 1, reference })).toThrow(/fewer tokens than it could/);
});
