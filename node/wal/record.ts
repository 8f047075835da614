/**
 * One file of the log: a header of 20 bytes (magic with the number of the format, a random salt, CRC-32C of
 * both), then records:
 *
 *     length of payload  u32, little-endian
 *     checksum           u32, CRC-32C of salt, durable bytes, type and payload
 *     durable bytes      u32: so much of the file a power cut cannot take, when the record was appended
 *     type               u8
 *     payload
 *
 * The salt keeps bytes that a peer made up from ever looking like a record of ours. The durable bytes tell
 * damage from an ordinary power cut, which may lose one page of what was not synced and leave a later one. So
 * that they tell it of what was synced last, too, a record without payload follows each sync: a marker.
 */
import { concatBytes, equalBytes, utf8 } from '../../core/bytes.ts';
import { crc32c, rangeChecksums } from './crc32c.ts';

/** Largest payload: one block part or message, with room. Longer lengths are damage. */
export const PAYLOAD_BYTES_MAX: number = 2 * 1024 * 1024;

const MAGIC_NAME = utf8('OLWAL\0\0');
/** Last byte of the magic. 1 and 2 had no checksum in the header, 1 no durable bytes. */
export const WAL_FORMAT = 3;
const MAGIC = concatBytes(MAGIC_NAME, Uint8Array.of(WAL_FORMAT));
const SALT_BYTES = 8;
/** Bytes before the first record. */
export const FILE_HEADER_BYTES: number = MAGIC.length + SALT_BYTES + 4;
const CHECKED_FROM = 8;
const RECORD_HEADER_BYTES = 13;

/** Record type of the marker that follows a sync; the log's own. */
export const SYNCED_TYPE = 255;

/** A record: what kind of thing the payload is, and the payload. The kinds belong to the log's user. */
export interface WalRecord {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** What a file held: its records, and where and how reading ended before the end of the file, if it did. */
export interface FileContents {
  readonly records: readonly WalRecord[];
  /** So much of the file was durable, as its good records say: nothing without one, not even the header. */
  readonly durable: number;
  /** Undefined when the file is whole. */
  readonly damage: Damage | undefined;
}

/**
 * Bytes that are not a record. `torn`: they may never have been durable, as after a crash. `corrupt`: a good
 * record behind them says that they were. `format`: the whole file is of another version of the program.
 */
export interface Damage {
  readonly kind: 'torn' | 'corrupt' | 'format';
  readonly offset: number;
}

/** The header of a new file. */
export function fileHeader(salt: Uint8Array): Uint8Array {
  const unchecked = concatBytes(MAGIC, salt.subarray(0, SALT_BYTES));
  const checksum = new Uint8Array(4);
  new DataView(checksum.buffer).setUint32(0, crc32c(unchecked), true);
  return concatBytes(unchecked, checksum);
}

/** The salt in a file's header; undefined when the header is cut short, damaged or of something else. */
export function saltOf(file: Uint8Array): Uint8Array | undefined {
  const salt = file.slice(MAGIC.length, MAGIC.length + SALT_BYTES);
  const isOurs = equalBytes(file.subarray(0, FILE_HEADER_BYTES), fileHeader(salt));
  return isOurs ? salt : undefined;
}

/** The format that the first bytes of a file name; undefined when they are of no log, or damaged. */
export function formatOf(file: Uint8Array): number | undefined {
  return equalBytes(file.subarray(0, MAGIC_NAME.length), MAGIC_NAME) ? file[MAGIC_NAME.length] : undefined;
}

/** Bytes of a record under the salt of its file; `durable` bytes of the file are safe from a power cut. */
export function encodeRecord(
  record: WalRecord,
  salt: Uint8Array,
  durable: number = FILE_HEADER_BYTES,
): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + record.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, record.payload.length, true);
  view.setUint32(8, durable, true);
  bytes[12] = record.type;
  bytes.set(record.payload, RECORD_HEADER_BYTES);
  view.setUint32(4, crc32c(bytes.subarray(CHECKED_FROM), crc32c(salt)), true);
  return bytes;
}

