/** Pieces of a served card or claim, as requests on the chain ask for them. */
import { defined } from '../../core/errors.ts';
import type { OpenedPiece } from '../../modules/attribution/proof/influence/pieces.ts';
import { INFLUENCE_TREES, type InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import { leavesOfRun, runAt, runLeaves } from '../../core/leaf-run.ts';
import { splitHashes } from '../../modules/attribution/proof/tree.ts';
import type { ChunkPlace } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { openLeaves, servedTree, type ServedSums, type ServedTree } from './published.ts';

/** What of a card or a claim is served: both fit. */
export type ServedTrees = Readonly<
  Partial<Record<Exclude<InfluenceTree, 'sums' | 'coordinates'>, ServedTree>>
> & { readonly sums: ServedSums };

const TREES = ['weights', 'examples', 'residuals', 'groups', 'solution', 'effects'] as const;

/** The run at a place. @throws RangeError for a place that is not served */
export function openPiece(served: ServedTrees, { tree: kind, document, chunk }: ChunkPlace): OpenedPiece {
  if (kind === INFLUENCE_TREES.coordinates) {
    const coordinates = defined(served.sums.coordinates[document], `node ${document}`);
    const { leaves, hashes } = openLeaves(served.sums, [document]);
    return {
      ...openRun(servedTree('coordinates', coordinates), chunk),
      node: defined(leaves[0], `node ${document}`),
      nodeHashes: splitHashes(hashes),
    };
  }
  const name = TREES.find((each) => INFLUENCE_TREES[each] === kind);
  const tree = kind === INFLUENCE_TREES.sums ? served.sums : name === undefined ? undefined : served[name];
  if (tree === undefined) throw new RangeError(`tree ${kind} is not served`);
  return openRun(tree, chunk);
}

/** All leaves of a tree of influence are as long as its first, but for the last one of coordinates. */
function openRun(tree: ServedTree, leaf: number): OpenedPiece {
  const size = runLeaves(defined(tree.leaves[0], 'a tree has leaves').length);
  if (leaf >= tree.leaves.length) throw new RangeError(`there is no leaf ${leaf}`);
  const run = runAt(leaf, { size, leaves: tree.leaves.length });
  const { leaves, hashes } = openLeaves(tree, leavesOfRun(run));
  return {
    content: new Uint8Array(0),
    leaves,
    hashes: splitHashes(hashes),
    node: new Uint8Array(0),
    nodeHashes: [],
  };
}
