/** Commitments to shards: what makes one well-formed, its id, and the trees that it commits to. */
import { concatBytes, utf8 } from '../../../../core/bytes.ts';
import { LedgerError } from '../../../../core/errors.ts';
import { HASH_BYTES, sha256 } from '../../../../core/hash.ts';
import { ShardCommitment } from '../../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { type Run, runAt, runLeaves } from '../../../../core/leaf-run.ts';
import { LEAF_TOKENS, SHARD_TOKENS_MAX, SHARD_TREES, type ShardTree } from '../kinds.ts';
import { TOKENISER_VERSION } from '../tokenise.ts';
import { leafBytesMax } from './leaves.ts';
import type { CommittedTree } from '../tree.ts';

const ID_DOMAIN = utf8('openledger/attribution/shard/v1');

/** Ranks that a leaf of the suffix tree may hold. */
export const ENTRIES_PER_LEAF: readonly number[] = [1, 8];

const UINT64_LIMIT = 1n << 64n;

/** Identifies a commitment: 32 bytes. */
export function shardId(commitment: ShardCommitment): Uint8Array {
  return sha256(concatBytes(ID_DOMAIN, ShardCommitment.encode(commitment)));
}

/** Leaves that a tree of this shard has. */
export function leafCount(commitment: ShardCommitment, tree: ShardTree): number {
  switch (tree) {
    case 'text':
    case 'inverse':
      return Math.ceil(commitment.tokens / LEAF_TOKENS);
    case 'suffix':
      return Math.ceil(commitment.tokens / commitment.entriesPerLeaf);
    case 'documents':
      return commitment.documents;
  }
}

/** How many leaves of a tree of this shard are asked for together: see `Run`. */
export function runLeavesOf(commitment: ShardCommitment, tree: ShardTree): number {
  return runLeaves(leafBytesMax(commitment, tree));
}

/** The leaves of a tree of this shard that are asked for with this one. */
export function runOfShard(commitment: ShardCommitment, tree: ShardTree, leaf: number): Run {
  return runAt(leaf, { size: runLeavesOf(commitment, tree), leaves: leafCount(commitment, tree) });
}

/** The root of a tree of this shard. */
export function rootOf(commitment: ShardCommitment, tree: ShardTree): Uint8Array {
  switch (tree) {
    case 'text':
      return commitment.textRoot;
    case 'suffix':
      return commitment.suffixRoot;
    case 'inverse':
      return commitment.inverseRoot;
    case 'documents':
      return commitment.documentRoot;
  }
}

/** A tree of this shard: what openings are checked against. */
export function treeOfShard(commitment: ShardCommitment, tree: ShardTree): CommittedTree {
  return { kind: SHARD_TREES[tree], leaves: leafCount(commitment, tree), root: rootOf(commitment, tree) };
}

/** What is wrong with the form of a commitment, for a person; undefined when nothing is. */
export function commitmentProblem(commitment: ShardCommitment): string | undefined {
  const { datanetId, firstPosition, documents, tokens, tokeniser, entriesPerLeaf } = commitment;
  if (datanetId === 0n) return 'names no Datanet';
  if (tokeniser !== TOKENISER_VERSION) return `has tokeniser ${tokeniser}, not ${TOKENISER_VERSION}`;
  if (!ENTRIES_PER_LEAF.includes(entriesPerLeaf))
    return `has ${entriesPerLeaf} entries in a leaf, not one of ${ENTRIES_PER_LEAF.join(', ')}`;
  if (documents < 1) return 'has no documents';
  if (tokens > SHARD_TOKENS_MAX) return `has ${tokens} tokens, more than ${SHARD_TOKENS_MAX}`;
  if (tokens < documents) return `has ${tokens} tokens, fewer than its ${documents} separators`;
  if (firstPosition + BigInt(documents) > UINT64_LIMIT) return 'ends behind the last position';
  for (const tree of ['text', 'suffix', 'inverse', 'documents'] as const) {
    const { length } = rootOf(commitment, tree);
    if (length !== HASH_BYTES) return `has a ${tree} root of ${length} bytes, not ${HASH_BYTES}`;
  }
  const { salted, saltCommitment } = commitment;
  const wanted = salted ? HASH_BYTES : 0;
  if (saltCommitment.length !== wanted)
    return `has a salt commitment of ${saltCommitment.length} bytes, not ${wanted}`;
  return undefined;
}

/** @throws LedgerError (`attribution.shard_commitment`) saying what is wrong with the form of a commitment */
export function checkCommitment(commitment: ShardCommitment): void {
  const problem = commitmentProblem(commitment);
  if (problem === undefined) return;
  throw new LedgerError('attribution.shard_commitment', `the shard commitment ${problem}`, { problem });
}
