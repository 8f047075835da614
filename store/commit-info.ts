/**
 * The app hash: a merkle map from substore name to the root of its tree. Leaves are sorted by name; each is
 * `len(name) name len(h) h` with `h = sha256(root)` and lengths as unsigned varints.
 * Source: cosmossdk.io/store v1.1 `types/commit_info.go`, `internal/maps/maps.go`.
 */
import { concatBytes, utf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { merkleRoot } from '../core/merkle.ts';
import { encodeUvarint } from '../core/varint.ts';

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
