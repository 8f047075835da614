/** The pieces that requests are for: which there are of an object, and what is the right one. */
import { assert } from '../../core/errors.ts';
import { equalBytes } from '../../core/bytes.ts';
import type { ReadContext } from '../../framework/context.ts';
import type {
  ChunkPlace,
  ChunkRequest,
  Claim,
  ShardCommitment,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { MsgRequestChunk } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { type Contribution, ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { readCard, requireCard } from './cards.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { readInfluence } from './influence.ts';
import { pendingClaim, requireSubmitted } from './open-claims.ts';
import {
  isPiece,
  leavesAt,
  oneAt,
  type OpenedPiece,
  type PiecePlace,
  type PieceTrees,
  runLeavesIn,
  treesOfCard,
  treesOfClaim,
} from './proof/influence/pieces.ts';
import { INFLUENCE_TREES, type InfluenceTree } from './proof/influence/trees.ts';
import { SHARD_TREES, type ShardTree } from './proof/kinds.ts';
import { runLeavesOf, runOfShard, treeOfShard } from './proof/shard/commitment.ts';
import { decodeDocumentLeaf } from './proof/shard/leaves.ts';
import { isShardRun } from './proof/shard/runs.ts';
import { rootOfSection, sectionCount } from './range-proof.ts';
import type { Target } from './request-targets.ts';
import { requireShard } from './shards.ts';

const SHARD_TREE_NAMES: readonly ShardTree[] = ['text', 'suffix', 'inverse', 'documents'];

const INFLUENCE_TREE_NAMES: readonly InfluenceTree[] = [
  'weights',
  'examples',
  'residuals',
  'sums',
  'coordinates',
  'groups',
  'solution',
  'effects',
];

function shardTree(kind: number): ShardTree | undefined {
  return SHARD_TREE_NAMES.find((tree) => SHARD_TREES[tree] === kind);
}

function influenceTree(kind: number): InfluenceTree | undefined {
  return INFLUENCE_TREE_NAMES.find((tree) => INFLUENCE_TREES[tree] === kind);
}

/** Form of a place. @throws StateError (attribution 26) */
export function validatePlace({ kind }: Target, { tree, document }: ChunkPlace): void {
  const isKnown =
    kind === 'shard' ? tree === 0 || shardTree(tree) !== undefined : influenceTree(tree) !== undefined;
  if (!isKnown)
    refuseAs('malformed-request', `a ${kind} has no tree ${tree}; see ChunkPlace for the numbers`);
  if (document !== 0 && tree !== 0 && tree !== INFLUENCE_TREES.coordinates)
    refuseAs(
      'malformed-request',
      'document is that of a content (tree 0) or the node of coordinates (tree 20)',
    );
}

/** What a request is for. */
export interface AskedPiece {
  /** Of leaves: the first one of their run, so that one run has one name. */
  readonly place: ChunkPlace;
  /** What an answer will be checked under, when the object is not on the chain: of claims; else no bytes. */
  readonly root: Uint8Array;
}

/** Checks that there is such a piece. @throws StateError (attribution 19, 26, 31, 32, 33, 39) */
export function askedPiece(
  k: AttributionCore,
  context: ReadContext,
  target: Target,
  { place, claim }: Pick<MsgRequestChunk, 'place' | 'claim'>,
): AskedPiece {
  if (target.kind !== 'claim' && claim !== undefined)
    refuseAs('malformed-request', 'a claim is given with claim_id only');
  switch (target.kind) {
    case 'shard': {
      const { commitment } = requireShard(k, context, target.id);
      requirePiece(place, piecesOfShard(k, context, commitment, place));
      const tree = shardTree(place.tree);
      return {
        place: tree === undefined ? place : firstOf(place, runLeavesOf(commitment, tree)),
        root: NO_ROOT,
      };
    }
    case 'card':
      return { place: runIn(treesOfCard(cardAt(k, context, target.id)), place), root: NO_ROOT };
    case 'claim': {
      const trees = treesOfSubmitted(k, context, target.id, claim);
      const run = runIn(trees, place);
      const { tree } = placeIn(place);
      return { place: run, root: trees.treeNamed(tree === 'coordinates' ? 'sums' : tree)?.root ?? NO_ROOT };
    }
  }
}

function runIn(trees: PieceTrees, place: ChunkPlace): ChunkPlace {
  const { tree, node } = placeIn(place);
  requirePiece(place, leavesAt(trees, { tree, node }));
  return firstOf(place, runLeavesIn(trees.shape, tree));
}

function firstOf(place: ChunkPlace, size: number): ChunkPlace {
  return { ...place, chunk: place.chunk - (place.chunk % size) };
}

const NO_ROOT: Uint8Array = new Uint8Array(0);

function requirePiece({ chunk }: ChunkPlace, pieces: number): void {
  if (chunk >= pieces)
    refuseAs('malformed-request', `there are ${pieces} pieces, from 0; ${chunk} is none of them`);
}

function piecesOfShard(
  k: AttributionCore,
  context: ReadContext,
  commitment: ShardCommitment,
  place: ChunkPlace,
): number {
  const tree = shardTree(place.tree);
  if (tree !== undefined) return treeOfShard(commitment, tree).leaves;
  if (place.document >= commitment.documents)
    refuseAs('malformed-request', `the shard has ${commitment.documents} documents`);
  return sectionCount(Number(documentAt(k, context, commitment, place).byteLength));
}

/** The contribution that a place of a shard lies in, as the chain has it. */
function documentAt(
  { datanets }: AttributionCore,
  context: ReadContext,
  { datanetId, firstPosition }: ShardCommitment,
  { document }: ChunkPlace,
): Contribution {
  const found = datanets.contributionAt(context, datanetId, firstPosition + BigInt(document));
  assert(found !== undefined, 'a shard indexes a position that is not there');
  return found;
}

function cardAt(k: AttributionCore, context: ReadContext, id: bigint): ReturnType<typeof readCard> {
  return readCard(requireCard(k, context, id).card);
}

function placeIn({ tree, document, chunk }: ChunkPlace): PiecePlace {
  const name = influenceTree(tree) ?? refuseAs('malformed-request', `there is no tree ${tree}`);
  return { tree: name, node: document, leaf: chunk };
}

function treesOfSubmitted(
  k: AttributionCore,
  context: ReadContext,
  claimId: bigint,
  claim: Claim | undefined,
): PieceTrees {
  const record = pendingClaim(k, context, claimId);
  if (claim === undefined) return refuseAs('malformed-request', 'give the claim as it was submitted');
  requireSubmitted(k, context, record, claim);
  if (claim.influence === undefined)
    return refuseAs(
      'malformed-request',
      `claim ${claimId} says nothing of influence; ask for pieces of its shards`,
    );
  return treesOfClaim(cardAt(k, context, record.cardId), readInfluence(claim.influence).roots);
}

/** True when a piece is the one that a request is for, and could be shown in a fraud proof. */
export function isAnswer(
  k: AttributionCore,
  context: ReadContext,
  { target, request }: { readonly target: Target; readonly request: ChunkRequest },
  piece: OpenedPiece,
): boolean {
  const { place, root } = request;
  switch (target.kind) {
    case 'shard':
      if (piece.node.length > 0 || piece.nodeHashes.length > 0) return false;
      return isShardPiece(
        k,
        context,
        { commitment: requireShard(k, context, target.id).commitment, place },
        piece,
      );
    case 'card':
      return isPiece(treesOfCard(cardAt(k, context, target.id)), placeIn(place), piece);
    case 'claim': {
      const card = cardAt(k, context, pendingClaim(k, context, target.id).cardId);
      // Only the tree that was asked about is looked at, and the root is that tree's.
      const trees = treesOfClaim(card, { solution: root, effects: root, sums: root });
      return isPiece(trees, placeIn(place), piece);
    }
  }
}

interface ShardPlace {
  readonly commitment: ShardCommitment;
  readonly place: ChunkPlace;
}

function isShardPiece(
  k: AttributionCore,
  context: ReadContext,
  { commitment, place }: ShardPlace,
  piece: OpenedPiece,
): boolean {
  const tree = shardTree(place.tree);
  if (tree !== undefined)
    return isShardRun(commitment, { tree, run: runOfShard(commitment, tree, place.chunk) }, piece);
  const { byteLength, root, state } = documentAt(k, context, commitment, place);
  const shown = rootOfSection({ index: place.chunk, byteLength: Number(byteLength) }, piece);
  if (shown !== undefined && equalBytes(shown, root)) return piece.leaves.length === 0;
  // A shard may have a tombstone where the contribution is not accepted, and then no text stands behind it.
  const [leaf] = piece.leaves;
  return (
    state !== ContributionState.CONTRIBUTION_STATE_ACCEPTED &&
    isShardRun(commitment, { tree: 'documents', run: oneAt(place.document) }, piece) &&
    leaf !== undefined &&
    decodeDocumentLeaf(commitment, place.document, leaf).tombstone
  );
}
