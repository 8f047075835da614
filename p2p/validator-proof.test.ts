import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { DecodeError } from '../core/errors.ts';
import { PROTOCOLS, VALIDATOR_PROOF_PROTOCOL } from './channels.ts';
import {
  decodeProofRequest,
  decodeProofResponse,
  encodeProofRequest,
  encodeProofResponse,
  type KeyProof,
  PROOF_NONCE_BYTES,
  PROOF_REQUEST_BYTES_MAX,
  PROOF_RESPONSE_BYTES_MAX,
  PROOF_SIGNATURE_BYTES,
  proofSignBytes,
} from './validator-proof.ts';

const bytes = (length: number, fill = 7): Uint8Array => new Uint8Array(length).fill(fill);
const ED: KeyProof = { publicKey: { ed25519: bytes(32), secp256k1: undefined }, signature: bytes(64) };
const SECP: KeyProof = { publicKey: { ed25519: undefined, secp256k1: bytes(33) }, signature: bytes(64) };

test('requests and answers survive the wire, and fill their limits', () => {
  const request = encodeProofRequest(bytes(PROOF_NONCE_BYTES));
  expect(request).toHaveLength(PROOF_REQUEST_BYTES_MAX);
  expect(decodeProofRequest(request)).toEqual(bytes(PROOF_NONCE_BYTES));
  for (const proof of [ED, SECP]) expect(decodeProofResponse(encodeProofResponse(proof))).toEqual(proof);
  expect(encodeProofResponse(SECP)).toHaveLength(PROOF_RESPONSE_BYTES_MAX);
  expect(encodeProofResponse(undefined)).toHaveLength(0);
  expect(decodeProofResponse(encodeProofResponse(undefined))).toBeUndefined();
  expect(PROTOCOLS).toContain(VALIDATOR_PROOF_PROTOCOL);
});

test('what is malformed is refused', () => {
  for (const length of [0, 1, 31, 33])
    expect(() => decodeProofRequest(encodeProofRequest(bytes(length)))).toThrow(DecodeError);
  const none = { ed25519: undefined, secp256k1: undefined };
  const wrong: readonly KeyProof[] = [
    { ...ED, signature: bytes(0) },
    { ...ED, signature: bytes(PROOF_SIGNATURE_BYTES - 1) },
    { ...ED, signature: bytes(PROOF_SIGNATURE_BYTES + 1) },
    { publicKey: none, signature: bytes(64) },
  ];
  for (const proof of wrong)
    expect(() => decodeProofResponse(encodeProofResponse(proof))).toThrow(DecodeError);
  expect(() => decodeProofResponse(bytes(PROOF_RESPONSE_BYTES_MAX + 1))).toThrow('over the limit');
});

test('the signed bytes have one form', () => {
  const parties = { prover: 'P', asker: 'A', nonce: bytes(2) };
  const text = toHex(utf8('openledger/validator-proof/1'));
  expect(toHex(proofSignBytes('c', parties))).toBe(`00${text}0a01631201501a014122020707`);
});

test('two proofs have the same bytes only when they say the same', () => {
  const parties = fc.record({
    chainId: fc.string({ maxLength: 4 }),
    prover: fc.string({ maxLength: 4 }),
    asker: fc.string({ maxLength: 4 }),
    nonce: fc.uint8Array({ maxLength: 3 }),
  });
  const key = (value: { readonly chainId: string; readonly nonce: Uint8Array }): string =>
    JSON.stringify({ ...value, nonce: toHex(value.nonce) });
  fc.assert(
    fc.property(parties, parties, (a, b) => {
      const same = toHex(proofSignBytes(a.chainId, a)) === toHex(proofSignBytes(b.chainId, b));
      expect(same).toBe(key(a) === key(b));
    }),
    { numRuns: 2_000 },
  );
});
