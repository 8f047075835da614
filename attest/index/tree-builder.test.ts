/** Trees of all sizes, by both hashers: the root of core/merkle.ts, and every kept node in its place. */
import { describe, expect, test } from 'vitest';
import { equalBytes } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { innerHash, leafHash, merkleRoot } from '../../core/merkle.ts';
import { type BatchHasher, plainHasher, wasmHasher } from '../wasm/batch-hasher.ts';
import { buildTree } from './tree-builder.ts';
import { FIRST_KEPT_LEVEL, keptNodes, nodesOf, rootLevel } from './tree-layout.ts';

const LIMITS = { capacity: 8, leafBytesMax: 300 };
const wasm = wasmHasher(LIMITS);
if (wasm === undefined) throw new Error('this machine cannot run the module');

function leavesOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new Uint8Array((i * 37) % 300).fill(i));
}

function build(hasher: BatchHasher, leaves: readonly Uint8Array[]): { root: Uint8Array; kept: Uint8Array } {
  const kept = new Uint8Array(keptNodes(leaves.length) * HASH_BYTES);
  const root = buildTree(hasher, {
    leaves: leaves.length,
    write: (index, at) => {
      hasher.bytes.set(leaves[index] ?? [], at);
      return leaves[index]?.length ?? 0;
    },
    keep: (at, hashes) => kept.set(hashes, at),
  });
  return { root, kept };
}

describe.each([
  ['wasm', wasm],
  ['plain', plainHasher(LIMITS)],
])('%s', (_name, hasher) => {
  test('roots and nodes of trees of 1 to 90 leaves', () => {
    for (let count = 1; count <= 90; count++) {
      const leaves = leavesOf(count);
      const { root, kept } = build(hasher, leaves);
      expect(equalBytes(root, merkleRoot(leaves)), `${count} leaves`).toBe(true);
      let level = leaves.map(leafHash);
      for (let height = 1; height <= rootLevel(count); height++) {
        level = Array.from({ length: nodesOf(count, height) }, (_, i) => {
          const [left, right] = [level[2 * i], level[2 * i + 1]];
          if (left === undefined) throw new Error('too many nodes');
          return right === undefined ? left : innerHash(left, right);
        });
        if (height < FIRST_KEPT_LEVEL) continue;
        const from = keptNodes(count, height) * HASH_BYTES;
        const found = kept.subarray(from, from + level.length * HASH_BYTES);
        expect(equalBytes(found, Buffer.concat(level)), `level ${height} of ${count}`).toBe(true);
      }
    }
  });
});

test('a leaf begins where the words behind its kind are aligned', () => {
  const hasher = plainHasher(LIMITS);
  expect([hasher.begin() % 4, hasher.end(5) % 4, hasher.end(200) % 4]).toEqual([3, 3, 3]);
});
