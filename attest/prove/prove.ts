/** Makes proofs about a shard: what `proof/shard/verify.ts` accepts. */
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { ProofWriter } from '../../modules/attribution/proof/shard/bytes.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import { demandsOf, standingOf } from '../../modules/attribution/proof/shard/compare.ts';
import {
  PROOF_VERSION,
  proofShape,
  type ShardStatement,
  writeDocumentLeaf,
  writeEntry,
  writeStatement,
  writeTextLeaf,
} from '../../modules/attribution/proof/shard/format.ts';
import {
  decodeDocumentLeaf,
  decodeSuffixLeaf,
  decodeTextLeaf,
  type SuffixEntry,
} from '../../modules/attribution/proof/shard/leaves.ts';
import { leavesOfRanks, startsOfRanks } from '../../modules/attribution/proof/shard/verify.ts';
import { openingHashes } from '../../modules/attribution/proof/tree.ts';
import type { ShardReader } from '../shard.ts';

/**
 * What a proof is made from. Statements are taken as they are: a proof of a false one is refused, and one of
 * statements that do not rise (`compareStatements`).
 */
export interface ProofOrder {
  readonly query: Uint32Array;
  readonly statements: readonly ShardStatement[];
  /** Open the documents of all holders: for verifiers that do not have the Datanet's records. */
  readonly documents: boolean;
}

/** What of a shard a prover needs. */
export type ProvableShard = Pick<ShardReader, 'commitment' | 'node' | 'leaf'>;

/** One proof for several statements. */
export function proveShard(shard: ProvableShard, order: ProofOrder): Uint8Array {
  const { query, statements } = order;
  const withDocuments = order.documents && statements.some(({ kind }) => kind !== 'count');
  const { commitment } = shard;
  const shape = proofShape(commitment);
  const writer = new ProofWriter();
  writer.uint(PROOF_VERSION + (withDocuments ? 1 : 0), 1);
  writer.varint(statements.length);
  for (const statement of statements) writeStatement(writer, shape, statement);

  const entries = new Map<number, SuffixEntry>();
  const starts = startsOfRanks(statements, commitment.tokens);
  const suffixLeaves = leavesOfRanks(starts, commitment.entriesPerLeaf);
  let previous: readonly number[] = [];
  for (const index of suffixLeaves) {
    const leaf = decodeSuffixLeaf(commitment, index, shard.leaf('suffix', index));
    writer.raw(leaf.salt);
    for (const [i, entry] of leaf.entries.entries()) {
      const rank = index * commitment.entriesPerLeaf + i;
      writeEntry(writer, shape, { entry, reference: { previous, query, start: starts.get(rank) } });
      entries.set(rank, entry);
      previous = entry.tokens;
    }
  }
  const open = (tree: ShardTree, indices: readonly number[]): void => {
    if (indices.length === 0) return;
    const node = (level: number, at: number): Uint8Array => shard.node(tree, level, at);
    writer.raw(openingHashes(leafCount(commitment, tree), indices, node));
  };
  open('suffix', suffixLeaves);

  const text = new Map<number, readonly number[]>();
  const textLeaf = (index: number, { position }: SuffixEntry, start: number): readonly number[] => {
    const known = text.get(index);
    if (known !== undefined) return known;
    const leaf = decodeTextLeaf(commitment, index, shard.leaf('text', index));
    writeTextLeaf(writer, shape, { index, leaf, reference: { position, query, start } });
    text.set(index, leaf.tokens);
    return leaf.tokens;
  };
  for (const statement of statements) {
    const { start, length } = statement;
    for (const { rank } of demandsOf(statement, commitment.tokens)) {
      const entry = entries.get(rank);
      if (entry === undefined) continue;
      standingOf(entry, { query, start, length }, (index) => textLeaf(index, entry, start));
    }
  }
  open(
    'text',
    [...text.keys()].sort((a, b) => a - b),
  );

  const documents = withDocuments ? documentsOf(statements, entries) : [];
  for (const index of documents)
    writeDocumentLeaf(writer, shape, decodeDocumentLeaf(commitment, index, shard.leaf('documents', index)));
  open('documents', documents);
  return writer.done();
}

/** Documents of all holders that statements name, ascending. */
function documentsOf(
  statements: readonly ShardStatement[],
  entries: ReadonlyMap<number, SuffixEntry>,
): readonly number[] {
  const documents = new Set<number>();
  for (const { kind, lo, hi } of statements) {
    if (kind === 'count') continue;
    for (let rank = lo; rank < hi; rank++) {
      const entry = entries.get(rank);
      if (entry !== undefined) documents.add(entry.document);
    }
  }
  return [...documents].sort((a, b) => a - b);
}
