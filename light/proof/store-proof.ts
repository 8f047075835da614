import { utf8 } from '../../core/bytes.ts';
import { DecodeError, LedgerError } from '../../core/errors.ts';
import { CommitmentProof } from './commitment-proof.ts';
import { PATH_MAX, verifyAbsence, verifyExistence } from './ics23.ts';

/** One operation of a proof, as `abci_query` answers it. */
export interface ProofOp {
  readonly type: string;
  readonly key: Uint8Array;
  /** An encoded ICS-23 CommitmentProof. */
  readonly data: Uint8Array;
}

/** What the operations are to prove. */
export interface StoreClaim {
  /** Of the header after the height that was queried. */
  readonly appHash: Uint8Array;
  readonly store: string;
  readonly key: Uint8Array;
  /** Undefined: nothing is there. */
  readonly value: Uint8Array | undefined;
}

/**
 * Checks what a multistore has, or has not, at a key: first the store's tree, then the store in the app hash.
 * @throws LedgerError `light.proof` when the operations do not prove it
 */
export function verifyStoreProof(ops: readonly ProofOp[], claim: StoreClaim): void {
  const [tree, stores, ...others] = ops;
  if (tree?.type !== 'ics23:iavl' || stores?.type !== 'ics23:simple' || others.length > 0) {
    throw wrong(claim, 'there must be two operations, ics23:iavl and ics23:simple');
  }
  const inStores = decoded(stores, claim).exist;
  const name = utf8(claim.store);
  if (inStores === undefined) throw wrong(claim, 'the second operation does not prove a store');
  const { appHash } = claim;
  if (!verifyExistence(inStores, 'simple', { root: appHash, key: name, value: inStores.value }))
    throw wrong(claim, 'the store is not in the app hash');
  const { exist, nonexist } = decoded(tree, claim);
  const root = inStores.value;
  const { key, value } = claim;
  const holds =
    value === undefined
      ? nonexist !== undefined && verifyAbsence(nonexist, 'iavl', { root, key })
      : exist !== undefined && verifyExistence(exist, 'iavl', { root, key, value });
  if (!holds) throw wrong(claim, value === undefined ? 'the key may be there' : 'the value is not there');
}

function decoded(op: ProofOp, claim: StoreClaim): CommitmentProof {
  try {
    // Two neighbours of what is absent, each with its path.
    return CommitmentProof.decode(op.data, { elementsMax: 2 * PATH_MAX });
  } catch (error) {
    if (error instanceof DecodeError) throw wrong(claim, `a proof cannot be read: ${error.message}`);
    throw error;
  }
}

function wrong({ store }: StoreClaim, why: string): LedgerError {
  return new LedgerError('light.proof', `the proof for store ${store} does not hold: ${why}`, { store });
}

const STORE_PATH = /^\/?store\/([^/]+)\/key$/;

/** The store that a query path asks for; undefined for queries that nothing can prove. */
export function storeOfPath(path: string): string | undefined {
  return STORE_PATH.exec(path)?.[1];
}