/** Bytes that a record takes in its file. */
export function recordBytes({ payload }: WalRecord): number {
  return RECORD_HEADER_BYTES + payload.length;
}

/** Reads a file as far as it is good. Never throws for what the bytes are. */
export function readRecords(file: Uint8Array): FileContents {
  const salt = saltOf(file);
  if (salt === undefined) {
    return { records: [], durable: 0, damage: { kind: kindOfHeader(file), offset: 0 } };
  }
  const saltChecksum = crc32c(salt);
  const records: WalRecord[] = [];
  let durable = 0;
  let offset = FILE_HEADER_BYTES;
  while (offset < file.length) {
    const found = recordAt(file, offset, saltChecksum);
    if (found === undefined) {
      const kind = wasDurable(file, offset, saltChecksum) ? 'corrupt' : 'torn';
      return { records, durable, damage: { kind, offset } };
    }
    durable = Math.max(durable, Math.min(found.durable, offset));
    records.push(found.record);
    offset += recordBytes(found.record);
  }
  return { records, durable, damage: undefined };
}

/** What a file without a good header is. */
function kindOfHeader(file: Uint8Array): Damage['kind'] {
  const format = formatOf(file);
  const asOurs = concatBytes(MAGIC, file.subarray(MAGIC.length, FILE_HEADER_BYTES));
  // One turned bit makes another format of ours; the checksum tells.
  const isOurs = file.length >= FILE_HEADER_BYTES && saltOf(asOurs) !== undefined;
  if (!isOurs && format !== undefined && FORMATS_BEFORE.has(format)) return 'format';
  if (isOurs) return 'corrupt';
  return file.length <= FILE_HEADER_BYTES ? 'torn' : 'corrupt';
}

const FORMATS_BEFORE: ReadonlySet<number> = new Set([1, 2]);

interface FoundRecord {
  readonly record: WalRecord;
  readonly durable: number;
}

/** Where the payload of a record at an offset would end; undefined when there can be none. */
function endOfRecord(file: Uint8Array, offset: number): number | undefined {
  if (offset + RECORD_HEADER_BYTES > file.length) return undefined;
  const length = new DataView(file.buffer, file.byteOffset + offset, 4).getUint32(0, true);
  const end = offset + RECORD_HEADER_BYTES + length;
  return length > PAYLOAD_BYTES_MAX || end > file.length ? undefined : end;
}

function recordAt(file: Uint8Array, offset: number, saltChecksum: number): FoundRecord | undefined {
  const end = endOfRecord(file, offset);
  if (end === undefined) return undefined;
  const view = new DataView(file.buffer, file.byteOffset + offset, RECORD_HEADER_BYTES);
  if (crc32c(file.subarray(offset + CHECKED_FROM, end), saltChecksum) !== view.getUint32(4, true))
    return undefined;
  const payload = file.slice(offset + RECORD_HEADER_BYTES, end);
  return { record: { type: view.getUint8(12), payload }, durable: view.getUint32(8, true) };
}

/**
 * Whether a good record behind an offset says that the bytes there were durable when it was appended. Any
 * offset may begin one, and what lies there may be a peer's: each costs the same, so that the search ends
 * soon and never has to guess.
 */
function wasDurable(file: Uint8Array, damagedAt: number, saltChecksum: number): boolean {
  const checksumOf = rangeChecksums(file, damagedAt);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let offset = damagedAt + 1; offset + RECORD_HEADER_BYTES <= file.length; offset++) {
    const durable = view.getUint32(offset + 8, true);
    if (durable <= damagedAt || durable > offset) continue;
    const end = endOfRecord(file, offset);
    if (end === undefined) continue;
    if (checksumOf(offset + CHECKED_FROM, end, saltChecksum) === view.getUint32(offset + 4, true))
      return true;
  }
  return false;
}
