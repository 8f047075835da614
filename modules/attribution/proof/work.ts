/**
 * What checking a proof takes, known before it is done: gas is charged for it. Each format has a bound of its
 * own, from what its first bytes say and how long it is (`shard/work.ts`, `influence/fraud.ts`); a proof that
 * is refused half-way takes less.
 */
import { HASH_BYTES } from '../../../core/hash.ts';

/** Work of a verifier. */
export interface Work {
  /** Computations of SHA-256. */
  readonly hashes: number;
  /** Bytes that are read, hashed or compared; other steps are counted as the bytes that take as long. */
  readonly bytes: number;
}

/** Of every check, whatever it is of: the trees that it is held against, and the sentence of a refusal. */
export const FIXED_WORK: Work = { hashes: 0, bytes: 1_024 };

/** Two hashes, which an inner node is the hash of. */
const NODE_BYTES: number = 2 * HASH_BYTES;

/** Work of one after the other. */
export function sumOfWork(parts: readonly Work[]): Work {
  let hashes = 0;
  let bytes = 0;
  for (const part of parts) {
    hashes += part.hashes;
    bytes += part.bytes;
  }
  return { hashes, bytes };
}

/** What is opened of a tree. */
export interface OpeningShape {
  readonly leaves: number;
  /** Of all its leaves. */
  readonly leafBytes: number;
  /** Hashes that lead from the leaves to the root. */
  readonly hashes: number;
}

/** Leaves, then the nodes above them, of which each takes two of leaves and hashes; then the bound root. */
export function workOfOpening({ leaves, leafBytes, hashes }: OpeningShape): Work {
  const nodes = leaves + hashes;
  return { hashes: leaves + nodes, bytes: leafBytes + NODE_BYTES * nodes };
}
