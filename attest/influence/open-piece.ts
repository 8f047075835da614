/** Pieces of a served card or claim, as requests on the chain ask for them. */
import { HASH_BYTES } from '../../core/hash.ts';
import type { OpenedPiece } from '../../modules/attribution/proof/influence/pieces.ts';
import { INFLUENCE_TREES, type InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import type { ChunkPlace } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { openCoordinates, openLeaves, type ServedSums, type ServedTree } from './published.ts';

/** What of a card or a claim is served: both fit. */
export type ServedTrees = Readonly<
  Partial<Record<Exclude<InfluenceTree, 'sums' | 'coordinates'>, ServedTree>>
> & { readonly sums: ServedSums };

const TREES = ['weights', 'examples', 'residuals', 'groups', 'solution', 'effects'] as const;

/** The piece at a place. @throws RangeError for a place that is not served */
export function openPiece(served: ServedTrees, { tree: kind, document, chunk }: ChunkPlace): OpenedPiece {
  if (kind === INFLUENCE_TREES.coordinates) {
    const node = pieceOf(openLeaves(served.sums, [document]));
    return {
      ...pieceOf(openCoordinates(served.sums, document, chunk)),
      node: node.content,
      nodeHashes: node.hashes,
    };
  }
  const name = TREES.find((each) => INFLUENCE_TREES[each] === kind);
  const tree = kind === INFLUENCE_TREES.sums ? served.sums : name === undefined ? undefined : served[name];
  if (tree === undefined) throw new RangeError(`tree ${kind} is not served`);
  return pieceOf(openLeaves(tree, [chunk]));
}

function pieceOf({ leaves, hashes }: ReturnType<typeof openLeaves>): OpenedPiece {
  const [content = new Uint8Array(0)] = leaves;
  const split = Array.from({ length: hashes.length / HASH_BYTES }, (_, i) =>
    hashes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
  return { content, hashes: split, node: new Uint8Array(0), nodeHashes: [] };
}
