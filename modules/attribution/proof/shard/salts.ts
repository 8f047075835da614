/**
 * Salts of a private Datanet's shards. A shard has a secret of 32 bytes, and every leaf begins with the HMAC of
 * its place under it: so who has the secret and the texts can make every leaf, and nobody else can tell what
 * a leaf holds by guessing. The commitment binds the secret; a leaf with another salt convicts the shard, for
 * which the secret has to be shown.
 */
import { concatBytes, uint64BigEndian, utf8 } from '../../../../core/bytes.ts';
import { hmacSha256, sha256 } from '../../../../core/hash.ts';
import type { ShardCommitment } from '../../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { SHARD_TREES, type ShardTree } from '../kinds.ts';

const COMMITMENT_DOMAIN = utf8('openledger/attribution/salts/v1');

/** Bytes of a shard's secret. */
export const SHARD_SECRET_BYTES = 32;

/** Where a shard stands: its secret is bound to it. */
export type ShardPlace = Pick<ShardCommitment, 'datanetId' | 'firstPosition' | 'documents'>;

/** The bytes of a place: Datanet, first position and documents, each a u64. */
export function placeBytes({ datanetId, firstPosition, documents }: ShardPlace): Uint8Array {
  return concatBytes(
    uint64BigEndian(datanetId),
    uint64BigEndian(firstPosition),
    uint64BigEndian(BigInt(documents)),
  );
}

/** What the commitment of a salted shard says of its secret: 32 bytes. */
export function saltCommitment(place: ShardPlace, secret: Uint8Array): Uint8Array {
  return sha256(concatBytes(COMMITMENT_DOMAIN, placeBytes(place), secret));
}

/** Salt of a leaf: HMAC-SHA256 of kind and u64 index under the shard's secret. 32 bytes. */
export function leafSalt(secret: Uint8Array, tree: ShardTree, index: number): Uint8Array {
  return hmacSha256(secret, concatBytes(Uint8Array.of(SHARD_TREES[tree]), uint64BigEndian(BigInt(index))));
}
