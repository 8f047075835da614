/**
 * Leaves behind the roots of a model card or of a claim of influence: from what a watcher can compute itself,
 * from publishers, and from what was demanded on the chain. Nothing is believed that does not lead to a root.
 */
import { offsetCount, type Shape } from '../../modules/attribution/proof/influence/bounds.ts';
import { coordinateTree } from '../../modules/attribution/proof/influence/committed.ts';
import { decodeNode, LEAF_COORDINATES } from '../../modules/attribution/proof/influence/leaves.ts';
import type { InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import type { CommittedTree } from '../../modules/attribution/proof/tree.ts';
import { equalBytes } from '../../core/bytes.ts';
import { type ServedSums, servedTree } from '../influence/published.ts';
import { FetchedTree } from './fetched-tree.ts';
import type { InfluenceDemand, InfluencePlace, InfluenceSource, Publisher } from './ports.ts';

/** Leaves that a publisher is asked for at once. */
const PIECES = 256;

/** Times that one publisher may fail to answer for one tree. */
const FAILURES_MAX = 3;

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
  const fetched = new FetchedTree(committed);
  if (own !== undefined) fetched.offer(own);
  const demands = sources.demands.filter(({ place }) => place.tree === tree && place.node === node);
  for (const { place, answer } of demands)
    if (answer !== undefined) fetched.show(place.leaf, answer.content, answer.hashes);
  let settled = fetched.settle(OPEN_DEMANDS_MAX);
  for (const publisher of sources.publishers) {
    if ('leaves' in settled) break;
    fetched.offer(await fetchLeaves(publisher, committed.leaves, { wanted, sources }));
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

async function fetchLeaves(
  publisher: Publisher,
  total: number,
  { wanted, sources }: { readonly wanted: WantedLeaves; readonly sources: LeafSources },
): Promise<readonly (Uint8Array | undefined)[]> {
  const { tree, node } = wanted;
  const { of, key, shape } = sources;
  const leafBytesMax = leafBytes(shape, tree) + LEAF_EXCESS_MAX;
  const leaves: (Uint8Array | undefined)[] = Array.from({ length: total }, () => undefined);
  let failures = 0;
  for (let from = 0; from < total && failures < FAILURES_MAX; ) {
    const count = Math.min(PIECES, total - from);
    const found = await publisher.influenceLeaves({ of, key, tree, node, leafBytesMax }, { from, count });
    if (found === undefined || found.length === 0) {
      if (from === 0) break;
      failures++;
      from += count;
      continue;
    }
    for (const [i, leaf] of found.entries()) leaves[from + i] = leaf;
    from += found.length;
  }
  return leaves;
}

/** Bytes of a right leaf: modules/attribution/proof/influence/leaves.ts. */
export function leafBytes(shape: Shape, tree: InfluenceTree): number {
  const { features, classes } = shape;
  switch (tree) {
    case 'weights':
    case 'solution':
      return 1 + 4 * features;
    case 'examples':
      return 11 + features + 4 * offsetCount(shape);
    case 'residuals':
      return 1 + 10 * classes;
    case 'effects':
      return 17 + 16 * classes;
    case 'sums':
      return 33;
    case 'groups':
      return 17;
    case 'coordinates':
      return 1 + 8 * LEAF_COORDINATES;
  }
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
