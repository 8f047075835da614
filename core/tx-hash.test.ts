import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toUpperHex } from './bytes.ts';
import { sha256 } from './hash.ts';
import { isCopyOfTx, txHash, txHashHex, txHashText } from './tx-hash.ts';

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

test('its texts are those of the hash, for an array, its equals and its copies', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (tx) => {
      const [again, copy] = [Uint8Array.from(tx), Uint8Array.from(tx)];
      expect(txHashHex(tx)).toBe(toUpperHex(sha256(tx)));
      expect(txHashText(tx)).toBe(Buffer.from(sha256(tx)).toString('latin1'));
      isCopyOfTx(copy, tx);
      for (const one of [again, copy]) {
        expect(txHash(one)).toEqual(sha256(tx));
        expect(txHashText(one)).toBe(txHashText(tx));
        expect(txHashHex(one)).toBe(txHashHex(tx));
      }
      expect(txHash(copy)).toBe(txHash(tx));
    }),
  );
});
