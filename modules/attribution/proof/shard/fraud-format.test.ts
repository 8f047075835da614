import { expect, test } from 'vitest';
import { DecodeError } from '../../../../core/errors.ts';
import { SHARD_TOKENS_MAX, type ShardTree } from '../kinds.ts';
import { openingHashCount } from '../tree.ts';
import {
  decodeFraud,
  encodeFraud,
  FRAUD_BYTES_MAX,
  type FraudStatement,
  OPENS,
  SHOWN_LEAF_BYTES_MAX,
  type StatementFraud,
} from './fraud-format.ts';
import { LEAF_BYTES_MAX, SALT_BYTES } from './leaves.ts';

/** The longest two leaves of a tree of the largest shard, and as many hashes as two leaves can need. */
function longestOpening(tree: ShardTree, entriesPerLeaf: number) {
  const perLeaf = { text: 64, inverse: 64, suffix: entriesPerLeaf, documents: 1 }[tree];
  const leaves = SHARD_TOKENS_MAX / perLeaf;
  const bytes = {
    text: 1 + SALT_BYTES + 8 + 256,
    inverse: 1 + SALT_BYTES + 256,
    suffix: 1 + SALT_BYTES + entriesPerLeaf * 136,
    documents: 1 + SALT_BYTES + 10 + 255 + 32 + 16,
  }[tree];
  const indices = [leaves / 2 - 1, leaves / 2];
  const hashes = new Uint8Array(32 * openingHashCount(leaves, indices));
  return { indices, leaves: [new Uint8Array(bytes), new Uint8Array(bytes)], hashes };
}

test.each([1, 8])('every kind fits, with two leaves of each tree, %i entries in a leaf', (entriesPerLeaf) => {
  const kinds = Object.keys(OPENS).filter((kind): kind is FraudStatement => kind in OPENS);
  const lengths = kinds.map((kind) => {
    const chunks = kind === 'text-token' ? [new Uint8Array(256), new Uint8Array(256)] : [];
    const hashes = kind === 'text-token' ? Array.from({ length: 46 }, () => new Uint8Array(32)) : [];
    const opened = OPENS[kind].map((tree) => longestOpening(tree, entriesPerLeaf));
    const fraud: StatementFraud = { kind, at: SHARD_TOKENS_MAX - 1, opened, content: { chunks, hashes } };
    const bytes = encodeFraud(fraud);
    expect(decodeFraud(bytes)).toEqual(fraud);
    return bytes.length;
  });
  expect(Math.max(...lengths)).toBeLessThanOrEqual(FRAUD_BYTES_MAX);
  expect(LEAF_BYTES_MAX).toBeLessThanOrEqual(SHOWN_LEAF_BYTES_MAX);
});

test('a fraud of salts fits, with the longest leaf', () => {
  const { indices, leaves, hashes } = longestOpening('suffix', 8);
  const opened = {
    indices: indices.slice(0, 1),
    leaves: leaves.slice(0, 1),
    hashes: hashes.slice(0, 25 * 32),
  };
  const fraud = { kind: 'salt', tree: 'suffix', secret: new Uint8Array(32).fill(7), opened } as const;
  const bytes = encodeFraud(fraud);
  expect([bytes.length, decodeFraud(bytes)]).toEqual([1964, fraud]);
});

test('what is cut short, too long or unknown is refused', () => {
  const opened = { indices: [3], leaves: [Uint8Array.of(1, 2)], hashes: new Uint8Array(64) };
  const bytes = encodeFraud({ kind: 'malformed-leaf', tree: 'suffix', opened });
  for (let length = 0; length < bytes.length; length++)
    expect(() => decodeFraud(bytes.subarray(0, length))).toThrow(DecodeError);
  for (const changed of [
    new Uint8Array([...bytes, 0]),
    bytes.map((byte, i) => (i === 0 ? 0x21 : byte)),
    bytes.map((byte, i) => (i === 1 ? 13 : byte)),
    bytes.map((byte, i) => (i === 2 ? 5 : byte)),
    bytes.map((byte, i) => (i === 3 ? 3 : byte)),
    new Uint8Array(FRAUD_BYTES_MAX + 1).fill(0x20),
  ])
    expect(() => decodeFraud(changed)).toThrow(DecodeError);
});
