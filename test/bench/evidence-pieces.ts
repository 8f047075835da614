/** Answers to requests on the chain: a run of leaves of each tree, and a section of a content. */
import { openPiece } from '../../attest/influence/open-piece.ts';
import type { ServedPair } from '../../attest/influence/open-fraud.ts';
import type { ServedPiece } from '../../attest/serve/answer-ports.ts';
import { pieceAt } from '../../attest/serve/shard-pieces.ts';
import type { ShardReader } from '../../attest/shard.ts';
import { assert } from '../../core/errors.ts';
import {
  isPiece,
  type PieceTrees,
  treesOfCard,
  treesOfClaim,
  workOfPiece,
} from '../../modules/attribution/proof/influence/pieces.ts';
import { INFLUENCE_TREES, type InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import { SHARD_TREES, type ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { runOfShard } from '../../modules/attribution/proof/shard/commitment.ts';
import { isShardRun } from '../../modules/attribution/proof/shard/runs.ts';
import { rootOfSection } from '../../modules/attribution/verify.ts';
import type { EvidenceCase } from './evidence-cases.ts';

const TREES_OF_CARD = ['weights', 'examples', 'residuals', 'sums', 'coordinates', 'groups'] as const;
const TREES_OF_CLAIM = ['solution', 'effects', 'sums', 'coordinates'] as const;

function pieceCase(name: string, served: ServedPiece, isRight: () => boolean): EvidenceCase {
  assert(isRight(), `${name} is not answered rightly`);
  const { hashes, bytes } = workOfPiece({ node: new Uint8Array(0), nodeHashes: [], ...served });
  return { name, bytes, work: { hashes, bytes: 0 }, check: isRight };
}

/** A whole run of each tree of a shard, and the first section of its first document. */
export function shardPieces(shard: ShardReader): readonly EvidenceCase[] {
  const { commitment } = shard;
  const runs = (Object.keys(SHARD_TREES) as ShardTree[]).map((tree) => {
    const piece = pieceAt(shard, { tree: SHARD_TREES[tree], document: 0, chunk: 0 });
    const run = runOfShard(commitment, tree, 0);
    return pieceCase(`run of ${tree}`, piece, () => isShardRun(commitment, { tree, run }, piece));
  });
  const section = pieceAt(shard, { tree: 0, document: 0, chunk: 0 });
  const { byteLength } = shard.document(0);
  const check = (): boolean => rootOfSection({ index: 0, byteLength }, section) !== undefined;
  return [...runs, pieceCase('section', section, check)];
}

/** A run of each tree of a card and of a claim. */
export function influencePieces({ card, claim }: ServedPair): readonly EvidenceCase[] {
  const cases = (
    of: string,
    names: readonly InfluenceTree[],
    trees: PieceTrees,
    served: Parameters<typeof openPiece>[0],
  ): readonly EvidenceCase[] =>
    names.map((tree) => {
      const piece = openPiece(served, { tree: INFLUENCE_TREES[tree], document: 0, chunk: 0 });
      const check = (): boolean => isPiece(trees, { tree, node: 0, leaf: 0 }, piece);
      return pieceCase(`run of ${tree} of a ${of}`, piece, check);
    });
  return [
    ...cases('card', TREES_OF_CARD, treesOfCard(card.card), card),
    ...cases('claim', TREES_OF_CLAIM, treesOfClaim(card.card, claim.claim.roots), claim),
  ];
}
