/**
 * Leaves behind the roots of a model card or of a claim of influence: from what a watcher can compute itself,
 * from publishers, and from what was demanded on the chain. Nothing is believed that does not lead to a root.
 */
import type { Shape } from '../../modules/attribution/proof/influence/bounds.ts';
import { coordinateTree } from '../../modules/attribution/proof/influence/committed.ts';
import { decodeNode, leafBytes } from '../../modules/attribution/proof/influence/leaves.ts';
import { runLeavesIn } from '../../modules/attribution/proof/influence/pieces.ts';
import type { InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import type { CommittedTree } from '../../modules/attribution/proof/tree.ts';
import { equalBytes } from '../../core/bytes.ts';
import { type ServedSums, servedTree } from '../influence/published.ts';
import { fetchAll, FetchedTree } from './fetched-tree.ts';
import type { InfluenceDemand, InfluencePlace, InfluenceSource, Publisher } from './ports.ts';
import { canBeShown } from './shown-leaves.ts';

/** Demands about one card or claim that are open at a time. */
const OPEN_DEMANDS_MAX = 4;

/** A leaf that is longer than a right one by no more than this is taken: it convicts. */
const LEAF_EXCESS_MAX = 256;

/** Thrown when a tree cannot be put together: what is to be demanded on the chain. */
export class MissingLeaves extends Error {
  readonly demands: readonly InfluencePlace[];

  constructor(tree: InfluenceTree, demands: readonly InfluencePlace[]) {
    super(`leaves of its ${tree} are not served, or are not those that it commits to`);
    this.name = 'MissingLeaves';
    this.demands = demands;
  }
}

/** Where leaves of one card or claim come from. */
export interface LeafSources {
  readonly of: InfluenceSource['of'];
  /** Its id in hexadecimal. */
  readonly key: string;
  readonly shape: Shape;
  readonly publishers: readonly Publisher[];
  /** What was demanded on the chain of it. */
  readonly demands: readonly InfluenceDemand[];
}

/** Which leaves. */
export interface WantedLeaves {
  readonly tree: InfluenceTree;
  /** Of coordinates: whose. */
  readonly node?: number;
  /** What they probably are. */
  readonly own?: readonly Uint8Array[] | undefined;
}

/** All leaves of a tree. @throws MissingLeaves */
export async function leavesBehind(
  committed: CommittedTree,
  wanted: WantedLeaves,
  sources: LeafSources,
): Promise<readonly Uint8Array[]> {
  const { tree, node, own } = wanted;
  const fetched = new FetchedTree(committed, runLeavesIn(sources.shape, tree));
  if (own !== undefined) fetched.offer(own);
  const demands = sources.demands.filter(({ place }) => place.tree === tree && place.node === node);
  for (const { place, answer } of demands)
    if (answer !== undefined) fetched.show({ first: place.leaf, ...answer });
  let settled = fetched.settle(OPEN_DEMANDS_MAX);
  for (const publisher of sources.publishers) {
    if ('leaves' in settled) break;
    const { of, key, shape } = sources;
    const source = { of, key, tree, node, leafBytesMax: leafBytes(shape, tree) + LEAF_EXCESS_MAX };
    const served = await fetchAll(committed.leaves, (range) => publisher.influenceLeaves(source, range));
    fetched.offer(served.map((leaf) => (leaf !== undefined && canBeShown(of, leaf) ? leaf : undefined)));
    settled = fetched.settle(OPEN_DEMANDS_MAX);
  }
  if ('leaves' in settled) return settled.leaves;
  const places = settled.doubts.map((leaf): InfluencePlace => ({ tree, node, leaf }));
  throw new MissingLeaves(tree, furtherDemands(sources, places));
}

/** Those of these places that nobody has demanded yet, as many as this watcher may have open. */
function furtherDemands(
  { demands }: LeafSources,
  places: readonly InfluencePlace[],
): readonly InfluencePlace[] {
  const open = demands.filter(({ answer, own }) => own && answer === undefined).length;
  const isDemanded = ({ tree, node, leaf }: InfluencePlace): boolean =>
    demands.some(({ place }) => place.tree === tree && place.node === node && place.leaf === leaf);
  return places.filter((place) => !isDemanded(place)).slice(0, Math.max(0, OPEN_DEMANDS_MAX - open));
}

/**
 * The tree of sums behind a root. Nodes that are the expected ones need not be had; of the first that is not,
 * the coordinates are; what lies behind it is of no use to anybody.
 * @throws MissingLeaves
 */
export async function sumsBehind(
  committed: CommittedTree,
  expected: ServedSums,
  sources: LeafSources,
): Promise<ServedSums> {
  const leaves = await leavesBehind(committed, { tree: 'sums', own: expected.leaves }, sources);
  const node = leaves.findIndex((leaf, i) => !equalBytes(leaf, expected.leaves[i] ?? leaf.subarray(1)));
  if (node < 0) return expected;
  const coordinates = [...expected.coordinates];
  const root = decodeNode(leaves[node] ?? new Uint8Array(0));
  if (root !== undefined) {
    const wanted: WantedLeaves = { tree: 'coordinates', node, own: coordinates[node] };
    coordinates[node] = await leavesBehind(coordinateTree(sources.shape, root), wanted, sources);
  }
  return { ...servedTree('sums', leaves), coordinates };
}
