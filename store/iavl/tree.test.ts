import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes, concatBytes, EMPTY_BYTES, fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { encodeUvarint, encodeZigzag } from '../../core/varint.ts';
import { NodeArena, type NodeId } from './node-arena.ts';
import { IavlTree } from './tree.ts';
import { findValue, walkLeaves } from './walk.ts';

interface TreeCase {
  readonly name: string;
  readonly initialVersion: number;
  readonly versions: readonly { readonly ops: readonly (readonly string[])[]; readonly root: string }[];
}

const cases: readonly TreeCase[] = JSON.parse(
  readFileSync(new URL('../../test/vectors/iavl/trees.json', import.meta.url), 'utf8'),
);

/** Applies an operation of the vectors: `[key, value]` sets, `[key]` removes. */
function apply(tree: IavlTree, op: readonly string[]): void {
  const key = fromHex(op[0] ?? '');
  if (op[1] === undefined) tree.remove(key);
  else tree.set(key, fromHex(op[1]));
}

test.each(cases.map((vector) => [vector.name, vector] as const))('vector: %s', (_name, vector) => {
  const arena = new NodeArena();
  const tree = new IavlTree(arena, 0);
  let version = vector.initialVersion;
  for (const step of vector.versions) {
    for (const op of step.ops) apply(tree, op);
    expect(toHex(tree.hash(version))).toBe(step.root);
    tree.commit();
    arena.commitWorking(version++);
  }
});

test('a hash asked for in the middle, a rollback and a replay change nothing', () => {
  for (const vector of cases) {
    const arena = new NodeArena();
    const tree = new IavlTree(arena, 0);
    let version = vector.initialVersion;
    for (const step of vector.versions) {
      for (const op of step.ops.slice(0, step.ops.length / 2)) apply(tree, op);
      tree.hash(version + 7);
      const live = arena.live;
      tree.rollback();
      arena.freeWorking();
      expect(arena.live).toBeLessThanOrEqual(live);
      for (const [i, op] of step.ops.entries()) {
        if (i % 3 === 0) tree.hash(version);
        apply(tree, op);
      }
      expect(toHex(tree.hash(version))).toBe(step.root);
      const { orphans } = tree.commit();
      arena.commitWorking(version++);
      for (const orphan of orphans) arena.free(orphan);
    }
    // Keys and values as well: a new tree of the same pairs takes as many bytes.
    const fresh = new NodeArena();
    const copy = new IavlTree(fresh, 0);
    for (const [key, value] of tree.iterate({})) copy.set(key, value);
    expect(arena.bytes.usedBytes).toBe(fresh.bytes.usedBytes);
    // Without orphans a tree of n leaves has n - 1 inner nodes: nothing leaked, nothing was freed too early.
    expect(arena.live).toBe(Math.max(0, 2 * arena.size(tree.root) - 1) * (tree.root === 0 ? 0 : 1));
  }
});

interface Step {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

const key = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 2 }),
  fc.integer({ min: 0, max: 40 }).map((n) => utf8(`key-with-a-common-prefix/${n}`)),
);
const step: fc.Arbitrary<Step> = fc.record({
  key,
  value: fc.option(fc.uint8Array({ maxLength: 9 }), { nil: undefined, freq: 3 }),
});

/** A node recomputed from nothing but the pairs' place in the tree and the versions. */
function naiveHash(arena: NodeArena, node: NodeId): Uint8Array {
  if (node === 0) return sha256(EMPTY_BYTES);
  const head = concatBytes(
    encodeZigzag(BigInt(arena.height(node))),
    encodeZigzag(BigInt(arena.size(node))),
    encodeZigzag(BigInt(arena.version(node))),
  );
  if (arena.isLeaf(node)) {
    const leafKey = arena.bytes.read(arena.keyRef(node));
    const valueHash = sha256(arena.bytes.read(arena.value(node)));
    const length = encodeUvarint(BigInt(leafKey.length));
    return sha256(concatBytes(head, length, leafKey, Uint8Array.of(32), valueHash));
  }
  const left = naiveHash(arena, arena.left(node));
  const right = naiveHash(arena, arena.right(node));
  return sha256(concatBytes(head, Uint8Array.of(32), left, Uint8Array.of(32), right));
}

/** Checks balance, sizes, heights and routing keys; returns the leftmost key. */
function checkShape(arena: NodeArena, node: NodeId): Uint8Array {
  if (arena.isLeaf(node)) return arena.bytes.read(arena.keyRef(node));
  const [left, right] = [arena.left(node), arena.right(node)];
  expect(Math.abs(arena.height(left) - arena.height(right))).toBeLessThanOrEqual(1);
  expect(arena.height(node)).toBe(1 + Math.max(arena.height(left), arena.height(right)));
  expect(arena.size(node)).toBe(arena.size(left) + arena.size(right));
  const leftmost = checkShape(arena, left);
  expect(toHex(arena.bytes.read(arena.keyRef(node)))).toBe(toHex(checkShape(arena, right)));
  return leftmost;
}

test('a tree is a sorted map, at each version, with naively recomputed hashes', () => {
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 25 }), { maxLength: 8 }), (versions) => {
      const arena = new NodeArena();
      const tree = new IavlTree(arena, 0);
      const model = new Map<string, string>();
      const kept: { root: NodeId; pairs: [string, string][]; hash: string }[] = [];
      for (const [i, steps] of versions.entries()) {
        for (const { key, value } of steps) {
          if (value === undefined) expect(tree.remove(key)).toBe(model.delete(toHex(key)));
          else {
            tree.set(key, value);
            model.set(toHex(key), toHex(value));
          }
        }
        const hash = toHex(tree.hash(i + 1));
        const { root } = tree.commit();
        arena.commitWorking(i + 1);
        if (root !== 0) checkShape(arena, root);
        const pairs = [...model].sort(([a], [b]) => compareBytes(fromHex(a), fromHex(b)));
        kept.push({ root, pairs, hash });
      }
      for (const { root, pairs, hash } of kept) {
        expect([...walkLeaves(arena, root, {})].map(([k, v]) => [toHex(k), toHex(v)])).toEqual(pairs);
        expect(toHex(naiveHash(arena, root))).toBe(hash);
        for (const [k, v] of pairs) expect(toHex(findValue(arena, root, fromHex(k)) ?? utf8('-'))).toBe(v);
      }
    }),
  );
});

test('ranges, ascending and descending', () => {
  fc.assert(
    fc.property(
      fc.array(key, { maxLength: 40 }),
      fc.option(key, { nil: undefined }),
      fc.option(key, { nil: undefined }),
      (keys, start, end) => {
        const tree = new IavlTree(new NodeArena(), 0);
        for (const each of keys) tree.set(each, each);
        const expected = [...new Set(keys.map(toHex))].filter(
          (hex) =>
            (start === undefined || compareBytes(fromHex(hex), start) >= 0) &&
            (end === undefined || compareBytes(fromHex(hex), end) < 0),
        );
        expected.sort((a, b) => compareBytes(fromHex(a), fromHex(b)));
        expect([...tree.iterate({ start, end })].map(([k]) => toHex(k))).toEqual(expected);
        const reverse = [...tree.iterate({ start, end, reverse: true })].map(([k]) => toHex(k));
        expect(reverse).toEqual(expected.toReversed());
      },
    ),
  );
});
