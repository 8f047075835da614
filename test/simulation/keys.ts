/**
 * Signatures that cost a hash, for runs that are not about ed25519. The scheme keeps what simulations rest
 * on: a signature is a function of key and message, and fits no other key or message. It can be forged by
 * whoever has the public key, which no actor here does.
 */
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import { concatBytes, equalBytes, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { ed25519Signer, verifyEd25519 } from '../../node/crypto/ed25519.ts';
import type { KeySigner, MakeKeySigner } from '../../node/privval/ports.ts';

/** A way to sign and to verify. */
export interface SignatureScheme {
  readonly makeSigner: MakeKeySigner;
  readonly verify: VerifySignature;
}

const KEY = utf8('key of ');

function hashSignature(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const half = sha256(concatBytes(publicKey, message));
  return concatBytes(half, publicKey);
}

/** Signatures by hash. */
export const quickScheme: SignatureScheme = {
  makeSigner: (seed): KeySigner => {
    const publicKey = sha256(concatBytes(KEY, seed));
    return { publicKey, sign: (message) => hashSignature(publicKey, message) };
  },
  verify: (key, message, signature) => equalBytes(hashSignature(key.bytes, message), signature),
};

/** Real ed25519, as every node has it. */
export const realScheme: SignatureScheme = {
  makeSigner: (seed) => ed25519Signer(seed),
  verify: (key, message, signature) => verifyEd25519(key.bytes, message, signature),
};
