/**
 * Node identity: an ed25519 key, its libp2p peer id, and the hexadecimal id that CometBFT's RPC shows for it.
 */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id';
import { toHex } from '../core/bytes.ts';
import { DecodeError, LedgerError } from '../core/errors.ts';
import { sha256 } from '../core/hash.ts';

const SEED_BYTES = 32;
const SEED_AND_PUBLIC_KEY_BYTES = 64;
const COMET_ID_BYTES = 20;

/**
 * The libp2p key of an ed25519 private key: a seed of 32 bytes, or seed and public key as in CometBFT's
 * `node_key.json`.
 * @throws LedgerError `p2p.bad_node_key` on another length
 */
export async function nodeKey(privateKey: Uint8Array): Promise<Ed25519PrivateKey> {
  if (privateKey.length !== SEED_BYTES && privateKey.length !== SEED_AND_PUBLIC_KEY_BYTES) {
    const expected = `${SEED_BYTES} or ${SEED_AND_PUBLIC_KEY_BYTES} bytes`;
    throw new LedgerError('p2p.bad_node_key', `a node key has ${expected}, not ${privateKey.length}`);
  }
  return await generateKeyPairFromSeed('Ed25519', Uint8Array.from(privateKey.subarray(0, SEED_BYTES)));
}

/** The libp2p peer id of a private key: `12D3Koo…`. */
export async function peerIdOfKey(privateKey: Uint8Array): Promise<string> {
  return peerIdFromPrivateKey(await nodeKey(privateKey)).toString();
}

/**
 * What CometBFT calls the node id: the first 20 bytes of SHA-256 over the public key, in lower-case
 * hexadecimal.
 * @throws DecodeError when the peer id is not one of an ed25519 key
 */
export function cometNodeId(peerId: string): string {
  let publicKey: Uint8Array | undefined;
  try {
    publicKey = peerIdFromString(peerId).publicKey?.raw;
  } catch (cause) {
    throw new DecodeError(`not a peer id: ${peerId}`, {}, cause);
  }
  if (publicKey === undefined) throw new DecodeError(`peer id ${peerId} does not contain its public key`);
  return toHex(sha256(publicKey).subarray(0, COMET_ID_BYTES));
}
