import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from './hash.ts';
import { txHash } from './tx-hash.ts';

test('is the SHA-256 of the bytes, also of equal bytes in other arrays', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (tx) => {
      expect(txHash(tx)).toEqual(sha256(tx));
      expect(txHash(Uint8Array.from(tx))).toEqual(sha256(tx));
    }),
  );
});

test('is computed once per array', () => {
  const tx = Uint8Array.of(1, 2, 3);
  expect(txHash(tx)).toBe(txHash(tx));
});

test('arrays over the same memory are told apart', () => {
  const memory = Uint8Array.of(1, 2, 3, 4);
  expect(txHash(memory.subarray(0, 2))).toEqual(sha256(Uint8Array.of(1, 2)));
  expect(txHash(memory.subarray(2))).toEqual(sha256(Uint8Array.of(3, 4)));
});
