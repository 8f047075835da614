/**
 * What both sides of a secret connection compute of their two ephemeral X25519 keys: a key for each
 * direction and the challenge that each signs with its lasting key. Byte for byte as CometBFT v0.38
 * `p2p/conn/secret_connection.go`.
 */
import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, randomBytes } from 'node:crypto';
import { compareBytes, concatBytes, copyBytes, EMPTY_BYTES, fromHex, utf8 } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';
import { Transcript } from './transcript.ts';

/** Bytes of an X25519 key, public or private. */
export const EPHEMERAL_KEY_BYTES = 32;
const AEAD_KEY_BYTES = 32;
const CHALLENGE_BYTES = 32;
const TRANSCRIPT_LABEL = 'TENDERMINT_SECRET_CONNECTION_TRANSCRIPT_HASH';
const KEYS_LABEL = utf8('TENDERMINT_SECRET_CONNECTION_KEY_AND_CHALLENGE_GEN');

// DER headers of RFC 8410: what follows is the raw key.
const SPKI_PREFIX = fromHex('302a300506032b656e032100');
const PKCS8_PREFIX = fromHex('302e020100300506032b656e04220420');

/** A key pair for one connection. The private half stays inside. */
export interface EphemeralKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * The X25519 secret shared with the owner of a 32-byte public key.
   * @throws LedgerError `secret_connection.low_order` when the other key makes the secret all zeros
   */
  sharedSecret(remotePublicKey: Uint8Array): Uint8Array;
}

/** What the two sides of a connection agree on; 32 bytes each. */
export interface ConnectionKeys {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  readonly challenge: Uint8Array;
}

/** Makes a key pair, of random bytes unless a test gives the private key. */
export function ephemeralKey(privateKey: Uint8Array = randomBytes(EPHEMERAL_KEY_BYTES)): EphemeralKey {
  const key = createPrivateKey({
    key: Buffer.from(concatBytes(PKCS8_PREFIX, privateKey)),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: Uint8Array.from(spki.subarray(SPKI_PREFIX.length)),
    sharedSecret(remotePublicKey): Uint8Array {
      let secret: Uint8Array = EMPTY_BYTES;
      try {
        const remote = createPublicKey({
          key: Buffer.from(concatBytes(SPKI_PREFIX, remotePublicKey)),
          format: 'der',
          type: 'spki',
        });
        secret = Uint8Array.from(diffieHellman({ privateKey: key, publicKey: remote }));
      } catch {
        // OpenSSL refuses low-order points itself
      }
      if (secret.every((byte) => byte === 0)) {
        throw new LedgerError(
          'secret_connection.low_order',
          'the other side sent a key that makes the shared secret known to everybody',
        );
      }
      return secret;
    },
  };
}

/**
 * The keys of a connection. The lower public key receives with the first derived key and sends with the
 * second, the other side the reverse.
 * @throws LedgerError `secret_connection.low_order`
 */
export function agreeOnKeys(local: EphemeralKey, remotePublicKey: Uint8Array): ConnectionKeys {
  const localIsLower = compareBytes(local.publicKey, remotePublicKey) < 0;
  const lower = localIsLower ? local.publicKey : remotePublicKey;
  const upper = localIsLower ? remotePublicKey : local.publicKey;
  const secret = local.sharedSecret(remotePublicKey);
  const transcript = new Transcript(TRANSCRIPT_LABEL);
  transcript.append('EPHEMERAL_LOWER_PUBLIC_KEY', lower);
  transcript.append('EPHEMERAL_UPPER_PUBLIC_KEY', upper);
  transcript.append('DH_SECRET', secret);
  const keys = new Uint8Array(hkdfSync('sha256', secret, EMPTY_BYTES, KEYS_LABEL, 2 * AEAD_KEY_BYTES));
  const first = copyBytes(keys, 0, AEAD_KEY_BYTES);
  const second = copyBytes(keys, AEAD_KEY_BYTES, 2 * AEAD_KEY_BYTES);
  return {
    receiveKey: localIsLower ? first : second,
    sendKey: localIsLower ? second : first,
    challenge: transcript.challenge('SECRET_CONNECTION_MAC', CHALLENGE_BYTES),
  };
}
