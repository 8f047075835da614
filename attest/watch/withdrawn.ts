/**
 * Where a contribution is withdrawn, a shard may have its text or a tombstone; the shard is asked which one.
 * Its leaves of the tree of documents tell, as far as they lead to the committed root: as its publisher
 * serves them, or as the chain has checked them. Where neither does, it has what is right in a shard of
 * today, a tombstone, until the chain has shown more.
 */
import { equalBytes } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { SHARD_TREES } from '../../modules/attribution/proof/kinds.ts';
import { runLeavesOf, runOfShard, treeOfShard } from '../../modules/attribution/proof/shard/commitment.ts';
import { decodeDocumentLeaf } from '../../modules/attribution/proof/shard/leaves.ts';
import type { ContributionRecord } from '../../modules/attribution/proof/shard/fraud.ts';
import { rootOfSection } from '../../modules/attribution/verify.ts';
import type { ChunkPlace, ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { fetchAll, FetchedTree } from './fetched-tree.ts';
import type { Demand, PublishedShard, Publisher } from './ports.ts';

/** Documents of a shard whose contributions are withdrawn. */
export interface WithdrawnDocuments {
  /** Those that are tombstones, ascending. */
  readonly tombstones: readonly number[];
  /** Runs of the tree of documents with those of which it is not known whether they are. */
  readonly unsure: readonly ChunkPlace[];
}

/** What it is told by. */
interface WithdrawnCase {
  readonly shard: PublishedShard;
  readonly records: readonly ContributionRecord[];
  readonly demands: readonly Demand[];
  readonly publishers: readonly Publisher[];
}

/** See the file comment. */
export async function withdrawnDocuments(case_: WithdrawnCase, key: string): Promise<WithdrawnDocuments> {
  const { records, shard, publishers } = case_;
  const withdrawn = [...records.keys()].filter((document) => records[document]?.accepted === false);
  if (withdrawn.length === 0) return { tombstones: [], unsure: [] };
  const tree = treeOfShard(shard.commitment, 'documents');
  const fetched = new FetchedTree(tree, runLeavesOf(shard.commitment, 'documents'));
  const texts = absorb(case_, fetched);
  let known = fetched.known();
  const isUnknown = (document: number): boolean => known[document] === undefined && !texts.has(document);
  for (const publisher of publishers) {
    if (!withdrawn.some(isUnknown)) break;
    const leaves = await fetchAll(tree.leaves, (range) => publisher.leaves(key, 'documents', range));
    fetched.offer(leaves);
    known = fetched.known();
  }
  const isTombstone = (document: number): boolean =>
    !texts.has(document) && isTombstoneLeaf(shard.commitment, document, known[document]);
  const unsure = withdrawn.filter(isUnknown);
  return { tombstones: withdrawn.filter(isTombstone), unsure: runsOf(shard.commitment, unsure) };
}

/** Takes what the chain has shown of the tree; the documents of which it has shown a section of their text. */
function absorb({ records, demands }: WithdrawnCase, fetched: FetchedTree): ReadonlySet<number> {
  const texts = new Set<number>();
  for (const { place, answer } of demands) {
    if (answer === undefined) continue;
    const { leaves, hashes } = answer;
    if (place.tree === SHARD_TREES.documents) fetched.show({ first: place.chunk, leaves, hashes });
    const record = place.tree === 0 ? records[place.document] : undefined;
    if (record === undefined) continue;
    const section = { index: place.chunk, byteLength: Number(record.byteLength) };
    const root = rootOfSection(section, answer);
    if (root !== undefined && equalBytes(root, record.root)) texts.add(place.document);
    // The leaf of a tombstone is shown in place of a section.
    else fetched.show({ first: place.document, leaves, hashes });
  }
  return texts;
}

function runsOf(commitment: ShardCommitment, documents: readonly number[]): readonly ChunkPlace[] {
  const firsts = new Set(documents.map((document) => runOfShard(commitment, 'documents', document).first));
  return [...firsts].map((chunk) => ({ tree: SHARD_TREES.documents, document: 0, chunk }));
}

function isTombstoneLeaf(
  commitment: ShardCommitment,
  document: number,
  leaf: Uint8Array | undefined,
): boolean {
  if (leaf === undefined) return true;
  try {
    return decodeDocumentLeaf(commitment, document, leaf).tombstone;
  } catch (error) {
    // The shard commits to a leaf that is none: that convicts it.
    if (error instanceof DecodeError) return true;
    throw error;
  }
}
