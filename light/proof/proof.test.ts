/** Our verifier against golden proofs of the Cosmos SDK's store, and against the stock one on broken proofs. */
import { readFileSync } from 'node:fs';
import { ics23, iavlSpec, verifyMembership, verifyNonMembership } from '@confio/ics23';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, utf8 } from '../../core/bytes.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { CommitmentProof } from './commitment-proof.ts';
import { type ProofOp, storeOfPath, verifyStoreProof } from './store-proof.ts';

interface Golden {
  readonly versions: readonly { readonly hash: string }[];
  readonly proofs: readonly {
    readonly store: string;
    readonly key: string;
    readonly version: number;
    readonly value: string;
    readonly exists: boolean;
    readonly ops: readonly { readonly type: string; readonly key: string; readonly data: string }[];
  }[];
}

const golden: readonly Golden[] = JSON.parse(
  readFileSync(new URL('../../test/vectors/ics23/proofs.json', import.meta.url), 'utf8'),
);

const holds = (ops: readonly ProofOp[], claim: Parameters<typeof verifyStoreProof>[1]): boolean => {
  try {
    verifyStoreProof(ops, claim);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(LedgerError);
    return false;
  }
};

const cases = golden.flatMap(({ proofs, versions }) =>
  proofs.map((proof) => ({
    name: `${proof.store}/${proof.key} at ${proof.version}${proof.exists ? '' : ' (absent)'}`,
    ops: proof.ops.map(({ type, key, data }) => ({ type, key: fromHex(key), data: fromHex(data) })),
    claim: {
      appHash: fromHex(defined(versions[proof.version - 1], 'version').hash),
      store: proof.store,
      key: fromHex(proof.key),
      value: proof.exists ? fromHex(proof.value) : undefined,
    },
  })),
);

describe('golden proofs', () => {
  it.each(cases)('$name holds, and no other claim with it', ({ ops, claim }) => {
    expect(holds(ops, claim)).toBe(true);
    expect(holds(ops, { ...claim, value: utf8('forged') })).toBe(false);
    if (claim.value !== undefined) expect(holds(ops, { ...claim, value: undefined })).toBe(false);
    expect(holds(ops, { ...claim, key: utf8('other') })).toBe(false);
    expect(holds(ops, { ...claim, store: 'other' })).toBe(false);
    expect(holds(ops, { ...claim, appHash: new Uint8Array(32) })).toBe(false);
    expect(holds(ops.slice(0, 1), claim)).toBe(false);
    expect(holds(ops.toReversed(), claim)).toBe(false);
  });
});

const key = fc.uint8Array({ minLength: 1, maxLength: 3 });

it('of random trees each key is proven to be there or not; one changed byte breaks every proof', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, fc.uint8Array({ maxLength: 20 })), { maxLength: 40 }),
      key,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (pairs, asked, position, flip) => {
        const store = new MemoryMultiStore({ stores: ['a', 'b', 'c'] });
        for (const [at, value] of pairs) store.layer('b').set(at, value);
        const { hash, version } = store.commit();
        const { value, proofOps: ops } = store.query({ store: 'b', key: asked, version, prove: true });
        const claim = { appHash: hash, store: 'b', key: asked, value };
        expect(holds(ops, claim)).toBe(true);
        const tree = defined(ops[0], 'op');
        const data = Uint8Array.from(tree.data);
        const at = position % data.length;
        data[at] = (data[at] ?? 0) ^ flip;
        // The version of an absent key's neighbour is hashed, too: no byte of a proof is free.
        expect(holds([{ ...tree, data }, ...ops.slice(1)], claim)).toBe(false);
      },
    ),
    { numRuns: 200 },
  );
});

it('what we accept of reshuffled proofs, the stock verifier accepts, too', () => {
  const pairs = Array.from(
    { length: 20 },
    (_, i) => [Uint8Array.of(10 * (i + 1)), Uint8Array.of(i + 1)] as const,
  );
  const store = new MemoryMultiStore({ stores: ['a'] });
  for (const [at, value] of pairs) store.layer('a').set(at, value);
  const { hash, version } = store.commit();
  const proofOf = (at: number) =>
    store.query({ store: 'a', key: Uint8Array.of(at), version, prove: true }).proofOps;
  const exist = (at: number) =>
    defined(CommitmentProof.decode(defined(proofOf(at)[0], 'op').data).exist, 'proof');
  const stores = defined(proofOf(10)[1], 'op');
  const root = defined(CommitmentProof.decode(stores.data).exist, 'store').value;
  let accepted = 0;
  for (const [left] of pairs) {
    for (const [right] of pairs) {
      const [l, r] = [left[0] ?? 0, right[0] ?? 0];
      const asked = Uint8Array.of(l + 5);
      const nonexist = { key: asked, left: exist(l), right: exist(r) };
      const data = CommitmentProof.encode({ exist: undefined, nonexist });
      const op = { type: 'ics23:iavl', key: asked, data };
      const ours = holds([op, stores], { appHash: hash, store: 'a', key: asked, value: undefined });
      expect(ours).toBe(r === l + 10);
      expect(verifyNonMembership(ics23.CommitmentProof.decode(data), iavlSpec, root, asked)).toBe(ours);
      if (ours) accepted++;
    }
  }
  expect(accepted).toBe(19);
  const present = ics23.CommitmentProof.decode(defined(proofOf(10)[0], 'op').data);
  expect(verifyMembership(present, iavlSpec, root, Uint8Array.of(10), Uint8Array.of(1))).toBe(true);
});

it('paths of queries name the store', () => {
  expect(storeOfPath('/store/bank/key')).toBe('bank');
  expect(storeOfPath('store/bank/key')).toBe('bank');
  expect(storeOfPath('/store/bank/subspace')).toBeUndefined();
  expect(storeOfPath('/cosmos.bank.v1beta1.Query/Balance')).toBeUndefined();
});
