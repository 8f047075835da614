/**
 * The leaves behind a claim in one buffer: it goes from thread to thread without being copied, and a hundred
 * thousand leaves in it take no objects of their own.
 */
import { INFLUENCE_TREES, type InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import type { OpenedPiece } from '../../modules/attribution/proof/influence/pieces.ts';
import type { ChunkPlace } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { openPiece } from '../influence/open-piece.ts';
import { type ServedClaim, servedTree } from '../influence/published.ts';

/** A tree of a claim. */
export type ClaimTree = Extract<InfluenceTree, 'solution' | 'effects' | 'sums'>;

/** All of them. */
export const CLAIM_TREES: readonly ClaimTree[] = ['solution', 'effects', 'sums'];

/** A claim's leaves: those of its trees in the order of `CLAIM_TREES`, then the coordinates node by node. */
export interface PackedClaim {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each leaf ends. */
  readonly ends: Float64Array<ArrayBuffer>;
  /** Leaves of each tree; the sums have one for each node. */
  readonly counts: Readonly<Record<ClaimTree, number>>;
  /** Leaves of the coordinates of a node. */
  readonly coordinates: number;
}

/** Copies the leaves of a claim. */
export function packClaim(served: ServedClaim): PackedClaim {
  const { solution, effects, sums } = served;
  const leaves = [solution, effects, sums].flatMap((tree) => tree.leaves).concat(...sums.coordinates);
  const bytes = new Uint8Array(leaves.reduce((sum, { length }) => sum + length, 0));
  const ends = new Float64Array(leaves.length);
  let at = 0;
  for (const [i, leaf] of leaves.entries()) {
    bytes.set(leaf, at);
    at += leaf.length;
    ends[i] = at;
  }
  const counts = {
    solution: solution.leaves.length,
    effects: effects.leaves.length,
    sums: sums.leaves.length,
  };
  return { bytes, ends, counts, coordinates: sums.coordinates[0]?.length ?? 0 };
}

/** Bytes of memory that it takes. */
export function packedBytes({ bytes, ends }: PackedClaim): number {
  return bytes.byteLength + ends.byteLength;
}

/** Leaves of a tree at these places, all inside of it: not copies. */
export function packedLeaves(
  claim: PackedClaim,
  tree: ClaimTree,
  places: readonly number[],
): readonly Uint8Array[] {
  const first = firstOf(claim, tree);
  return places.map((place) => leafAt(claim, first + place));
}

/** The same of the coordinates of a node of the sums. */
export function packedCoordinates(
  claim: PackedClaim,
  node: number,
  places: readonly number[],
): readonly Uint8Array[] {
  const { solution, effects, sums } = claim.counts;
  const first = solution + effects + sums + node * claim.coordinates;
  return places.map((place) => leafAt(claim, first + place));
}

/**
 * Opens the piece at a place. Hashes the leaves of the trees for it: 10,000 hashes with 5,000 examples.
 * @throws RangeError for a place that a claim does not have
 */
export function openPacked(claim: PackedClaim, place: ChunkPlace): OpenedPiece {
  const tree = (name: ClaimTree): ReturnType<typeof servedTree> =>
    servedTree(name, packedLeaves(claim, name, upTo(claim.counts[name])));
  const asked = place.tree === INFLUENCE_TREES.coordinates ? place.document : undefined;
  const coordinates = upTo(claim.counts.sums).map((node) =>
    node === asked ? packedCoordinates(claim, node, upTo(claim.coordinates)) : [],
  );
  const trees = { solution: tree('solution'), effects: tree('effects') };
  return openPiece({ ...trees, sums: { ...tree('sums'), coordinates } }, place);
}

function firstOf({ counts: { solution, effects } }: PackedClaim, tree: ClaimTree): number {
  switch (tree) {
    case 'solution':
      return 0;
    case 'effects':
      return solution;
    case 'sums':
      return solution + effects;
  }
}

function leafAt({ bytes, ends }: PackedClaim, index: number): Uint8Array {
  return bytes.subarray(ends[index - 1] ?? 0, ends[index]);
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}
