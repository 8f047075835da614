/**
 * A published shard of which only some leaves and nodes are known. What is not known yet is thrown, fetched,
 * and the work begun again: the finder of frauds (`attest/prove/convict.ts`) reads as if all were at hand, and
 * of a large shard with one wrong entry a few hundred hashes are fetched.
 */
import { leafHash } from '../../core/merkle.ts';
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { ProvableShard } from '../prove/prove.ts';

/** A leaf, or a node at a level, that has to be fetched. */
export interface PiecePlace {
  readonly tree: ShardTree;
  /** Undefined: the leaf itself. */
  readonly level: number | undefined;
  readonly index: number;
}

/** Thrown by a partial shard. */
class MissingPiece extends Error {
  readonly place: PiecePlace;

  constructor(place: PiecePlace) {
    super(`a piece of the ${place.tree} tree has to be fetched`);
    this.name = 'MissingPiece';
    this.place = place;
  }
}

/** What is known of a shard. */
export class PartialShard implements ProvableShard {
  readonly commitment: ShardCommitment;
  readonly #leaves = new Map<string, Uint8Array>();
  readonly #nodes = new Map<string, Uint8Array>();
  readonly #counts = new Map<string, number>();

  constructor(commitment: ShardCommitment) {
    this.commitment = commitment;
  }

  leaf(tree: ShardTree, index: number): Uint8Array {
    const known = this.#leaves.get(`${tree} ${index}`);
    if (known === undefined) throw new MissingPiece({ tree, level: undefined, index });
    return known;
  }

  node(tree: ShardTree, level: number, index: number): Uint8Array {
    const known = this.#nodes.get(`${tree} ${level} ${index}`);
    if (known === undefined) throw new MissingPiece({ tree, level, index });
    return known;
  }

  putLeaf(tree: ShardTree, index: number, leaf: Uint8Array): void {
    this.#leaves.set(`${tree} ${index}`, leaf);
    this.putNode(tree, 0, index, leafHash(leaf));
    this.#count(tree, undefined);
  }

  putNode(tree: ShardTree, level: number, index: number, hash: Uint8Array): void {
    this.#nodes.set(`${tree} ${level} ${index}`, hash);
    this.#count(tree, level);
  }

  /** How many pieces the level of a place has, and how many of them are known. */
  progress({ tree, level }: PiecePlace): { readonly known: number; readonly total: number } {
    const total = Math.ceil(leafCount(this.commitment, tree) / 2 ** (level ?? 0));
    return { known: this.#counts.get(`${tree} ${level}`) ?? 0, total };
  }

  #count(tree: ShardTree, level: number | undefined): void {
    const key = `${tree} ${level}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }
}

/** Fetches a piece and puts it into the shard; false when it cannot be had. */
export type PieceSupply = (place: PiecePlace) => Promise<boolean>;

/** Pieces that one search for a fraud may fetch, one after another. */
const FETCHES_MAX = 4096;

/** What came of work on a partial shard. */
export type Attempt<T> =
  | { readonly done: true; readonly value: T }
  | { readonly done: false; readonly missing: PiecePlace };

/** Does the work as often as it takes, each time with one more piece. It must have no effects. */
export async function withPieces<T>(work: () => T, supply: PieceSupply): Promise<Attempt<T>> {
  let last: PiecePlace | undefined;
  for (let fetched = 0; ; fetched++) {
    try {
      return { done: true, value: work() };
    } catch (error) {
      if (!(error instanceof MissingPiece)) throw error;
      const { place } = error;
      const again = last !== undefined && isSame(last, place);
      last = place;
      if (again || fetched >= FETCHES_MAX || !(await supply(place))) return { done: false, missing: place };
    }
  }
}

function isSame(a: PiecePlace, b: PiecePlace): boolean {
  return a.tree === b.tree && a.level === b.level && a.index === b.index;
}
