import { ripemd160 as nobleRipemd160 } from '@noble/hashes/legacy.js';
import { sha256 as nobleSha256, sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from './bytes.ts';
import { ripemd160, sha256, sha256Into, sha512 } from './hash.ts';

test('digests equal those of @noble/hashes for random inputs', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
      expect(toHex(sha256(data))).toBe(toHex(nobleSha256(data)));
      expect(toHex(sha512(data))).toBe(toHex(nobleSha512(data)));
      expect(toHex(ripemd160(data))).toBe(toHex(nobleRipemd160(data)));
    }),
  );
});

test('sha256Into writes 32 bytes at the offset and nothing else', () => {
  const out = Buffer.alloc(40, 0xee);
  sha256Into(Uint8Array.of(1, 2, 3), out, 4);
  expect(toHex(out)).toBe('eeeeeeee' + toHex(nobleSha256(Uint8Array.of(1, 2, 3))) + 'eeeeeeee');
});
