/**
 * Checks ICS-23 proofs of the two trees under an app hash. Every step of a path is taken apart into the
 * side on which the child is and the hash of its sibling; nothing else may be in it, so that a path has one
 * meaning only (the ICS-23 forgery of October 2022, "Dragonberry", lived on steps with two).
 *
 * | tree | input of a leaf's hash | of an inner node's |
 * | --- | --- | --- |
 * | IAVL | 0, size, version, key, sha256(value) | height, size, version, left, right |
 * | simple | byte 0, key, sha256(value) | byte 1, left, right |
 *
 * Keys and hashes have their length before them, but for the children of the simple tree.
 *
 * Source: github.com/cosmos/ics23 v0.11 `proof.go`, `ops.go`, specs `IavlSpec` and `TendermintSpec`.
 */
import { compareBytes, concatBytes, equalBytes } from '../../core/bytes.ts';
import { HASH_BYTES, sha256 } from '../../core/hash.ts';
import { encodeUvarint } from '../../core/varint.ts';
import type { ExistenceProof, InnerOp, NonExistenceProof } from './commitment-proof.ts';

/** Deepest tree: IAVL keeps itself balanced, so this is far beyond what fits on earth. */
export const PATH_MAX = 128;
const SHA256_OP = 1;
const NO_HASH_OP = 0;
const VAR_PROTO_OP = 1;
const VARINT_BYTES_MAX = 10;

/** Which tree a proof is of. */
export type ProofSpec = 'iavl' | 'simple';

interface Step {
  readonly side: 'left' | 'right';
  /** What surrounds the child. */
  readonly op: InnerOp;
}

/**
 * True when the proof leads from this pair to this root. Malformed proofs are false, never an exception. An
 * empty value is a value here (the stock verifiers refuse it): both trees hash its length.
 */
export function verifyExistence(
  proof: ExistenceProof,
  spec: ProofSpec,
  claim: { readonly root: Uint8Array; readonly key: Uint8Array; readonly value: Uint8Array },
): boolean {
  if (!equalBytes(proof.key, claim.key) || !equalBytes(proof.value, claim.value)) return false;
  return rootHolds(proof, spec, claim.root) !== undefined;
}

/**
 * True when the proof shows that nothing is at a key: the two neighbours are next to each other, or the one
 * is at the end of the tree, or the tree is empty. Malformed proofs are false.
 */
export function verifyAbsence(
  proof: NonExistenceProof,
  spec: ProofSpec,
  claim: { readonly root: Uint8Array; readonly key: Uint8Array },
): boolean {
  const { left, right } = proof;
  if (!equalBytes(proof.key, claim.key)) return false;
  if (left === undefined && right === undefined) return equalBytes(claim.root, sha256(new Uint8Array(0)));
  const leftPath = left === undefined ? undefined : rootHolds(left, spec, claim.root);
  const rightPath = right === undefined ? undefined : rootHolds(right, spec, claim.root);
  if (left !== undefined && (leftPath === undefined || compareBytes(left.key, claim.key) >= 0)) return false;
  if (right !== undefined && (rightPath === undefined || compareBytes(claim.key, right.key) >= 0))
    return false;
  if (leftPath === undefined) return rightPath?.every(({ side }) => side === 'left') === true;
  if (rightPath === undefined) return leftPath.every(({ side }) => side === 'right');
  return areNeighbours(leftPath, rightPath);
}

/** From the root down the paths are one, then part to the left and to the right, then stay close. */
function areNeighbours(left: readonly Step[], right: readonly Step[]): boolean {
  let depth = 0;
  for (; ; depth++) {
    const [a, b] = [left.at(-1 - depth), right.at(-1 - depth)];
    if (a === undefined || b === undefined) return false;
    if (!equalBytes(a.op.prefix, b.op.prefix) || !equalBytes(a.op.suffix, b.op.suffix)) break;
  }
  const [a, b] = [left.at(-1 - depth), right.at(-1 - depth)];
  if (a?.side !== 'left' || b?.side !== 'right') return false;
  const below = (path: readonly Step[]): readonly Step[] => path.slice(0, path.length - 1 - depth);
  return (
    below(left).every(({ side }) => side === 'right') && below(right).every(({ side }) => side === 'left')
  );
}

/** The steps of a proof that leads to the root; undefined when it does not, or is malformed. */
function rootHolds(proof: ExistenceProof, spec: ProofSpec, root: Uint8Array): readonly Step[] | undefined {
  const { leaf, key, value, path } = proof;
  if (leaf === undefined || key.length === 0 || path.length > PATH_MAX) return undefined;
  const leafFits =
    leaf.hash === SHA256_OP &&
    leaf.prehashKey === NO_HASH_OP &&
    leaf.prehashValue === SHA256_OP &&
    leaf.length === VAR_PROTO_OP &&
    isLeafPrefix(leaf.prefix, spec);
  if (!leafFits) return undefined;
  let hash = sha256(concatBytes(leaf.prefix, withLength(key), withLength(sha256(value))));
  const steps: Step[] = [];
  for (const op of path) {
    const side = op.hash === SHA256_OP ? sideOf(op, spec) : undefined;
    if (side === undefined) return undefined;
    steps.push({ side, op });
    hash = sha256(concatBytes(op.prefix, hash, op.suffix));
  }
  return equalBytes(hash, root) ? steps : undefined;
}

function withLength(bytes: Uint8Array): Uint8Array {
  return concatBytes(encodeUvarint(BigInt(bytes.length)), bytes);
}

function isLeafPrefix(prefix: Uint8Array, spec: ProofSpec): boolean {
  if (spec === 'simple') return prefix.length === 1 && prefix[0] === 0;
  return prefix[0] === 0 && numbersEnd(prefix) === prefix.length;
}

/** On which side the child of a step is; undefined when the step is no step of this tree. */
function sideOf({ prefix, suffix }: InnerOp, spec: ProofSpec): Step['side'] | undefined {
  if (spec === 'simple') {
    if (prefix[0] !== 1) return undefined;
    if (prefix.length === 1 && suffix.length === HASH_BYTES) return 'left';
    return prefix.length === 1 + HASH_BYTES && suffix.length === 0 ? 'right' : undefined;
  }
  const end = numbersEnd(prefix);
  if (end === undefined || prefix[0] === 0 || prefix[end] !== HASH_BYTES) return undefined;
  const rest = prefix.subarray(end + 1);
  if (rest.length === 0 && suffix.length === 1 + HASH_BYTES && suffix[0] === HASH_BYTES) return 'left';
  const isRight = rest.length === HASH_BYTES + 1 && rest[HASH_BYTES] === HASH_BYTES && suffix.length === 0;
  return isRight ? 'right' : undefined;
}

/** Where the three varints of an IAVL node (height, size, version; none negative) end. */
function numbersEnd(prefix: Uint8Array): number | undefined {
  let at = 0;
  for (let count = 0; count < 3; count++) {
    const start = at;
    while ((prefix[at] ?? 0) >= 0x80) at++;
    // Zig-zag: odd is negative.
    if (at >= prefix.length || at - start >= VARINT_BYTES_MAX || ((prefix[start] ?? 1) & 1) === 1)
      return undefined;
    at++;
  }
  return at;
}
