/**
 * The app hash: a merkle map from substore name to the root of its tree. Leaves are sorted by name; each is
 * `len(name) name len(h) h` with `h = sha256(root)` and lengths as unsigned varints.
 * Source: cosmossdk.io/store v1.1 `types/commit_info.go`, `internal/maps/maps.go`.
 */
import { concatBytes, EMPTY_BYTES, utf8 } from '../core/bytes.ts';
import { assert } from '../core/errors.ts';
import { sha256 } from '../core/hash.ts';
import { merkleProofs, merkleRoot } from '../core/merkle.ts';
import { encodeUvarint } from '../core/varint.ts';
import { encodeExistence } from './ics23.ts';

/** Domain bytes of RFC 6962 hashing. */
const LEAF_PREFIX = Uint8Array.of(0);
const INNER_PREFIX = Uint8Array.of(1);

/** A substore in the app hash. */
export interface StoreInfo {
  readonly name: string;
  /** Root hash of its tree, 32 bytes. */
  readonly hash: Uint8Array;
}

/** Order of names as in the app hash. Names are ASCII. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Hash over substores that are sorted by name; that of nothing when there are none. */
export function appHash(stores: readonly StoreInfo[]): Uint8Array {
  return merkleRoot(stores.map(storeLeaf));
}

/** A substore's leaf in the merkle tree of the app hash. */
export function storeLeaf(store: StoreInfo): Uint8Array {
  const name = utf8(store.name);
  const hash = sha256(store.hash);
  return concatBytes(encodeUvarint(BigInt(name.length)), name, encodeUvarint(BigInt(hash.length)), hash);
}

/**
 * An encoded `CommitmentProof` of a substore's root in the app hash over `stores` (sorted by name).
 * Source: cosmossdk.io/store v1.1 `internal/proofs/convert.go`.
 */
export function proveStore(stores: readonly StoreInfo[], name: string): Uint8Array {
  const index = stores.findIndex((store) => store.name === name);
  const proof = merkleProofs(stores.map(storeLeaf)).proofs[index];
  const store = stores[index];
  assert(proof !== undefined && store !== undefined, 'a store without a place in the app hash', { name });
  const sides = auntSides(proof.index, proof.total);
  const path = proof.aunts.map((aunt, level) =>
    sides[level] === 'right'
      ? { prefix: INNER_PREFIX, suffix: aunt }
      : { prefix: concatBytes(INNER_PREFIX, aunt), suffix: EMPTY_BYTES },
  );
  return encodeExistence({ key: utf8(name), value: store.hash, leafPrefix: LEAF_PREFIX, path });
}

/** On which side each aunt of a leaf stands, from the leaf upwards. */
function auntSides(index: number, total: number): ('left' | 'right')[] {
  if (total < 2) return [];
  let split = 1;
  while (split * 2 < total) split *= 2;
  if (index < split) return [...auntSides(index, split), 'right'];
  return [...auntSides(index - split, total - split), 'left'];
}
