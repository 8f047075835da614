/** Secrets of salted shards, each made from the one of their index. */
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { hmacSha256 } from '../../core/hash.ts';
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafSalt, placeBytes, type ShardPlace } from '../../modules/attribution/proof/shard/salts.ts';

const SECRET_DOMAIN = utf8('openledger/attribution/shard-secret/v1');

/** Salt of a leaf: 32 bytes; none in a shard without salts. */
export type LeafSalt = (tree: ShardTree, index: number) => Uint8Array;

/**
 * The secret of a shard, 32 bytes: HMAC-SHA256 of a domain and its place under the secret of its index, which
 * those who share the texts share. To convict one shard, its own secret is shown and no other.
 */
export function secretOfShard(secret: Uint8Array, place: ShardPlace): Uint8Array {
  return hmacSha256(secret, concatBytes(SECRET_DOMAIN, placeBytes(place)));
}

const NO_SALT = new Uint8Array(0);

/** The salts of a shard that is salted under the secret of an index, or of one that is not. */
export function saltBy(secret: Uint8Array | undefined, place: ShardPlace): LeafSalt {
  if (secret === undefined) return () => NO_SALT;
  const own = secretOfShard(secret, place);
  return (tree, index) => leafSalt(own, tree, index);
}
