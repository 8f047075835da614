import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PublicKey } from '../../consensus/types/validator.ts';
import { utf8 } from '../../core/bytes.ts';
import { ed25519Signer, verifyEd25519, verifyEd25519InBackground } from './ed25519.ts';
import { RememberingVerifier } from './remembering-verify.ts';

const signer = ed25519Signer(new Uint8Array(32).fill(1));
const key: PublicKey = { type: 'ed25519', bytes: signer.publicKey };

function counted(entriesMax?: number) {
  let checks = 0;
  const { verify } = new RememberingVerifier(
    ({ bytes }, message, signature) => {
      checks++;
      return verifyEd25519(bytes, message, signature);
    },
    entriesMax === undefined ? {} : { entriesMax },
  );
  return { verify, checks: () => checks };
}

it('a signature that passed is not checked again, one that failed is', () => {
  const { verify, checks } = counted();
  const message = utf8('vote');
  const signature = signer.sign(message);
  expect([verify(key, message, signature), verify(key, message, signature)]).toEqual([true, true]);
  expect(checks()).toBe(1);
  const wrong = signature.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
  expect([verify(key, message, wrong), verify(key, message, wrong)]).toEqual([false, false]);
  expect(checks()).toBe(3);
});

it('nothing that differs from what passed in any byte, or in where its parts end, passes for it', () => {
  const { verify } = counted();
  const message = utf8('a vote of some length');
  const signature = signer.sign(message);
  expect(verify(key, message, signature)).toBe(true);
  const all = Buffer.concat([key.bytes, signature, message]);
  fc.assert(
    fc.property(fc.nat(all.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Uint8Array.from(all);
      changed[at] = (changed[at] ?? 0) ^ flip;
      const otherKey: PublicKey = { type: 'ed25519', bytes: changed.slice(0, 32) };
      expect(verify(otherKey, changed.slice(96), changed.slice(32, 96))).toBe(false);
    }),
    { numRuns: 40 },
  );
  const shifted: PublicKey = { type: 'ed25519', bytes: Uint8Array.from(all.subarray(0, 31)) };
  expect(verify(shifted, Uint8Array.from(all.subarray(95)), Uint8Array.from(all.subarray(31, 95)))).toBe(
    false,
  );
  expect(verify({ type: 'secp256k1', bytes: key.bytes }, utf8('another'), signature)).toBe(false);
});

it('what is remembered is bounded', () => {
  const { verify, checks } = counted(2);
  const messages = ['a', 'b', 'c', 'd', 'e'].map(utf8);
  for (const message of messages) verify(key, message, signer.sign(message));
  expect(checks()).toBe(5);
  const [first, last] = [messages[0], messages[4]];
  if (first === undefined || last === undefined) throw new Error('no messages');
  verify(key, last, signer.sign(last));
  expect(checks()).toBe(5);
  verify(key, first, signer.sign(first));
  expect(checks()).toBe(6);
});

it('what was checked in the background is not checked again, and what failed there is', async () => {
  let checks = 0;
  const { verify, expect: expectSignature } = new RememberingVerifier(
    ({ bytes }, message, signature) => {
      checks++;
      return verifyEd25519(bytes, message, signature);
    },
    { inBackground: ({ bytes }, message, signature) => verifyEd25519InBackground(bytes, message, signature) },
  );
  const message = utf8('vote');
  const signature = signer.sign(message);
  const wrong = signature.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
  expectSignature(key, message, signature);
  expectSignature(key, message, wrong);
  expect(await verifyEd25519InBackground(key.bytes, message, signature)).toBe(true);
  expect(await verifyEd25519InBackground(new Uint8Array(32).fill(255), message, signature)).toBe(false);
  await new Promise((resolve) => setImmediate(resolve));
  expect([verify(key, message, signature), verify(key, message, wrong)]).toEqual([true, false]);
  expect(checks).toBe(1);
});
