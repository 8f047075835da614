/** Signatures of payers, by the keys that channels may have. */
import type { VerifySignature } from '../../client/vouchers/signatures.ts';
import { sha256 } from '../../core/hash.ts';
import { verifyEd25519 } from '../../node/crypto/ed25519.ts';
import { verifySecp256k1 } from '../../node/crypto/secp256k1.ts';
import { KeyKind } from '../../proto/gen/openledger/channels/v1/channels.ts';

/** ed25519 over the bytes, secp256k1 over their SHA-256; no other kind. */
export const verifyPayer: VerifySignature = ({ kind, key }, message, signature) => {
  if (kind === KeyKind.KEY_KIND_ED25519) return verifyEd25519(key, message, signature);
  return kind === KeyKind.KEY_KIND_SECP256K1 && verifySecp256k1(key, sha256(message), signature);
};
