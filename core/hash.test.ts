import { ripemd160 as nobleRipemd160 } from '@noble/hashes/legacy.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256, sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from './bytes.ts';
import { hmacSha256, ripemd160, sha256, sha256Into, sha512 } from './hash.ts';

test('digests equal those of @noble/hashes for random inputs', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
      expect(toHex(sha256(data))).toBe(toHex(nobleSha256(data)));
      expect(toHex(sha512(data))).toBe(toHex(nobleSha512(data)));
      expect(toHex(ripemd160(data))).toBe(toHex(nobleRipemd160(data)));
    }),
  );
});

test('HMACs equal those of @noble/hashes, under keys of any length', () => {
  const bytes = fc.uint8Array({ maxLength: 100 });
  fc.assert(
    fc.property(bytes, bytes, (key, data) => {
      expect(toHex(hmacSha256(key, data))).toBe(toHex(hmac(nobleSha256, key, data)));
    }),
  );
});

test('sha256Into writes 32 bytes at the offset and nothing else', () => {
  const out = Buffer.alloc(40, 0xee);
  sha256Into(Uint8Array.of(1, 2, 3), out, 4);
  expect(toHex(out)).toBe('eeeeeeee' + toHex(nobleSha256(Uint8Array.of(1, 2, 3))) + 'eeeeeeee');
});
