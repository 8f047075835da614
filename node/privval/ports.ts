/** What signers need of the crypto of the node. */
import type { PublicKey } from '../../consensus/types/validator.ts';

/** A key that signs; the private half stays inside. */
export interface KeySigner {
  /** 32 bytes (ed25519) or 33 (secp256k1). */
  readonly publicKey: Uint8Array;
  /** 64 bytes over the message as CometBFT signs it: secp256k1 over its SHA-256, r‖s with low s. */
  sign(message: Uint8Array): Uint8Array;
}

/** The kinds of consensus keys. */
export type KeyType = PublicKey['type'];

/** Makes a key of 32 secret bytes: a seed (ed25519) or the private key itself (secp256k1). */
export type MakeKeySigner = (secret: Uint8Array, type: KeyType) => KeySigner;

/** Verifies an ed25519 signature. Never throws. */
export type VerifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
