/** Checks that several messages share. */
import { DecodeError } from '../../core/errors.ts';
import { ADDRESS_BYTES, HEIGHT_MAX, ROUND_MAX, SIGNATURE_BYTES_MAX } from './limits.ts';

/** @throws DecodeError unless it is a height from 1 to int64's end */
export function checkHeight(height: bigint, what: string): bigint {
  if (height < 1n || height > HEIGHT_MAX) throw new DecodeError(`${what}: height out of range`, { height });
  return height;
}

/** @throws DecodeError unless it is a whole number from `least` (0, or -1 for "none") to int32's end */
export function checkRound(round: number, what: string, least: 0 | -1 = 0): number {
  if (!Number.isInteger(round) || round < least || round > ROUND_MAX) {
    throw new DecodeError(`${what}: round out of range`, { round });
  }
  return round;
}

/** @throws DecodeError unless it has 20 bytes */
export function checkAddress(address: Uint8Array, what: string): Uint8Array {
  if (address.length !== ADDRESS_BYTES) {
    throw new DecodeError(`${what}: address must have ${ADDRESS_BYTES} bytes, got ${address.length}`);
  }
  return address;
}

/** @throws DecodeError unless it has 1 to 64 bytes */
export function checkSignature(signature: Uint8Array, what: string): Uint8Array {
  if (signature.length === 0) throw new DecodeError(`${what}: signature is missing`);
  if (signature.length > SIGNATURE_BYTES_MAX) {
    throw new DecodeError(`${what}: signature has more than ${SIGNATURE_BYTES_MAX} bytes`);
  }
  return signature;
}
