/**
 * Keys and sealed values of the store's database.
 *
 * | key | value |
 * | --- | --- |
 * | `f` | format number |
 * | `c` version(8) | change set of a version |
 * | `s` version(8) `c` index(4) | chunk of a snapshot |
 * | `s` version(8) `m` | the snapshot is complete: app hash(32), count of chunks |
 *
 * Numbers in keys are big-endian. A value is sealed: its SHA-256 follows it, taken over key and value, so
 * that a record that was damaged or stands in another's place is noticed.
 */
import { concatBytes, equalBytes, fromUint64BigEndian, uint64BigEndian } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { HASH_BYTES, sha256 } from '../../core/hash.ts';
import { ByteReader, ByteWriter } from '../byte-stream.ts';
import type { CommitId, KeyRange } from '../kv.ts';

/** Number of this layout. */
export const STORE_FORMAT = 1;
/** Key of the format number. */
export const FORMAT_KEY: Uint8Array = Uint8Array.of(0x66);

const CHANGE_SET = Uint8Array.of(0x63);
const SNAPSHOT = Uint8Array.of(0x73);
const CHUNK = 0x63;
const META = 0x6d;
const META_KEY_BYTES = 10;

/** A complete snapshot. */
export interface SnapshotMeta extends CommitId {
  readonly chunks: number;
}

/** Key of the change set of a version. */
export function changeSetKey(version: bigint): Uint8Array {
  return concatBytes(CHANGE_SET, uint64BigEndian(version));
}

/** Change sets of versions from `from` up to, not including, `to`. */
export function changeSetRange(from: bigint, to?: bigint): KeyRange {
  return { start: changeSetKey(from), end: to === undefined ? Uint8Array.of(0x64) : changeSetKey(to) };
}

/** Key of a snapshot's chunk. */
export function chunkKey(version: bigint, index: number): Uint8Array {
  const position = uint64BigEndian(BigInt(index)).subarray(4);
  return concatBytes(SNAPSHOT, uint64BigEndian(version), Uint8Array.of(CHUNK), position);
}

/** Key of the mark that a snapshot is complete. */
export function metaKey(version: bigint): Uint8Array {
  return concatBytes(SNAPSHOT, uint64BigEndian(version), Uint8Array.of(META));
}

/** All records of snapshots of versions from `from` up to, not including, `to`. */
export function snapshotRange(from: bigint, to?: bigint): KeyRange {
  const end = to === undefined ? Uint8Array.of(0x74) : concatBytes(SNAPSHOT, uint64BigEndian(to));
  return { start: concatBytes(SNAPSHOT, uint64BigEndian(from)), end };
}

/** Version of a change set's or snapshot record's key. */
export function keyVersion(key: Uint8Array): bigint {
  return fromUint64BigEndian(key.subarray(1, 9));
}

/** True for the key that marks a snapshot as complete. */
export function isMetaKey(key: Uint8Array): boolean {
  return key.length === META_KEY_BYTES && key[META_KEY_BYTES - 1] === META;
}

/** Bytes of a snapshot's mark. */
export function encodeMeta(meta: SnapshotMeta): Uint8Array {
  const out = new ByteWriter();
  out.raw(meta.hash);
  out.uvarint(meta.chunks);
  return out.finish();
}

/** @throws DecodeError when the bytes are not an encoded snapshot meta */
export function decodeMeta(version: bigint, bytes: Uint8Array): SnapshotMeta {
  const input = new ByteReader(bytes);
  const meta = { version, hash: input.raw(HASH_BYTES), chunks: input.uvarint() };
  input.end();
  return meta;
}

/** The value with its checksum. */
export function seal(key: Uint8Array, value: Uint8Array): Uint8Array {
  return concatBytes(value, sha256(concatBytes(key, value)));
}

/** @throws DecodeError when the checksum does not match */
export function unseal(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const value = sealed.subarray(0, Math.max(0, sealed.length - HASH_BYTES));
  const checksum = sealed.subarray(value.length);
  if (!equalBytes(checksum, sha256(concatBytes(key, value)))) {
    throw new DecodeError('the checksum does not match', { length: sealed.length });
  }
  return value;
}
