import { expect, test } from 'vitest';
import { adr036SignBytes } from '../../core/adr036.ts';
import { fromHex, toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { verifySecp256k1 } from '../../node/crypto/secp256k1.ts';
import { CANCELLATION, INFERENCE, KEPLR, TRANSFER } from '../../test/vectors/authorization/vectors.ts';
import {
  cancellationStatement,
  inferenceStatement,
  problemOfTransfer,
  transferStatement,
} from './authorization.ts';

test('what is signed is what it was: bytes and texts of all three kinds', () => {
  for (const [statement, { bytes, text }] of [
    [transferStatement(TRANSFER.authorization), TRANSFER],
    [inferenceStatement(INFERENCE.authorization), INFERENCE],
    [cancellationStatement(CANCELLATION.cancellation), CANCELLATION],
  ] as const) {
    expect(toHex(statement.bytes)).toBe(bytes);
    expect(statement.text).toBe(text);
  }
});

test('bytes that are moved from one field to the next are other bytes', () => {
  const { authorization } = TRANSFER;
  const amount = { denom: 'uopen1', amount: '250000' };
  const moved = transferStatement({ ...authorization, amount });
  expect(toHex(moved.bytes)).not.toBe(TRANSFER.bytes);
  expect(moved.text).not.toBe(TRANSFER.text);
  const [from, to] = [`${authorization.from}${authorization.to.slice(0, 4)}`, authorization.to.slice(4)];
  expect(toHex(transferStatement({ ...authorization, from, to }).bytes)).not.toBe(TRANSFER.bytes);
});

test('a signature that Keplr’s code accepts for signArbitrary is one over our document of ADR-036', () => {
  const { publicKey, address, text, signature } = KEPLR;
  const verify = (signed: string): boolean =>
    verifySecp256k1(fromHex(publicKey), sha256(adr036SignBytes(address, signed)), fromHex(signature));
  expect([verify(text), verify(`${text}!`)]).toEqual([true, false]);
});

test('a payee names what an authorisation lacks', () => {
  const { authorization } = TRANSFER;
  const { chainId, to, amount, resourceHash } = authorization;
  const expected = { chainId, to, amount, resourceHash, at: 1_700_000_001n };
  expect(problemOfTransfer(authorization, expected)).toBeUndefined();
  for (const [change, problem] of [
    [{ chainId: 'openledger-2' }, 'other-chain'],
    [{ to: authorization.from }, 'other-recipient'],
    [{ amount: { ...amount, amount: '1249999' } }, 'wrong-amount'],
    [{ amount: { ...amount, denom: 'uusd' } }, 'wrong-amount'],
    [{ resourceHash: authorization.nonce }, 'other-resource'],
    [{ at: 1_700_000_000n }, 'not-yet-valid'],
    [{ at: 1_700_000_600n }, 'expired'],
  ] as const)
    expect(problemOfTransfer(authorization, { ...expected, ...change })).toBe(problem);
});
