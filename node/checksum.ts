/**
 * Checksums of records. LevelDB has its own over blocks of its files, and does not look at them on ordinary
 * reads: a bit that turns on the disk would reach whoever reads. So each value that this node stores ends
 * with a CRC-32 over key and value. It notices every single bit, every run of up to 32, and a value that
 * stands where another belongs; not a record that is gone, nor an older one in its place (ADR 21).
 */
import { crc32 } from 'node:zlib';
import { equalBytes, toHex, utf8 } from '../core/bytes.ts';
import { LedgerError } from '../core/errors.ts';

/** Bytes that a checksum takes behind a value. */
export const CHECKSUM_BYTES = 4;
/** What says that the records of a database have checksums. No store has a key that begins like it. */
export const CHECKSUMS_KEY: Uint8Array = utf8('!checksums');
/** How they are made. */
const VERSION = Uint8Array.of(1);
/** What is wrong with a record's bytes. */
const CORRUPT = 'database.corrupt';
/** A database of a version of this program that made no checksums, or others. */
const FORMAT = 'database.format';

/** For blocks, states and evidence alike: none can be made again without the others. */
export const SYNC_AGAIN =
  'restore the whole data directory from a copy, or delete all in it but priv_validator_state.json and sync again';

/** Where a database is, and what its operator does when it is damaged, as a clause. */
export interface DatabasePlace {
  readonly directory: string;
  readonly repair: string;
}

/** The value with its checksum. */
export function sealRecord(key: Uint8Array, value: Uint8Array): Uint8Array {
  const record = Buffer.allocUnsafe(value.length + CHECKSUM_BYTES); // half the time that other arrays take
  record.set(value);
  record.writeUInt32BE(checksumOf(key, value), value.length);
  return record;
}

/** Writes whose values have checksums; undefined deletes. */
export function sealWrites(
  writes: readonly { readonly key: Uint8Array; readonly value: Uint8Array | undefined }[],
): { readonly key: Uint8Array; readonly value: Uint8Array | undefined }[] {
  return writes.map(({ key, value }) => ({ key, value: value && sealRecord(key, value) }));
}

/**
 * The value of a record; it shares its memory.
 * @throws LedgerError `database.corrupt`
 */
export function openRecord(key: Uint8Array, record: Uint8Array, place: DatabasePlace): Uint8Array {
  const end = record.length - CHECKSUM_BYTES;
  if (end < 0) throw corruptRecord(key, place, 'it has no checksum');
  const value = new Uint8Array(record.buffer, record.byteOffset, end); // LevelDB answers with Buffers
  const stored = new DataView(record.buffer, record.byteOffset + end, CHECKSUM_BYTES).getUint32(0);
  if (stored !== checksumOf(key, value)) throw corruptRecord(key, place, 'its checksum does not fit');
  return value;
}

/** The error of a record that cannot be believed. */
export function corruptRecord(
  key: Uint8Array,
  { directory, repair }: DatabasePlace,
  reason: string,
): LedgerError {
  const hex = toHex(key);
  const message = `the database ${directory} is damaged: record ${hex}: ${reason}. Its disk may be failing. To repair it, ${repair}`;
  return new LedgerError(CORRUPT, message, { directory, record: hex });
}

/** A record that was asked for is damaged: nobody's fault, and no answer. */
export function isDamage(error: unknown): error is LedgerError {
  return error instanceof LedgerError && error.code === CORRUPT;
}

/** Whether an error says all that there is to say of a database: see `requireChecksums` and `isDamage`. */
export function isOfRecords(error: unknown): boolean {
  return error instanceof LedgerError && (error.code === CORRUPT || error.code === FORMAT);
}

/**
 * Makes sure that all records of a database have checksums; one that is new is marked as such.
 * @throws LedgerError `database.format` when another version of the program wrote it, `database.corrupt` when
 * its mark is damaged
 */
export async function requireChecksums(
  place: DatabasePlace,
  database: {
    readonly mark: Uint8Array | undefined;
    /** Whether it has records, when it has no mark. */
    readonly isUsed: () => boolean | Promise<boolean>;
    /** Durably. */
    readonly write: (key: Uint8Array, record: Uint8Array) => Promise<void>;
  },
): Promise<void> {
  const { mark } = database;
  if (mark === undefined && !(await database.isUsed()))
    return database.write(CHECKSUMS_KEY, sealRecord(CHECKSUMS_KEY, VERSION));
  if (mark !== undefined && equalBytes(openRecord(CHECKSUMS_KEY, mark, place), VERSION)) return;
  const { directory, repair } = place;
  throw new LedgerError(
    FORMAT,
    `the database ${directory} was written by another version of this program, whose records have ` +
      `${mark === undefined ? 'no' : 'other'} checksums: run that version on it; or ${repair}`,
    { directory },
  );
}

/** It begins with the length of the key, so that no byte can go over from key to value. */
function checksumOf(key: Uint8Array, value: Uint8Array): number {
  return crc32(value, crc32(key, key.length));
}
