import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, equalBytes, toHex, utf8 } from './bytes.ts';
import { sha256 } from './hash.ts';
import { innerHash, leafHash, merkleProofs, merkleRoot, verifyMerkleProof } from './merkle.ts';

test('the root of nothing is the hash of nothing, that of one leaf its leaf hash (RFC 6962 section 2.1)', () => {
  expect(toHex(merkleRoot([]))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(toHex(merkleRoot([utf8('a')]))).toBe(toHex(sha256(concatBytes(Uint8Array.of(0), utf8('a')))));
});

test('three leaves split two and one', () => {
  const [a, b, c] = [utf8('a'), utf8('b'), utf8('c')] as const;
  const expected = innerHash(innerHash(leafHash(a), leafHash(b)), leafHash(c));
  expect(toHex(merkleRoot([a, b, c]))).toBe(toHex(expected));
});

test('every leaf is proved by its own proof and by no other', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 40 }), (leaves) => {
      const { root, proofs } = merkleProofs(leaves);
      expect(toHex(root)).toBe(toHex(merkleRoot(leaves)));
      for (const [i, proof] of proofs.entries()) {
        const leaf = leaves[i];
        if (leaf === undefined) throw new Error('unreachable');
        expect(verifyMerkleProof(proof, root, leaf)).toBe(true);
        expect(verifyMerkleProof(proof, root, concatBytes(leaf, Uint8Array.of(0)))).toBe(false);
        for (const total of [proof.total + 1, proof.total - 1]) {
          const changed = { ...proof, total };
          // Another total may still give the same path; then the leaf stands at the same place of a larger
          // tree.
          if (verifyMerkleProof(changed, root, leaf)) expect(proof.aunts.length).toBeGreaterThan(0);
        }
        const flipped = proof.aunts.map((aunt, level) => (level === 0 ? sha256(aunt) : aunt));
        if (flipped.length > 0)
          expect(verifyMerkleProof({ ...proof, aunts: flipped }, root, leaf)).toBe(false);
      }
    }),
  );
});

test('a proof with an impossible shape is refused without an exception', () => {
  const { root, proofs } = merkleProofs([utf8('a'), utf8('b')]);
  const proof = proofs[0];
  if (proof === undefined) throw new Error('unreachable');
  for (const bad of [
    { ...proof, index: -1 },
    { ...proof, index: 2 },
    { ...proof, index: 0.5 },
    { ...proof, total: 0 },
    { ...proof, aunts: [] },
    { ...proof, aunts: [Uint8Array.of(1)] },
    { ...proof, aunts: Array.from({ length: 101 }, () => new Uint8Array(32)) },
  ]) {
    expect(verifyMerkleProof(bad, root, utf8('a'))).toBe(false);
  }
  expect(equalBytes(root, root)).toBe(true);
});
