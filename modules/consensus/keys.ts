/** The kinds of keys that validators may have. */
import { DecodeError } from '../../core/errors.ts';
import { ripemd160, sha256 } from '../../core/hash.ts';
import type { PublicKey } from '../../proto/gen/tendermint/crypto/keys.ts';

/** The names of the consensus parameter `validator.pub_key_types` (CometBFT's `ABCIPubKeyType…`). */
export type ConsensusKeyType = 'ed25519' | 'secp256k1';

/** Every kind, in the order in which parameters list them. */
export const CONSENSUS_KEY_TYPES: readonly ConsensusKeyType[] = ['ed25519', 'secp256k1'];

/** Bytes of a key: secp256k1 compressed. */
export const CONSENSUS_KEY_BYTES: Readonly<Record<ConsensusKeyType, number>> = { ed25519: 32, secp256k1: 33 };

/** Names of the kinds in CometBFT's JSON: in `genesis.json`, `/status`, `/validators`. */
export const CONSENSUS_KEY_JSON: Readonly<Record<ConsensusKeyType, string>> = {
  ed25519: 'tendermint/PubKeyEd25519',
  secp256k1: 'tendermint/PubKeySecp256k1',
};

/** A consensus key: 32 bytes (ed25519) or 33 (secp256k1, compressed). */
export interface ConsensusKey {
  readonly type: ConsensusKeyType;
  readonly bytes: Uint8Array;
}

/** True for the name of a kind of key. */
export function isConsensusKeyType(name: string): name is ConsensusKeyType {
  return CONSENSUS_KEY_TYPES.some((type) => type === name);
}

/**
 * The key of a tendermint.crypto.PublicKey.
 * @throws DecodeError when it is none that can validate, or has another length
 */
export function consensusKeyOf(message: PublicKey): ConsensusKey {
  for (const type of CONSENSUS_KEY_TYPES) {
    const bytes = message[type];
    if (bytes === undefined) continue;
    if (bytes.length === CONSENSUS_KEY_BYTES[type]) return { type, bytes };
    throw new DecodeError(`a ${type} key has ${CONSENSUS_KEY_BYTES[type]} bytes, not ${bytes.length}`);
  }
  throw new DecodeError('a validator needs an ed25519 or a secp256k1 key');
}

/** The key as tendermint.crypto.PublicKey. */
export function consensusKeyMessage({ type, bytes }: ConsensusKey): PublicKey {
  return { ed25519: undefined, secp256k1: undefined, [type]: bytes };
}

/**
 * Address of a consensus key, 20 bytes: the first of SHA-256 (ed25519), RIPEMD-160 of SHA-256 (secp256k1).
 */
export function consensusAddress({ type, bytes }: ConsensusKey): Uint8Array {
  const digest = sha256(bytes);
  return type === 'ed25519' ? digest.slice(0, 20) : ripemd160(digest);
}
