/** Rows of the store with what proves them, in the form of a bundle. */
import { fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import type { ProvedPair, ProvedRow, ProvedStore, RowName } from '../../client/verifier/types.ts';
import { CommitmentProof, type ExistenceProof } from '../../light/proof/commitment-proof.ts';
import type { ExplainChain } from './chain.ts';

/** A row and the store that it is of. */
export interface FetchedRow {
  readonly name: RowName;
  readonly row: ProvedRow;
  readonly store: Omit<ProvedStore, 'rows'>;
}

/** Asks for a row with its proof, which is not checked here: the verifier does. */
export async function fetchRow(chain: ExplainChain, name: RowName): Promise<FetchedRow> {
  const { height, store, key } = name;
  const question = { path: `/store/${store}/key`, data: fromHex(key), height, prove: true };
  const [tree, stores] = (await chain.ask(question)).ops;
  if (tree === undefined || stores === undefined)
    throw new LedgerError('explain.proof', `the node proves nothing of ${store}`);
  const { exist, nonexist } = CommitmentProof.decode(tree.data);
  const { exist: root } = CommitmentProof.decode(stores.data);
  const pair = exist === undefined ? null : pairOf(exist);
  const left = nonexist?.left === undefined ? null : pairOf(nonexist.left);
  const right = nonexist?.right === undefined ? null : pairOf(nonexist.right);
  return {
    name,
    row: { key, found: pair, left, right },
    store: { name: store, root: toHex(root?.value ?? utf8('')), path: pathOf(root) },
  };
}

function pairOf(proof: ExistenceProof): ProvedPair {
  const { key, value, leaf } = proof;
  const prefix = toHex(leaf?.prefix ?? utf8(''));
  return { key: toHex(key), value: toHex(value), prefix, path: pathOf(proof) };
}

function pathOf(proof: ExistenceProof | undefined): ProvedPair['path'] {
  return (proof?.path ?? []).map(({ prefix, suffix }) => [toHex(prefix), toHex(suffix)]);
}
