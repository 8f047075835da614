import { readFileSync } from 'node:fs';
import { ics23, iavlSpec, tendermintSpec, verifyMembership, verifyNonMembership } from '@confio/ics23';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex, toHex, utf8 } from '../core/bytes.ts';
import { defined } from '../core/errors.ts';
import type { ProofOp } from './kv.ts';
import { MemoryMultiStore } from './multistore.ts';

interface ProofCase {
  readonly stores: readonly string[];
  readonly versions: readonly {
    readonly ops: Readonly<Record<string, readonly (readonly string[])[]>>;
    readonly stores: Readonly<Record<string, string>>;
    readonly hash: string;
  }[];
  readonly proofs: readonly {
    readonly store: string;
    readonly key: string;
    readonly version: number;
    readonly value: string;
    readonly exists: boolean;
    readonly ops: readonly { readonly type: string; readonly key: string; readonly data: string }[];
  }[];
}

const cases: readonly ProofCase[] = JSON.parse(
  readFileSync(new URL('../test/vectors/ics23/proofs.json', import.meta.url), 'utf8'),
);

test('proof bytes are those of the SDK’s rootmulti store', () => {
  for (const vector of cases) {
    const store = new MemoryMultiStore({ stores: vector.stores });
    for (const version of vector.versions) {
      for (const [name, ops] of Object.entries(version.ops)) {
        for (const [key, value] of ops) {
          if (value === undefined) store.layer(name).delete(fromHex(key ?? ''));
          else store.layer(name).set(fromHex(key ?? ''), fromHex(value));
        }
      }
      expect(toHex(store.commit().hash)).toBe(version.hash);
    }
    expect(vector.proofs.length).toBeGreaterThan(20);
    for (const proof of vector.proofs) {
      const key = fromHex(proof.key);
      const answer = store.query({ store: proof.store, key, version: BigInt(proof.version), prove: true });
      expect(answer.value === undefined ? undefined : toHex(answer.value)).toBe(
        proof.exists ? proof.value : undefined,
      );
      const ops = answer.proofOps.map((op) => ({
        type: op.type,
        key: toHex(op.key),
        data: toHex(op.data),
      }));
      expect(ops).toEqual(proof.ops);
    }
  }
});

/** True when the stock verifier accepts the two operations for this answer under this app hash. */
function verifies(
  ops: readonly ProofOp[],
  claim: { key: Uint8Array; value: Uint8Array | undefined; store: string; hash: Uint8Array },
): boolean {
  const [tree, stores] = [defined(ops[0], 'iavl op'), defined(ops[1], 'simple op')];
  const treeProof = ics23.CommitmentProof.decode(tree.data);
  const storeProof = ics23.CommitmentProof.decode(stores.data);
  const root = defined(storeProof.exist?.value ?? undefined, 'store root');
  const inTree =
    claim.value === undefined
      ? verifyNonMembership(treeProof, iavlSpec, root, claim.key)
      : verifyMembership(treeProof, iavlSpec, root, claim.key, claim.value);
  return inTree && verifyMembership(storeProof, tendermintSpec, claim.hash, utf8(claim.store), root);
}

const key = fc.uint8Array({ minLength: 1, maxLength: 3 });
const value = fc.uint8Array({ minLength: 1, maxLength: 40 });

test('the stock ICS-23 verifier accepts proofs of what is there and of what is not, at each version, and no others', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 20 }), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.array(key, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 9 }),
      (blocks, asked, storeCount) => {
        const names = Array.from({ length: storeCount }, (_, i) => `store${i}`);
        const store = new MemoryMultiStore({ stores: names });
        const name = defined(names[blocks.length % storeCount], 'store name');
        const hashes = blocks.map((block) => {
          for (const [k, v] of block) store.layer(name).set(k, v);
          return store.commit().hash;
        });
        for (const [i, hash] of hashes.entries()) {
          const version = BigInt(i + 1);
          for (const k of [...asked, defined(blocks[0]?.[0]?.[0], 'first key')]) {
            const answer = store.query({ store: name, key: k, version, prove: true });
            const claim = { key: k, value: answer.value, store: name, hash };
            expect(verifies(answer.proofOps, claim)).toBe(true);
            expect(verifies(answer.proofOps, { ...claim, value: utf8('forged') })).toBe(false);
            if (answer.value !== undefined) {
              expect(verifies(answer.proofOps, { ...claim, value: undefined })).toBe(false);
            }
            const wrong = Uint8Array.from(hash, (byte) => byte ^ 1);
            expect(verifies(answer.proofOps, { ...claim, hash: wrong })).toBe(false);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});
