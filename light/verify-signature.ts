import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { unreachable } from '../core/errors.ts';
import type { VerifySignature } from '../consensus/types/public-key.ts';

const SIGNATURE_BYTES = 64;

/**
 * Signature checks in JavaScript, for where there is nothing faster: ed25519 by the rules of ZIP-215,
 * secp256k1 over SHA-256 with low s.
 */
export const verifySignature: VerifySignature = (publicKey, message, signature) => {
  if (signature.length !== SIGNATURE_BYTES) return false;
  try {
    switch (publicKey.type) {
      case 'ed25519':
        return ed25519.verify(signature, message, publicKey.bytes, { zip215: true });
      case 'secp256k1':
        return secp256k1.verify(signature, message, publicKey.bytes, { lowS: true, prehash: true });
      default:
        return unreachable(publicKey.type, 'key type');
    }
  } catch {
    return false; // a key or a signature that is no point on the curve
  }
};
