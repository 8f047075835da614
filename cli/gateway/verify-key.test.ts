import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { secp256k1Signer } from '../../node/crypto/secp256k1.ts';
import { KeyKind } from '../../proto/gen/openledger/channels/v1/channels.ts';
import { verifyPayer } from './verify-key.ts';

const SEED = sha256(utf8('payer'));
const MESSAGE = utf8('voucher');

test.each([
  [KeyKind.KEY_KIND_ED25519, ed25519Signer(SEED)],
  [KeyKind.KEY_KIND_SECP256K1, secp256k1Signer(SEED)],
])('a signature of a key of kind %i is its own, over this message', (kind, { publicKey: key, sign }) => {
  const signature = sign(MESSAGE);
  expect(verifyPayer({ kind, key }, MESSAGE, signature)).toBe(true);
  expect(verifyPayer({ kind, key }, utf8('another'), signature)).toBe(false);
  expect(verifyPayer({ kind: KeyKind.KEY_KIND_UNSPECIFIED, key }, MESSAGE, signature)).toBe(false);
});
