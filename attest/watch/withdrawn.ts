/**
 * Where a contribution is withdrawn, a shard may have its text or a tombstone; the shard is asked which one.
 * Its leaf of the tree of documents tells, as whoever serves it says, or as the chain has checked it.
 * Where neither does, it has what is right in a shard of today, a tombstone.
 */
import { equalBytes } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { SHARD_TREES } from '../../modules/attribution/proof/kinds.ts';
import { decodeDocumentLeaf } from '../../modules/attribution/proof/shard/leaves.ts';
import type { ContributionRecord } from '../../modules/attribution/proof/shard/fraud.ts';
import { rootOfSection } from '../../modules/attribution/verify.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Demand, PublishedShard, Publisher } from './ports.ts';

/** Documents of a shard whose contributions are withdrawn. */
export interface WithdrawnDocuments {
  /** Those that are tombstones, ascending. */
  readonly tombstones: readonly number[];
  /** Those of which the chain has not shown whether they are. */
  readonly unsure: readonly number[];
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
  const tombstones: number[] = [];
  const unsure: number[] = [];
  for (const [document, { accepted }] of case_.records.entries()) {
    if (accepted) continue;
    const shown = shownTombstone(case_, document);
    if (shown === undefined) unsure.push(document);
    if (shown ?? (await servedTombstone(case_, key, document)) ?? true) tombstones.push(document);
  }
  return { tombstones, unsure };
}

/** By answers on the chain: the leaf was asked for, or shown in place of a section of the text. */
function shownTombstone({ shard, records, demands }: WithdrawnCase, document: number): boolean | undefined {
  const record = records[document];
  for (const { place, answer } of demands) {
    if (answer === undefined || record === undefined) continue;
    if (place.tree === SHARD_TREES.documents && place.chunk === document)
      return isTombstone(shard.commitment, document, answer.content);
    if (place.tree !== 0 || place.document !== document) continue;
    const section = { index: place.chunk, byteLength: Number(record.byteLength) };
    const root = rootOfSection(section, answer);
    return root === undefined || !equalBytes(root, record.root);
  }
  return undefined;
}

async function servedTombstone(
  { shard, publishers }: WithdrawnCase,
  key: string,
  document: number,
): Promise<boolean | undefined> {
  for (const publisher of publishers) {
    const [leaf] = (await publisher.leaves(key, 'documents', { from: document, count: 1 })) ?? [];
    const served = leaf && isTombstone(shard.commitment, document, leaf);
    if (served !== undefined) return served;
  }
  return undefined;
}

function isTombstone(commitment: ShardCommitment, document: number, leaf: Uint8Array): boolean | undefined {
  try {
    return decodeDocumentLeaf(commitment, document, leaf).tombstone;
  } catch (error) {
    // Whoever served it lies, or the shard has no such leaf: then that convicts it.
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
