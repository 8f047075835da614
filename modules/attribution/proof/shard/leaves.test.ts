import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes } from '../../../../core/bytes.ts';
import { DecodeError, LedgerError } from '../../../../core/errors.ts';
import { ShardCommitment } from '../../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { LEAF_TOKENS, PREFIX_TOKENS } from '../kinds.ts';
import { SEPARATOR } from '../tokenise.ts';
import { checkCommitment, commitmentProblem, leafCount, shardId } from './commitment.ts';
import {
  decodeDocumentLeaf,
  decodeInverseLeaf,
  decodeSuffixLeaf,
  decodeTextLeaf,
  encodeDocumentLeaf,
  encodeInverseLeaf,
  encodeSuffixLeaf,
  encodeTextLeaf,
  LEAF_BYTES_MAX,
  leafProblem,
} from './leaves.ts';

const NO_SALT = new Uint8Array(0);
const SALT = new Uint8Array(32).fill(9);
const shape = { documents: 3, tokens: 100, entriesPerLeaf: 8, salted: false };
const salted = { ...shape, salted: true };

const text = { document: 0, offset: 5, tokens: Array.from({ length: 36 }, (_, i) => i + 2), salt: NO_SALT };
const entry = { position: 7, document: 1, tokens: [5, 6, SEPARATOR] };
const long = { position: 7, document: 1, tokens: Array.from({ length: PREFIX_TOKENS }, () => 9) };
const documentLeaf = {
  contributionId: 2n ** 64n - 1n,
  tombstone: false,
  contributor: new Uint8Array(255).fill(1),
  root: new Uint8Array(32).fill(2),
  byteLength: 900,
  firstToken: 99,
  tokens: 1,
  salt: SALT,
};

test('leaves are read as they were written', () => {
  expect(decodeTextLeaf(shape, 1, encodeTextLeaf(text))).toEqual(text);
  const suffix = { entries: [entry, long, entry, long], salt: SALT };
  expect(decodeSuffixLeaf(salted, 12, encodeSuffixLeaf(suffix))).toEqual(suffix);
  const full = { entries: Array.from({ length: 8 }, () => long), salt: SALT };
  expect(encodeSuffixLeaf(full)).toHaveLength(LEAF_BYTES_MAX);
  const inverse = { ranks: Array.from({ length: LEAF_TOKENS }, (_, i) => 99 - i), salt: NO_SALT };
  expect(decodeInverseLeaf(shape, 0, encodeInverseLeaf(inverse))).toEqual(inverse);
  expect(decodeDocumentLeaf(salted, 2, encodeDocumentLeaf(documentLeaf))).toEqual(documentLeaf);
});

test('a leaf that is not this one is refused', () => {
  const problems = [
    leafProblem(shape, { tree: 'text', index: 0, bytes: encodeTextLeaf(text) }),
    leafProblem(shape, { tree: 'inverse', index: 1, bytes: encodeTextLeaf(text) }),
    leafProblem(salted, { tree: 'text', index: 1, bytes: encodeTextLeaf(text) }),
    leafProblem(shape, { tree: 'text', index: 1, bytes: concatBytes(encodeTextLeaf(text), NO_SALT, SALT) }),
    leafProblem(shape, { tree: 'text', index: 1, bytes: encodeTextLeaf({ ...text, document: 3 }) }),
    leafProblem(shape, { tree: 'text', index: 1, bytes: new Uint8Array(0) }),
    ...[
      { ...entry, position: 100 },
      { ...entry, position: 98 },
      { ...entry, document: 3 },
      { ...entry, tokens: [5, 6] },
      { ...entry, tokens: [...long.tokens, 9] },
    ].map((wrong) =>
      leafProblem(
        { ...shape, entriesPerLeaf: 1 },
        { tree: 'suffix', index: 0, bytes: encodeSuffixLeaf({ entries: [wrong], salt: NO_SALT }) },
      ),
    ),
    ...[
      { ...documentLeaf, tokens: 0 },
      { ...documentLeaf, tokens: 2 },
      { ...documentLeaf, tombstone: true, firstToken: 0, tokens: 2 },
      { ...documentLeaf, contributor: NO_SALT },
      { ...documentLeaf, byteLength: 2 ** 53 },
    ].map((wrong) => leafProblem(salted, { tree: 'documents', index: 0, bytes: encodeDocumentLeaf(wrong) })),
    leafProblem(shape, {
      tree: 'inverse',
      index: 1,
      bytes: encodeInverseLeaf({ ranks: new Array<number>(36).fill(100), salt: NO_SALT }),
    }),
  ];
  for (const problem of problems) expect(problem).toMatch(/^leaf \d+ of the/);
});

test('a decoder refuses or reads exactly the bytes that its encoder writes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 90 }), fc.integer({ min: 1, max: 4 }), (rest, kind) => {
      const small = { documents: 2, tokens: 20, entriesPerLeaf: 1, salted: false };
      const bytes = concatBytes(Uint8Array.of(kind), rest);
      const attempts = [
        () => encodeTextLeaf(decodeTextLeaf(small, 0, bytes)),
        () => encodeSuffixLeaf(decodeSuffixLeaf(small, 0, bytes)),
        () => encodeInverseLeaf(decodeInverseLeaf(small, 0, bytes)),
        () => encodeDocumentLeaf(decodeDocumentLeaf(small, 0, bytes)),
      ];
      for (const attempt of attempts) {
        try {
          expect(attempt()).toEqual(bytes);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
        }
      }
    }),
  );
});

const root = new Uint8Array(32).fill(3);
const commitment = ShardCommitment.create({
  datanetId: 1n,
  documents: 3,
  tokens: 100,
  tokeniser: 1,
  entriesPerLeaf: 8,
  textRoot: root,
  suffixRoot: root,
  inverseRoot: root,
  documentRoot: root,
});

test('a commitment has trees of fixed sizes, an id of all its fields, and one form', () => {
  expect(leafCount(commitment, 'text')).toBe(2);
  expect(leafCount(commitment, 'suffix')).toBe(13);
  expect(leafCount(commitment, 'inverse')).toBe(2);
  expect(leafCount(commitment, 'documents')).toBe(3);
  expect(shardId(commitment)).not.toEqual(shardId({ ...commitment, salted: true }));
  expect(() => checkCommitment(commitment)).not.toThrow();
  const wrong: readonly Partial<ShardCommitment>[] = [
    { datanetId: 0n },
    { documents: 0 },
    { tokens: 2 },
    { tokens: 2 ** 28 + 1 },
    { tokeniser: 2 },
    { entriesPerLeaf: 2 },
    { firstPosition: 2n ** 64n - 2n },
    { inverseRoot: root.subarray(1) },
  ];
  for (const change of wrong) {
    expect(commitmentProblem({ ...commitment, ...change })).toBeDefined();
    expect(() => checkCommitment({ ...commitment, ...change })).toThrow(LedgerError);
  }
});
