/**
 * Proofs that a tree holds a pair, or has nothing at a key. Source: cosmos/iavl v1.2 `proof_ics23.go`.
 * A proof of a pair whose value is empty is well-formed, but ICS-23 verifiers refuse empty values.
 */
import { concatBytes, EMPTY_BYTES } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { encodeUvarint } from '../../core/varint.ts';
import { encodeExistence, encodeNonExistence, type ExistenceProof, type InnerStep } from '../ics23.ts';
import { type NodeArena, type NodeId, searchKey } from './node-arena.ts';
import { findLeaf, walkLeaves } from './walk.ts';

const HASH_LENGTH = Uint8Array.of(HASH_BYTES);

/**
 * An encoded `CommitmentProof` for a key under the root of a committed version: of its value or of its
 * absence.
 */
export function proveKey(arena: NodeArena, root: NodeId, key: Uint8Array): Uint8Array {
  if (findLeaf(arena, root, key) !== 0) return encodeExistence(existenceProof(arena, root, key));
  const left = firstKey(walkLeaves(arena, root, { end: key, reverse: true }));
  const right = firstKey(walkLeaves(arena, root, { start: key }));
  return encodeNonExistence({
    key,
    left: left === undefined ? undefined : existenceProof(arena, root, left),
    right: right === undefined ? undefined : existenceProof(arena, root, right),
  });
}

/** The proof of a key that is there. */
function existenceProof(arena: NodeArena, root: NodeId, key: Uint8Array): ExistenceProof {
  const path: InnerStep[] = [];
  const searched = searchKey(key);
  let node = root;
  while (!arena.isLeaf(node)) {
    const goesLeft = arena.compare(searched, node) < 0;
    path.push(innerStep(arena, node, goesLeft));
    node = goesLeft ? arena.left(node) : arena.right(node);
  }
  const value = arena.bytes.read(arena.value(node));
  return { key, value, leafPrefix: nodePrefix(arena, node), path: path.toReversed() };
}

/** What surrounds the child's hash in the input of its parent's hash. */
function innerStep(arena: NodeArena, node: NodeId, goesLeft: boolean): InnerStep {
  const prefix = nodePrefix(arena, node);
  if (goesLeft) {
    const right = arena.hash(arena.right(node));
    return { prefix: concatBytes(prefix, HASH_LENGTH), suffix: concatBytes(HASH_LENGTH, right) };
  }
  const left = arena.hash(arena.left(node));
  return { prefix: concatBytes(prefix, HASH_LENGTH, left, HASH_LENGTH), suffix: EMPTY_BYTES };
}

function nodePrefix(arena: NodeArena, node: NodeId): Uint8Array {
  const numbers = [arena.height(node), arena.size(node), arena.version(node)];
  // Zig-zag form of a non-negative number: its double.
  return concatBytes(...numbers.map((number) => encodeUvarint(2n * BigInt(number))));
}

function firstKey(pairs: Iterable<readonly [Uint8Array, Uint8Array]>): Uint8Array | undefined {
  for (const [key] of pairs) return key;
  return undefined;
}
