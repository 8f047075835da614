/** Reading a tree from any of its roots: point look-ups and ranges. */
import type { KeyRange, KeyValue } from '../kv.ts';
import { type NodeArena, type NodeId, type SearchKey, searchKey } from './node-arena.ts';

/** The leaf that holds a key; 0 when there is none. */
export function findLeaf(arena: NodeArena, root: NodeId, key: Uint8Array): NodeId {
  return findSearched(arena, root, searchKey(key));
}

/** The leaf that holds a searched key; 0 when there is none. */
export function findSearched(arena: NodeArena, root: NodeId, key: SearchKey): NodeId {
  if (root === 0) return 0;
  let node = root;
  while (!arena.isLeaf(node)) {
    node = arena.compare(key, node) < 0 ? arena.left(node) : arena.right(node);
  }
  return arena.compare(key, node) === 0 ? node : 0;
}

/** Value of a key under a root. */
export function findValue(arena: NodeArena, root: NodeId, key: Uint8Array): Uint8Array | undefined {
  const leaf = findLeaf(arena, root, key);
  return leaf === 0 ? undefined : arena.bytes.read(arena.value(leaf));
}

/** The pairs of a range, in key order or its reverse. */
export function* walkLeaves(
  arena: NodeArena,
  root: NodeId,
  range: KeyRange,
): Generator<KeyValue, void, void> {
  if (root === 0) return;
  const start = range.start === undefined ? undefined : searchKey(range.start);
  const end = range.end === undefined ? undefined : searchKey(range.end);
  const reverse = range.reverse === true;
  const stack: NodeId[] = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (arena.isLeaf(node)) {
      if (start !== undefined && arena.compare(start, node) > 0) continue;
      if (end !== undefined && arena.compare(end, node) <= 0) continue;
      yield [arena.bytes.read(arena.keyRef(node)), arena.bytes.read(arena.value(node))];
      continue;
    }
    // Keys of the left subtree are below the node's key, those of the right one are not.
    const wantsLeft = start === undefined || arena.compare(start, node) < 0;
    const wantsRight = end === undefined || arena.compare(end, node) > 0;
    if (!reverse && wantsRight) stack.push(arena.right(node));
    if (wantsLeft) stack.push(arena.left(node));
    if (reverse && wantsRight) stack.push(arena.right(node));
  }
}

/** Every node under a root, in no particular order. */
export function allNodes(arena: NodeArena, root: NodeId): NodeId[] {
  const nodes: NodeId[] = root === 0 ? [] : [root];
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i] ?? 0;
    if (!arena.isLeaf(node)) nodes.push(arena.left(node), arena.right(node));
  }
  return nodes;
}
