/**
 * What a version changed, and its bytes on disk.
 *
 * `version previous hash(32) count { name count { 0 key | 1 key value } }`: numbers as unsigned varints,
 * strings after their length. The writes stand in the order in which they went into the tree: replaying them
 * gives the same shapes.
 */
import { fromUtf8, utf8 } from '../core/bytes.ts';
import { DecodeError } from '../core/errors.ts';
import { HASH_BYTES } from '../core/hash.ts';
import { ByteReader, ByteWriter } from './byte-stream.ts';
import type { Write } from './overlay.ts';

/** The writes of one substore in one version, in the order in which they went into the tree. */
export interface StoreChanges {
  readonly name: string;
  readonly writes: readonly Write[];
}

/** All that a version changed. */
export interface ChangeSet {
  readonly version: bigint;
  /** The committed version that it applies to; 0 for the first. */
  readonly previous: bigint;
  /** App hash after it. */
  readonly hash: Uint8Array;
  /** All substores of the version, sorted by name, also those without writes. */
  readonly stores: readonly StoreChanges[];
}

const DELETE = 0;
const SET = 1;

/** Number of writes in all substores. */
export function countWrites(changes: ChangeSet): number {
  return changes.stores.reduce((sum, store) => sum + store.writes.length, 0);
}

/** Bytes of a change set; see the file comment. */
export function encodeChangeSet(changes: ChangeSet): Uint8Array {
  const out = new ByteWriter();
  out.uvarint(Number(changes.version));
  out.uvarint(Number(changes.previous));
  out.raw(changes.hash);
  out.uvarint(changes.stores.length);
  for (const { name, writes } of changes.stores) {
    out.bytes(utf8(name));
    out.uvarint(writes.length);
    for (const { key, value } of writes) {
      out.uvarint(value === undefined ? DELETE : SET);
      out.bytes(key);
      if (value !== undefined) out.bytes(value);
    }
  }
  return out.finish();
}

/** @throws DecodeError when the bytes are not an encoded change set */
export function decodeChangeSet(bytes: Uint8Array): ChangeSet {
  const input = new ByteReader(bytes);
  const version = BigInt(input.uvarint());
  const previous = BigInt(input.uvarint());
  const hash = input.raw(HASH_BYTES);
  const stores: StoreChanges[] = [];
  for (let left = input.uvarint(); left > 0; left--) {
    const name = fromUtf8(input.bytes());
    const writes: Write[] = [];
    for (let more = input.uvarint(); more > 0; more--) writes.push(readWrite(input));
    stores.push({ name, writes });
  }
  input.end();
  return { version, previous, hash, stores };
}

function readWrite(input: ByteReader): Write {
  const kind = input.uvarint();
  const key = input.bytes();
  if (kind === DELETE) return { key, value: undefined };
  if (kind === SET) return { key, value: input.bytes() };
  throw new DecodeError('unknown kind of write', { kind });
}
