/**
 * Leaves behind the roots of a model card or of a claim of influence: from what a watcher can compute itself,
 * from publishers, and from what was demanded on the chain. Nothing is believed that does not lead to a root.
 */
import type { Shape } from '../../modules/attribution/proof/influence/bounds.ts';
import { coordinateTree } from '../../modules/attribution/proof/influence/committed.ts';
import {
  decodeCoordinates,
  decodeNode,
  leafBytes,
  LEAF_COORDINATES,
} from '../../modules/attribution/proof/influence/leaves.ts';
import { coordinatesOfLeaf, sumChildren } from '../../modules/attribution/proof/influence/sum-tree.ts';
import { runLeavesIn } from '../../modules/attribution/proof/influence/pieces.ts';
import type { InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import type { CommittedTree } from '../../modules/attribution/proof/tree.ts';
import { equalBytes } from '../../core/bytes.ts';
import { AssertionError, defined } from '../../core/errors.ts';
import type { SumPlace } from '../influence/convict-sum.ts';
import type { KnownSums, KnownTree, ServedSums } from '../influence/published.ts';
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
  /** The tree follows from others that are known, and is not what follows: somebody lies. */
  readonly decisive: boolean;

  constructor(tree: InfluenceTree, demands: readonly InfluencePlace[], decisive: boolean) {
    super(`leaves of its ${tree} are not served, or are not those that it commits to`);
    this.name = 'MissingLeaves';
    this.demands = demands;
    this.decisive = decisive;
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

/** A tree as far as it can be put together. */
export interface TreeBehind {
  readonly name: InfluenceTree;
  readonly known: KnownTree;
  /** All of them, if all are known. */
  readonly leaves: readonly Uint8Array[] | undefined;
  /** Runs that are to be asked for first where that is not so. */
  readonly doubts: readonly InfluencePlace[];
}

/** What is known of a tree. */
export async function treeBehind(
  committed: CommittedTree,
  wanted: WantedLeaves,
  sources: LeafSources,
): Promise<TreeBehind> {
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
  const known = fetched.tree();
  if ('leaves' in settled) return { name: tree, known, leaves: settled.leaves, doubts: [] };
  const doubts = settled.doubts.map((leaf): InfluencePlace => ({ tree, node, leaf }));
  return { name: tree, known, leaves: undefined, doubts };
}

/** All leaves of a tree that follows from others which are known. @throws MissingLeaves */
export function requireAll(
  { name, leaves, doubts }: TreeBehind,
  sources: LeafSources,
): readonly Uint8Array[] {
  if (leaves === undefined) throw new MissingLeaves(name, furtherDemands(sources, doubts), true);
  return leaves;
}

/**
 * What to ask for when trees are missing that the others follow from: a first run of each tree, which may
 * convict already, then the rest of what is missing.
 * @throws MissingLeaves always
 */
export function askForFirst(
  missing: readonly TreeBehind[],
  following: readonly TreeBehind[],
  sources: LeafSources,
): never {
  const [named] = missing;
  const leaf = Math.max(0, ...missing.map(({ known }) => known.leaves.findIndex((one) => one !== undefined)));
  const firsts = [...missing, ...following]
    .filter(({ known }) => known.leaves.every((one) => one === undefined))
    .map(({ name, known }): InfluencePlace => {
      const at = Math.min(leaf, known.leaves.length - 1);
      return { tree: name, node: undefined, leaf: at - (at % runLeavesIn(sources.shape, name)) };
    });
  const rest = missing.flatMap(({ doubts }) => doubts);
  throw new MissingLeaves(named?.name ?? 'weights', furtherDemands(sources, [...firsts, ...rest]), false);
}

/** Those of these places that nobody has demanded yet, each once, as many as this watcher may have open. */
function furtherDemands(
  { demands }: LeafSources,
  places: readonly InfluencePlace[],
): readonly InfluencePlace[] {
  const open = demands.filter(({ answer, own }) => own && answer === undefined).length;
  const fresh: InfluencePlace[] = [];
  for (const place of places)
    if (![...fresh, ...demands.map((demand) => demand.place)].some((other) => isSamePlace(other, place)))
      fresh.push(place);
  return fresh.slice(0, Math.max(0, OPEN_DEMANDS_MAX - open));
}

function isSamePlace(a: InfluencePlace, b: InfluencePlace): boolean {
  return a.tree === b.tree && a.node === b.node && a.leaf === b.leaf;
}

/** A place where the tree of sums is wrong, and as much of the tree as shows it. */
export interface WrongSum extends SumPlace {
  readonly sums: KnownSums;
}

/**
 * Where the tree of sums behind a root, which is not that of the expected ones, is wrong: a node that is not
 * the expected one, though those below it are, and a coordinate of it. The first one that is known does.
 * @throws MissingLeaves
 */
export async function wrongSum(
  committed: CommittedTree,
  expected: ServedSums,
  sources: LeafSources,
): Promise<WrongSum> {
  const { shape } = sources;
  const nodes = await treeBehind(committed, { tree: 'sums', own: expected.leaves }, sources);
  const isRight = (node: number): boolean => isSameLeaf(nodes.known.leaves[node], expected.leaves[node]);
  const index = nodes.known.leaves.findIndex(
    (leaf, node) => leaf !== undefined && !isRight(node) && nodesBelow(shape, node).every(isRight),
  );
  const leaf = nodes.known.leaves[index];
  if (leaf === undefined) return requireWrong(nodes, sources);
  const { coordinates } = expected;
  const sums = { ...nodes.known, coordinates };
  const root = decodeNode(leaf);
  if (root === undefined) return { rule: 'malformed-node', index, coordinate: 0, sums };
  const own = defined(coordinates[index], `node ${index}`);
  const wanted: WantedLeaves = { tree: 'coordinates', node: index, own };
  const values = await treeBehind(coordinateTree(shape, root), wanted, sources);
  const at = values.known.leaves.findIndex((value, i) => value !== undefined && !isSameLeaf(value, own[i]));
  const stated = values.known.leaves[at];
  if (stated === undefined) return requireWrong(values, sources);
  const shown = { ...sums, wrong: { node: index, coordinates: values.known } };
  const count = coordinatesOfLeaf(shape, at);
  const read = decodeCoordinates(stated, count);
  if (read === undefined) return { rule: 'malformed-coordinates', index, coordinate: at, sums: shown };
  const right = decodeCoordinates(defined(own[at], `leaf ${at}`), count) ?? [];
  const differing = Array.from(read).findIndex((value, i) => value !== right[i]);
  return { rule: 'sum', index, coordinate: at * LEAF_COORDINATES + differing, sums: shown };
}

/** @throws MissingLeaves, or an assertion where all are the right ones and yet the root is not */
function requireWrong(tree: TreeBehind, sources: LeafSources): never {
  requireAll(tree, sources);
  throw new AssertionError(`leaves of ${tree.name} that are not the expected ones are right`);
}

function nodesBelow({ examples }: Shape, node: number): readonly number[] {
  const children = sumChildren(examples, node);
  if (children?.of !== 'nodes') return [];
  return Array.from({ length: children.end - children.first }, (_, i) => children.first + i);
}

function isSameLeaf(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && equalBytes(a, b);
}
