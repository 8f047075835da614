/** The signatures of transactions, each checked once by libsecp256k1 for all nodes of all runs. */
import { toHex } from '../../core/bytes.ts';
import type { SignaturePool } from '../../node/crypto/signature-verifier.ts';
import { verifyEd25519 } from '../../node/crypto/ed25519.ts';
import { verifySecp256k1 } from '../../node/crypto/secp256k1.ts';

const results = new Map<string, boolean>();
const RESULTS_MAX = 100_000;

/** A pool without threads. */
export const checkSignatures: SignaturePool = {
  verify: async (records) =>
    records.map((record) => {
      const { publicKey, signature } = record;
      const signed = 'message' in record ? record.message : record.digest;
      const key = `${toHex(publicKey)}${toHex(signed)}${toHex(signature)}`;
      const known = results.get(key);
      if (known !== undefined) return known;
      if (results.size >= RESULTS_MAX) results.clear();
      const valid =
        'message' in record
          ? verifyEd25519(publicKey, record.message, signature)
          : verifySecp256k1(publicKey, record.digest, signature);
      results.set(key, valid);
      return valid;
    }),
  stop: async () => undefined,
};
