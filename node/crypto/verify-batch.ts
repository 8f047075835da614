/**
 * A batch of signatures as one array of records, the form in which it crosses to a worker. The answer is one
 * byte per record.
 *
 * | kind      | record                                                                           |
 * | --------- | -------------------------------------------------------------------------------- |
 * | secp256k1 | 0, 33 bytes of key, 32 of digest, 64 of signature                                |
 * | ed25519   | 1, 32 bytes of key, 64 of signature, length of the message in 4 bytes (big-endian), message |
 */
import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES, verifyEd25519ByOpenssl } from './ed25519.ts';
import {
  DIGEST_BYTES,
  SECP256K1_KEY_BYTES,
  SECP256K1_SIGNATURE_BYTES,
  secp256k1Engine,
  type Secp256k1Verify,
} from './secp256k1.ts';

const LENGTH_BYTES = 4;
const SECP256K1 = 0;
const ED25519 = 1;

/** One signature to verify: 33-byte compressed key, 32-byte digest, 64-byte compact signature. */
export interface Secp256k1Record {
  readonly publicKey: Uint8Array;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

/** One signature to verify: 32-byte key, the message as it is, 64-byte signature. */
export interface Ed25519Record {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** One signature to verify. */
export type VerifyRecord = Secp256k1Record | Ed25519Record;

/** True when the lengths are those of its kind; anything else is an invalid signature and need not travel. */
export function fitsRecord(record: VerifyRecord): boolean {
  const { publicKey, signature } = record;
  if ('message' in record)
    return publicKey.length === ED25519_KEY_BYTES && signature.length === ED25519_SIGNATURE_BYTES;
  return (
    publicKey.length === SECP256K1_KEY_BYTES &&
    record.digest.length === DIGEST_BYTES &&
    signature.length === SECP256K1_SIGNATURE_BYTES
  );
}

/** The records, which fit, one after another, in an array of their own that can be transferred. */
export function packBatch(records: readonly VerifyRecord[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(records.reduce((sum, record) => sum + packedBytes(record), 0));
  let offset = 0;
  const put = (bytes: Uint8Array): void => {
    packed.set(bytes, offset);
    offset += bytes.length;
  };
  for (const record of records) {
    packed[offset++] = 'message' in record ? ED25519 : SECP256K1;
    put(record.publicKey);
    if ('digest' in record) put(record.digest);
    put(record.signature);
    if (!('message' in record)) continue;
    new DataView(packed.buffer).setUint32(offset, record.message.length);
    offset += LENGTH_BYTES;
    put(record.message);
  }
  return packed;
}

function packedBytes(record: VerifyRecord): number {
  const rest = 'message' in record ? LENGTH_BYTES + record.message.length : DIGEST_BYTES;
  return 1 + record.publicKey.length + record.signature.length + rest;
}

/** 1 for each record that passed, 0 for each other: of ed25519 that says nothing yet (`ed25519.ts`). */
export function verifyBatch(
  packed: Uint8Array,
  verify: Secp256k1Verify = secp256k1Engine.verify,
): Uint8Array<ArrayBuffer> {
  const results: number[] = [];
  let offset = 0;
  const take = (length: number): Uint8Array => packed.subarray(offset, (offset += length));
  while (offset < packed.length) {
    const kind = packed[offset++];
    results.push((kind === ED25519 ? passesEd25519(take) : passesSecp256k1(take, verify)) ? 1 : 0);
  }
  return Uint8Array.from(results);
}

function passesSecp256k1(take: (length: number) => Uint8Array, verify: Secp256k1Verify): boolean {
  const publicKey = take(SECP256K1_KEY_BYTES);
  const digest = take(DIGEST_BYTES);
  return verify(publicKey, digest, take(SECP256K1_SIGNATURE_BYTES));
}

function passesEd25519(take: (length: number) => Uint8Array): boolean {
  const publicKey = take(ED25519_KEY_BYTES);
  const signature = take(ED25519_SIGNATURE_BYTES);
  const length = take(LENGTH_BYTES);
  const { buffer, byteOffset } = length;
  return verifyEd25519ByOpenssl(publicKey, take(new DataView(buffer, byteOffset).getUint32(0)), signature);
}
