import { EMPTY_BYTES, equalBytes, toHex } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { HASH_BYTES } from '../../core/hash.ts';

/** Number of parts of an encoded block and the merkle root over them (32 bytes, or none in a zero header). */
export interface PartSetHeader {
  readonly total: number;
  readonly hash: Uint8Array;
}

/** What a vote is for: the header's hash (32 bytes) and the block's part set. Both empty: a vote for nil. */
export interface BlockId {
  readonly hash: Uint8Array;
  readonly partSetHeader: PartSetHeader;
}

/** The id of no block: nil votes carry it, and the first block's `lastBlockId`. */
export const NIL_BLOCK_ID: BlockId = { hash: EMPTY_BYTES, partSetHeader: { total: 0, hash: EMPTY_BYTES } };

/** The key of a nil vote in tallies; no block's key is empty. */
export const NIL_KEY = '';

/** True when hash and part set are the same. */
export function equalBlockId(a: BlockId, b: BlockId): boolean {
  return equalBytes(a.hash, b.hash) && equalPartSetHeader(a.partSetHeader, b.partSetHeader);
}

/** True when total and root are the same. */
export function equalPartSetHeader(a: PartSetHeader, b: PartSetHeader): boolean {
  return a.total === b.total && equalBytes(a.hash, b.hash);
}

/** True for the id of no block. */
export function isNilBlockId(id: BlockId): boolean {
  return id.hash.length === 0 && id.partSetHeader.total === 0 && id.partSetHeader.hash.length === 0;
}

/** True for the id of a block: both hashes are there and there is at least one part. */
export function isCompleteBlockId(id: BlockId): boolean {
  return (
    id.hash.length === HASH_BYTES && id.partSetHeader.total > 0 && id.partSetHeader.hash.length === HASH_BYTES
  );
}

/** A string that is equal for equal ids: a map key. `NIL_KEY` for nil. */
export function blockIdKey(id: BlockId): string {
  if (isNilBlockId(id)) return NIL_KEY;
  return `${toHex(id.hash)}/${id.partSetHeader.total}/${toHex(id.partSetHeader.hash)}`;
}

/**
 * Checks a hash that may be missing: no bytes or 32.
 * @throws DecodeError otherwise
 */
export function checkHash(hash: Uint8Array, what: string): Uint8Array {
  if (hash.length !== 0 && hash.length !== HASH_BYTES) {
    throw new DecodeError(`${what} must have ${HASH_BYTES} bytes, got ${hash.length}`);
  }
  return hash;
}

/**
 * Checks that an id is well formed: each hash of 32 bytes or none (CometBFT `BlockID.ValidateBasic`).
 * @throws DecodeError otherwise
 */
export function checkBlockId(id: BlockId, what: string): BlockId {
  checkHash(id.hash, `${what} hash`);
  checkHash(id.partSetHeader.hash, `${what} part-set hash`);
  const { total } = id.partSetHeader;
  if (!Number.isInteger(total) || total < 0 || total > 0xffff_ffff) {
    throw new DecodeError(`${what} part count is not an unsigned 32-bit number`, { total });
  }
  return id;
}
