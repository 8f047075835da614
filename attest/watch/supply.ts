/** Where pieces of a published shard come from: its publisher, and answers to requests on the chain. */
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import { nodesOfRun } from './opened-run.ts';
import type { PartialShard, PiecePlace, PieceSupply } from './partial-shard.ts';
import type { Demand, Publisher } from './ports.ts';
import { canBeShown } from './shown-leaves.ts';

/** Pieces of the first fetch of a level; after that, as many as are known already. */
const FIRST_PIECES = 16;

/** Most pieces that a publisher is asked for at once. */
const PIECES_MAX = 1024;

/** Takes what is missing from publishers, in the order of the list. */
export function publisherSupply(
  shard: PartialShard,
  key: string,
  publishers: readonly Publisher[],
): PieceSupply {
  return async (place) => {
    const { known, total } = shard.progress(place);
    const count = Math.min(Math.max(FIRST_PIECES, known), PIECES_MAX);
    const from = Math.min(place.index, Math.max(0, total - count));
    for (const publisher of publishers)
      if (await take(shard, key, { publisher, place, from, count })) return true;
    return false;
  };
}

interface Take {
  readonly publisher: Publisher;
  readonly place: PiecePlace;
  readonly from: number;
  readonly count: number;
}

async function take(
  shard: PartialShard,
  key: string,
  { publisher, place, from, count }: Take,
): Promise<boolean> {
  const { tree, level, index } = place;
  const pieces =
    level === undefined
      ? await publisher.leaves(key, tree, { from, count })
      : await publisher.nodes(key, tree, { from, count, level });
  if (pieces === undefined) return false;
  let isHere = false;
  for (const [i, piece] of pieces.entries()) {
    if (level !== undefined) shard.putNode(tree, level, from + i, piece);
    else if (canBeShown('shards', piece)) shard.putLeaf(tree, from + i, piece);
    else continue;
    isHere ||= from + i === index;
  }
  return isHere;
}

/** Takes nothing from anybody: what is known has to do. */
export const noSupply: PieceSupply = async () => false;

/** Kinds of trees in places of requests. */
export const TREES_BY_KIND: ReadonlyMap<number, ShardTree> = new Map([
  [1, 'text'],
  [2, 'suffix'],
  [3, 'inverse'],
  [4, 'documents'],
]);

/** Puts answered leaves into a shard, with all nodes that their paths show. Returns how many runs there were. */
export function absorbDemands(shard: PartialShard, demands: readonly Demand[]): number {
  let absorbed = 0;
  for (const { place, answer } of demands) {
    const tree = TREES_BY_KIND.get(place.tree);
    if (tree === undefined || answer === undefined) continue;
    const { leaves, hashes } = answer;
    for (const [i, leaf] of leaves.entries()) shard.putLeaf(tree, place.chunk + i, leaf);
    const total = leafCount(shard.commitment, tree);
    nodesOfRun(total, { first: place.chunk, leaves, hashes }, (level, index, hash) =>
      shard.putNode(tree, level, index, hash),
    );
    absorbed++;
  }
  return absorbed;
}
