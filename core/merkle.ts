/**
 * The RFC 6962 merkle tree as CometBFT builds it: leaves hashed with prefix 0x00, inner nodes with 0x01, the
 * left subtree the largest power of two below the count, the root of nothing the hash of nothing. Source: RFC
 * 6962 section 2.1; CometBFT v0.38 `crypto/merkle/{hash,tree,proof}.go`.
 */
import { EMPTY_BYTES, equalBytes } from './bytes.ts';
import { assert } from './errors.ts';
import { HASH_BYTES, sha256 } from './hash.ts';

const LEAF_PREFIX = 0;
const INNER_PREFIX = 1;

/** Prefix, left and right hash: the input of every inner node, filled anew for each. Hashing never nests. */
const innerInput = new Uint8Array(1 + 2 * HASH_BYTES);
innerInput[0] = INNER_PREFIX;

/** Prefix and leaf, filled anew for each leaf that fits. */
const leafInput = new Uint8Array(2048);

/** Most aunts a proof may carry: trees up to 2^100 leaves, as CometBFT limits them. */
export const MERKLE_AUNTS_MAX = 100;

/** A path from one leaf to the root. `aunts` goes from the leaf upwards; every hash is 32 bytes. */
export interface MerkleProof {
  readonly total: number;
  readonly index: number;
  readonly leafHash: Uint8Array;
  readonly aunts: readonly Uint8Array[];
}

/** Hash of a leaf's bytes. */
export function leafHash(leaf: Uint8Array): Uint8Array {
  const length = 1 + leaf.length;
  const input = length <= leafInput.length ? leafInput.subarray(0, length) : new Uint8Array(length);
  input[0] = LEAF_PREFIX;
  input.set(leaf, 1);
  return sha256(input);
}

/** Hash of an inner node from its children's hashes, 32 bytes each. */
export function innerHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  assert(left.length === HASH_BYTES && right.length === HASH_BYTES, 'a child hash is not 32 bytes long');
  innerInput.set(left, 1);
  innerInput.set(right, 1 + HASH_BYTES);
  return sha256(innerInput);
}

/** Root over leaves in their order: 32 bytes. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(EMPTY_BYTES);
  return rootOfHashes(leaves.map(leafHash), 0, leaves.length);
}

function rootOfHashes(hashes: readonly Uint8Array[], from: number, to: number): Uint8Array {
  const count = to - from;
  if (count === 1) return hashAt(hashes, from);
  const split = from + splitPoint(count);
  return innerHash(rootOfHashes(hashes, from, split), rootOfHashes(hashes, split, to));
}

/** Root and one proof per leaf. */
export function merkleProofs(leaves: readonly Uint8Array[]): { root: Uint8Array; proofs: MerkleProof[] } {
  if (leaves.length === 0) return { root: sha256(EMPTY_BYTES), proofs: [] };
  const hashes = leaves.map(leafHash);
  const aunts: Uint8Array[][] = hashes.map(() => []);
  const root = collectAunts(hashes, 0, hashes.length, aunts);
  const total = hashes.length;
  return {
    root,
    proofs: hashes.map((hash, index) => ({ total, index, leafHash: hash, aunts: aunts[index] ?? [] })),
  };
}

/** Returns the root of a range and appends to each of its leaves the sibling met on the way up. */
function collectAunts(
  hashes: readonly Uint8Array[],
  from: number,
  to: number,
  aunts: readonly Uint8Array[][],
): Uint8Array {
  if (to - from === 1) return hashAt(hashes, from);
  const split = from + splitPoint(to - from);
  const left = collectAunts(hashes, from, split, aunts);
  const right = collectAunts(hashes, split, to, aunts);
  for (let i = from; i < split; i++) aunts[i]?.push(right);
  for (let i = split; i < to; i++) aunts[i]?.push(left);
  return innerHash(left, right);
}

/**
 * True when the proof leads from these leaf bytes to this root. Malformed proofs are false, never an
 * exception.
 */
export function verifyMerkleProof(proof: MerkleProof, root: Uint8Array, leaf: Uint8Array): boolean {
  if (!equalBytes(leafHash(leaf), proof.leafHash)) return false;
  const computed = rootFromProof(proof);
  return computed !== undefined && equalBytes(computed, root);
}

/** The root that a proof leads to; undefined when its shape is impossible for its index and total. */
export function rootFromProof(proof: MerkleProof): Uint8Array | undefined {
  const { total, index, aunts } = proof;
  if (!Number.isSafeInteger(total) || !Number.isSafeInteger(index)) return undefined;
  if (total <= 0 || index < 0 || index >= total || aunts.length > MERKLE_AUNTS_MAX) return undefined;
  if (proof.leafHash.length !== HASH_BYTES || aunts.some((aunt) => aunt.length !== HASH_BYTES))
    return undefined;
  return rootFromAunts(index, total, proof.leafHash, aunts);
}

function rootFromAunts(
  index: number,
  total: number,
  hash: Uint8Array,
  aunts: readonly Uint8Array[],
): Uint8Array | undefined {
  if (total === 1) return aunts.length === 0 ? hash : undefined;
  const aunt = aunts.at(-1);
  if (aunt === undefined) return undefined;
  const split = splitPoint(total);
  const below = aunts.slice(0, -1);
  if (index < split) {
    const left = rootFromAunts(index, split, hash, below);
    return left === undefined ? undefined : innerHash(left, aunt);
  }
  const right = rootFromAunts(index - split, total - split, hash, below);
  return right === undefined ? undefined : innerHash(aunt, right);
}

/** Largest power of two below `count`, which is at least 2. */
function splitPoint(count: number): number {
  assert(count > 1, 'a single leaf cannot be split', { count });
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function hashAt(hashes: readonly Uint8Array[], index: number): Uint8Array {
  const hash = hashes[index];
  assert(hash !== undefined, 'leaf index out of range', { index });
  return hash;
}
