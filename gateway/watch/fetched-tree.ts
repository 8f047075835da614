/**
 * A tree of an epoch as far as it is known: runs of leaves, each shown to lead to the root with right
 * sums. It takes nothing on trust, so what it has can be opened in a fraud; and a tree of which all
 * runs are here is right as a tree.
 *
 * What a gateway says of the number of leaves costs nothing: only runs that were shown are kept.
 */
import { assert, DecodeError } from '../../core/errors.ts';
import { concatBytes } from '../../core/bytes.ts';
import type { Run } from '../../core/leaf-run.ts';
import type { SumTreeKind } from '../../modules/settlement/proof/kinds.ts';
import { leavesOfRuns, runOf, verifyRun } from '../../modules/settlement/proof/piece.ts';
import {
  addSums,
  nodeBytes,
  readSumNode,
  splitPoint,
  sumNodeHash,
} from '../../modules/settlement/proof/sum-tree.ts';
import type { EpochOpening, SumNode, SumTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { buildSumTree } from '../epochs/sum-tree.ts';
import { levelOver, NotServedError, type PublishedTree } from '../epochs/published.ts';

/** A node by its level and its first leaf. */
function nodeKey(level: number, index: number): number {
  return level * 2 ** 33 + index;
}

/** See the file comment. */
export class FetchedTree implements PublishedTree {
  readonly of: SumTreeKind;
  readonly tree: SumTree;
  /** Leaves of each run that is known, one after another, by the first. */
  readonly #runs = new Map<number, Uint8Array>();
  /** Tops of known runs and all nodes on their ways. */
  readonly #nodes = new Map<number, SumNode>();
  /** Below the top of the run that was opened last. */
  #opened: { readonly first: number; readonly tree: PublishedTree } | undefined;

  constructor(of: SumTreeKind, tree: SumTree) {
    this.of = of;
    this.tree = tree;
  }

  /** Runs that are not known. */
  get missing(): number {
    return Math.ceil(this.tree.leaves / leavesOfRuns(this.of)) - this.#runs.size;
  }

  /** True when the leaf is known. */
  has(index: number): boolean {
    return index >= 0 && index < this.tree.leaves && this.#runs.has(this.runAt(index).first);
  }

  /** The run that a leaf lies in. */
  runAt(index: number): Run {
    return runOf(this.of, this.tree, index);
  }

  /** Known runs, in the order in which they came. */
  *runs(): Iterable<Run> {
    for (const first of this.#runs.keys()) yield this.runAt(first);
  }

  /** Takes neighbouring leaves that begin and end as runs do. False when they do not lead to the root. */
  put({ first, end }: Run, opening: EpochOpening): boolean {
    const { leaves: total } = this.tree;
    if (first >= end || end > total || this.runAt(first).first !== first) return false;
    if (end !== total && this.runAt(end).first !== end) return false;
    try {
      verifyRun(this.of, this.tree, { run: { first, end }, opening });
    } catch (error) {
      if (error instanceof DecodeError) return false;
      throw error;
    }
    this.#keep({ first, end }, opening);
    return true;
  }

  #keep({ first, end }: Run, { leaves, siblings }: EpochOpening): void {
    const width = nodeBytes(this.of);
    const size = leavesOfRuns(this.of);
    let at = 0;
    const noted = (from: number, to: number, node: SumNode): SumNode => {
      const level = levelOver(to - from);
      this.#nodes.set(nodeKey(level, Math.floor(from / 2 ** level)), node);
      return node;
    };
    const walk = (from: number, to: number): SumNode => {
      if (to <= first || from >= end) {
        at += width;
        return noted(from, to, readSumNode(this.of, siblings, at - width));
      }
      if (to - from <= size) {
        this.#runs.set(from, concatBytes(...leaves.slice(from - first, to - first)));
        return noted(from, to, this.#below(from).node(levelOver(to - from), 0));
      }
      const middle = from + splitPoint(to - from);
      const left = walk(from, middle);
      const right = walk(middle, to);
      const sums = addSums(left.sums, right.sums);
      assert(sums !== undefined, 'what was verified adds up');
      return noted(from, to, { hash: sumNodeHash(this.of, left, right), sums });
    };
    walk(0, this.tree.leaves);
  }

  /** @throws NotServedError when it is not known */
  leaf = (index: number): Uint8Array => {
    const { first, end } = this.runAt(index);
    const run = this.#runs.get(first);
    if (index >= this.tree.leaves || run === undefined) throw new NotServedError('a leaf', { index });
    const width = run.length / (end - first);
    return run.subarray((index - first) * width, (index - first + 1) * width);
  };

  /** @throws NotServedError when it is not known */
  node = (level: number, index: number): SumNode => {
    const known = this.#nodes.get(nodeKey(level, index));
    if (known !== undefined) return known;
    const from = index * 2 ** level;
    if (!this.has(from) || 2 ** level > leavesOfRuns(this.of))
      throw new NotServedError('a node', { level, index });
    const { first } = this.runAt(from);
    return this.#below(first).node(level, (from - first) / 2 ** level);
  };

  /** The tree over a run. */
  #below(first: number): PublishedTree {
    if (this.#opened?.first === first) return this.#opened.tree;
    const bytes = this.#runs.get(first);
    assert(bytes !== undefined, 'a run that is not known', { first });
    const count = this.runAt(first).end - first;
    const tree = buildSumTree(this.of, { bytes, width: bytes.length / count, count });
    this.#opened = { first, tree };
    return tree;
  }
}
