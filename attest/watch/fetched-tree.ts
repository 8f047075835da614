/**
 * A committed tree whose leaves are put together from what is offered and from what the chain has shown.
 * Offers are believed as far as they lead to the root, or to a node on the path of a leaf that the chain has
 * checked. So of a tree with one wrong leaf among those offered, log2(n) demands find it: each tells which of
 * the subtrees beside its path are right; four at a time, spread over what is in doubt, in log8(n) steps.
 */
import { equalBytes } from '../../core/bytes.ts';
import { assert } from '../../core/errors.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { innerHash, leafHash } from '../../core/merkle.ts';
import { type CommittedTree, committedRoot } from '../../modules/attribution/proof/tree.ts';

type Leaf = Uint8Array | undefined;

/** Leaves that somebody offers, and the nodes over them as far as they can be told: level 0 are leaf hashes. */
interface Offer {
  readonly leaves: readonly Leaf[];
  readonly levels: readonly (readonly Leaf[])[];
}

/** Leaves that are in doubt, and how many of a subtree are named. */
interface Doubts {
  readonly doubts: number[];
  readonly most: number;
}

/** A node of a tree that is built from the leaves upwards, a lone last one promoted. */
interface NodeAt {
  readonly level: number;
  readonly index: number;
}

/** See the file comment. */
export class FetchedTree {
  readonly #tree: CommittedTree;
  readonly #offers: Offer[] = [];
  readonly #shown = new Map<number, Uint8Array>();
  readonly #nodes = new Map<string, Uint8Array>();

  constructor(tree: CommittedTree) {
    this.#tree = tree;
  }

  /** Takes leaves that may be the tree's, undefined where there is none. A list of another length is no offer. */
  offer(leaves: readonly Leaf[]): void {
    if (leaves.length !== this.#tree.leaves) return;
    const levels: (readonly Leaf[])[] = [leaves.map((leaf) => leaf && leafHash(leaf))];
    for (let below = levels[0] ?? []; below.length > 1; ) {
      const level: Leaf[] = [];
      for (let i = 0; i < below.length; i += 2) level.push(parentOf(below, i));
      levels.push(level);
      below = level;
    }
    this.#offers.push({ leaves, levels });
  }

  /** Takes a leaf that the chain has checked, with the hashes of its opening. */
  show(index: number, leaf: Uint8Array, hashes: readonly Uint8Array[]): void {
    this.#shown.set(index, leaf);
    let left = 0;
    for (let bits = index; bits > 0; bits >>>= 1) left += bits & 1;
    let right = left;
    let at = index;
    let hash = leafHash(leaf);
    let size = this.#tree.leaves;
    this.#nodes.set(keyOf({ level: 0, index }), hash);
    for (let level = 0; size > 1; level++) {
      const isRight = at % 2 === 1;
      if (isRight || at < size - 1) {
        const sibling = isRight ? hashes[--left] : hashes[right++];
        if (sibling === undefined) return;
        this.#nodes.set(keyOf({ level, index: isRight ? at - 1 : at + 1 }), sibling);
        hash = isRight ? innerHash(sibling, hash) : innerHash(hash, sibling);
      }
      at >>>= 1;
      size = Math.ceil(size / 2);
      this.#nodes.set(keyOf({ level: level + 1, index: at }), hash);
    }
  }

  /** All leaves when they are known to be the committed ones; else those to ask for first, at most so many. */
  settle(most: number): { readonly leaves: readonly Uint8Array[] } | { readonly doubts: readonly number[] } {
    const whole = this.#offers.find((offer) => this.#isCommitted(offer));
    const leaves: Leaf[] = [...(whole?.leaves ?? [])];
    const doubts: number[] = [];
    if (whole === undefined) {
      leaves.length = this.#tree.leaves;
      let level = 0;
      for (let size = this.#tree.leaves; size > 1; size = Math.ceil(size / 2)) level++;
      this.#walk({ level, index: 0 }, leaves, { doubts, most });
    }
    if (doubts.length > 0) return { doubts: doubts.slice(0, most) };
    const found = leaves.filter((leaf) => leaf !== undefined);
    assert(found.length === this.#tree.leaves, 'a tree without doubts has leaves that are missing');
    return { leaves: found };
  }

  #isCommitted({ levels }: Offer): boolean {
    const root = levels.at(-1)?.[0];
    return root !== undefined && equalBytes(committedRoot({ ...this.#tree, root }), this.#tree.root);
  }

  /** Collects the leaves below a node, or what is doubted of them. */
  #walk(at: NodeAt, leaves: Leaf[], { doubts, most }: Doubts): void {
    const { level, index } = at;
    const first = index * 2 ** level;
    const end = Math.min(this.#tree.leaves, first + 2 ** level);
    const known = this.#nodes.get(keyOf(at));
    const right = this.#offers.find((offer) => isSame(offer.levels[level]?.[index], known));
    const shown = level === 0 ? this.#shown.get(index) : undefined;
    if (right !== undefined || shown !== undefined) {
      for (let i = first; i < end; i++) leaves[i] = shown ?? right?.leaves[i];
      return;
    }
    const children = [2 * index, 2 * index + 1]
      .filter((child) => child * 2 ** (level - 1) < this.#tree.leaves)
      .map((child): NodeAt => ({ level: level - 1, index: child }));
    if (level > 0 && children.some((child) => this.#nodes.has(keyOf(child)))) {
      for (const child of children) this.#walk(child, leaves, { doubts, most });
      return;
    }
    const missing: number[] = [];
    for (let i = first; i < end; i++)
      if (this.#offers.every((offer) => offer.leaves[i] === undefined)) missing.push(i);
    doubts.push(...(missing.length > 0 ? missing : spread(first, end, most)));
  }
}

/** So many places of a range, or all of it, evenly drawn. */
function spread(first: number, end: number, most: number): readonly number[] {
  const count = Math.min(most, end - first);
  return Array.from({ length: count }, (_, i) => first + Math.floor((i * (end - first)) / count));
}

function keyOf({ level, index }: NodeAt): string {
  return `${level} ${index}`;
}

function isSame(a: Leaf, b: Leaf): boolean {
  return a !== undefined && b !== undefined && equalBytes(a, b);
}

function parentOf(below: readonly Leaf[], left: number): Leaf {
  if (left + 1 === below.length) return below[left];
  const a = below[left];
  const b = below[left + 1];
  return a && b && innerHash(a, b);
}

/** The hashes of an opening one by one. */
export function splitHashes(joined: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: joined.length / HASH_BYTES }, (_, i) =>
    joined.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}
