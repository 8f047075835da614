/** What a file signer needs of the crypto of the node. */

/** An ed25519 key that signs; the private half stays inside. */
export interface KeySigner {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes over the message. */
  sign(message: Uint8Array): Uint8Array;
}

/** Makes the key of a 32-byte seed. */
export type MakeKeySigner = (seed: Uint8Array) => KeySigner;
