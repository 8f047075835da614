import { PubKey as Ed25519PubKey } from '../proto/gen/cosmos/crypto/ed25519/keys.ts';
import { LegacyAminoPubKey } from '../proto/gen/cosmos/crypto/multisig/keys.ts';
import { PubKey as Secp256k1PubKey } from '../proto/gen/cosmos/crypto/secp256k1/keys.ts';
import type { AnyType } from './any-types.ts';

/** The interface of public keys. Their .proto files do not say it. */
const PUBLIC_KEY_INTERFACE = 'cosmos.crypto.PubKey';

/** Public keys, as an `Any` in an account, a validator or a key of several keys holds them. */
export const KEY_TYPES: readonly AnyType[] = [Secp256k1PubKey, Ed25519PubKey, LegacyAminoPubKey].map(
  (type) => ({ type, interfaceName: PUBLIC_KEY_INTERFACE }),
);
