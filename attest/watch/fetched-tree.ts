/**
 * A committed tree whose leaves are put together from what is offered and from what the chain has shown, runs
 * of leaves. Offers are believed as far as they lead to the root, or to a node on the path of a run that the
 * chain has checked. So of a tree of n runs with one wrong leaf among those offered, log2(n) demands find it:
 * each tells which of the subtrees beside its path are right; four at a time, spread over what is in doubt,
 * in log8(n) steps.
 */
import { equalBytes } from '../../core/bytes.ts';
import { assert, defined } from '../../core/errors.ts';
import type { KnownTree } from '../influence/published.ts';
import { innerHash, leafHash } from '../../core/merkle.ts';
import { type CommittedTree, committedRoot, type TreeNode } from '../../modules/attribution/proof/tree.ts';
import { nodesOfRun, type OpenedRun } from './opened-run.ts';
import type { PieceRange } from './ports.ts';

/** Leaves that a publisher is asked for at once. */
const PIECES = 256;

/** Times that one publisher may fail to answer for one tree. */
const FAILURES_MAX = 3;

type Leaf = Uint8Array | undefined;

/** Leaves that somebody offers, and the nodes over them as far as they can be told: level 0 are leaf hashes. */
interface Offer {
  readonly leaves: readonly Leaf[];
  readonly levels: readonly (readonly Leaf[])[];
}

/** Runs that are in doubt, by their first leaves, and how many of a subtree are named. */
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
  readonly #runLeaves: number;
  readonly #offers: Offer[] = [];
  readonly #shown = new Map<number, Uint8Array>();
  readonly #nodes = new Map<string, Uint8Array>();

  /** `runLeaves`: how many leaves are asked for together. */
  constructor(tree: CommittedTree, runLeaves: number) {
    this.#tree = tree;
    this.#runLeaves = runLeaves;
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

  /** Takes leaves that the chain has checked, with the hashes of their opening. */
  show(run: OpenedRun): void {
    for (const [i, leaf] of run.leaves.entries()) this.#shown.set(run.first + i, leaf);
    nodesOfRun(this.#tree.leaves, run, (level, index, hash) =>
      this.#nodes.set(keyOf({ level, index }), hash),
    );
  }

  /** The leaves, as far as they are known to be the committed ones. */
  known(): readonly Leaf[] {
    return this.#collect(1).leaves;
  }

  /** The tree as far as it is known. */
  tree(): KnownTree {
    const whole = this.#offers.find((offer) => this.#isCommitted(offer));
    const node: TreeNode = (level, index) =>
      defined(whole?.levels[level]?.[index] ?? this.#nodeAt({ level, index }), `node ${index} of ${level}`);
    return { leaves: this.known(), tree: { ...this.#tree, node } };
  }

  /** A node that the chain has shown, or that an offer has below one that it has. */
  #nodeAt(wanted: NodeAt): Leaf {
    for (let at = wanted; ; at = { level: at.level + 1, index: Math.floor(at.index / 2) }) {
      const known = this.#nodes.get(keyOf(at));
      if (known !== undefined) {
        const isPromoted =
          this.#firstOf(at) === this.#firstOf(wanted) && this.#endOf(at) === this.#endOf(wanted);
        if (isPromoted) return known;
        const right = this.#offers.find((offer) => isSame(offer.levels[at.level]?.[at.index], known));
        return right?.levels[wanted.level]?.[wanted.index];
      }
      if (2 ** at.level >= this.#tree.leaves) return undefined;
    }
  }

  #firstOf({ level, index }: NodeAt): number {
    return index * 2 ** level;
  }

  #endOf({ level, index }: NodeAt): number {
    return Math.min(this.#tree.leaves, (index + 1) * 2 ** level);
  }

  /**
   * All leaves when they are known to be the committed ones; else the runs to ask for first, by their first
   * leaves, at most so many.
   */
  settle(most: number): { readonly leaves: readonly Uint8Array[] } | { readonly doubts: readonly number[] } {
    const { leaves, doubts } = this.#collect(most);
    if (doubts.length > 0) return { doubts: doubts.slice(0, most) };
    const found = leaves.filter((leaf) => leaf !== undefined);
    assert(found.length === this.#tree.leaves, 'a tree without doubts has leaves that are missing');
    return { leaves: found };
  }

  #collect(most: number): { readonly leaves: readonly Leaf[]; readonly doubts: readonly number[] } {
    const whole = this.#offers.find((offer) => this.#isCommitted(offer));
    if (whole !== undefined) return { leaves: whole.leaves, doubts: [] };
    const leaves: Leaf[] = Array.from({ length: this.#tree.leaves }, () => undefined);
    const doubts: number[] = [];
    let level = 0;
    for (let size = this.#tree.leaves; size > 1; size = Math.ceil(size / 2)) level++;
    this.#walk({ level, index: 0 }, leaves, { doubts, most });
    return { leaves, doubts };
  }

  #isCommitted({ levels }: Offer): boolean {
    const root = levels.at(-1)?.[0];
    return root !== undefined && equalBytes(committedRoot({ ...this.#tree, root }), this.#tree.root);
  }

  /** Collects the leaves below a node, or what is doubted of them. */
  #walk(at: NodeAt, leaves: Leaf[], { doubts, most }: Doubts): void {
    const { level, index } = at;
    const first = this.#firstOf(at);
    const end = this.#endOf(at);
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
    const runs: number[] = [];
    for (let run = first - (first % this.#runLeaves); run < end; run += this.#runLeaves) runs.push(run);
    const missing = runs.filter((run) => this.#isMissing(Math.max(run, first), end));
    doubts.push(...(missing.length > 0 ? missing : spread(runs, most)));
  }

  /** True when nobody offers some leaf of a run, from here on. */
  #isMissing(from: number, end: number): boolean {
    const to = Math.min(end, from + this.#runLeaves);
    for (let i = from; i < to; i++)
      if (this.#offers.every((offer) => offer.leaves[i] === undefined)) return true;
    return false;
  }
}

/** So many of a list, or all of it, evenly drawn. */
export function spread<T>(list: readonly T[], most: number): readonly T[] {
  const count = Math.min(most, list.length);
  return list.filter(
    (_, i) => Math.floor((i * count) / list.length) > Math.floor(((i - 1) * count) / list.length),
  );
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

/** All leaves of a tree that a publisher serves: undefined where it serves none. */
export async function fetchAll(
  total: number,
  fetch: (range: PieceRange) => Promise<readonly Uint8Array[] | undefined>,
): Promise<readonly Leaf[]> {
  const leaves: Leaf[] = Array.from({ length: total }, () => undefined);
  let failures = 0;
  for (let from = 0; from < total && failures < FAILURES_MAX; ) {
    const count = Math.min(PIECES, total - from);
    const found = await fetch({ from, count });
    if (found === undefined || found.length === 0) {
      if (from === 0) break;
      failures++;
      from += count;
      continue;
    }
    for (const [i, leaf] of found.slice(0, count).entries()) leaves[from + i] = leaf;
    from += found.length;
  }
  return leaves;
}
