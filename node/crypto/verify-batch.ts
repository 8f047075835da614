/**
 * A batch of signatures as one array of fixed records, the form in which it crosses to a worker:
 * 33 bytes of key, 32 of digest, 64 of signature. The answer is one byte per record.
 */
import {
  DIGEST_BYTES,
  SECP256K1_KEY_BYTES,
  SECP256K1_SIGNATURE_BYTES,
  secp256k1Engine,
  type Secp256k1Verify,
} from './secp256k1.ts';

const DIGEST_OFFSET = SECP256K1_KEY_BYTES;
const SIGNATURE_OFFSET = SECP256K1_KEY_BYTES + DIGEST_BYTES;
/** Bytes of one record. */
export const RECORD_BYTES: number = SECP256K1_KEY_BYTES + DIGEST_BYTES + SECP256K1_SIGNATURE_BYTES;

/** One signature to verify: 33-byte compressed key, 32-byte digest, 64-byte compact signature. */
export interface VerifyRecord {
  readonly publicKey: Uint8Array;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

/** True when the lengths fit a record; anything else is an invalid signature and need not travel. */
export function fitsRecord(record: VerifyRecord): boolean {
  return (
    record.publicKey.length === SECP256K1_KEY_BYTES &&
    record.digest.length === DIGEST_BYTES &&
    record.signature.length === SECP256K1_SIGNATURE_BYTES
  );
}

/** Writes a record that fits at an offset. */
export function writeRecord(record: VerifyRecord, into: Uint8Array, offset: number): void {
  into.set(record.publicKey, offset);
  into.set(record.digest, offset + DIGEST_OFFSET);
  into.set(record.signature, offset + SIGNATURE_OFFSET);
}

/** The records one after another, in an array of their own that can be transferred. */
export function packBatch(records: readonly VerifyRecord[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(records.length * RECORD_BYTES);
  for (const [index, record] of records.entries()) writeRecord(record, packed, index * RECORD_BYTES);
  return packed;
}

/** 1 for each valid record, 0 for each other. */
export function verifyBatch(
  packed: Uint8Array,
  verify: Secp256k1Verify = secp256k1Engine.verify,
): Uint8Array<ArrayBuffer> {
  const count = Math.floor(packed.length / RECORD_BYTES);
  const results = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * RECORD_BYTES;
    const publicKey = packed.subarray(start, start + DIGEST_OFFSET);
    const digest = packed.subarray(start + DIGEST_OFFSET, start + SIGNATURE_OFFSET);
    const signature = packed.subarray(start + SIGNATURE_OFFSET, start + RECORD_BYTES);
    results[i] = verify(publicKey, digest, signature) ? 1 : 0;
  }
  return results;
}
