/** The openings of a fraud, taken one by one, each held against the tree that a rule says. */
import type { EpochOpening, SumTree } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { SumTreeKind } from './kinds.ts';
import { sumsOfLeaf } from './leaves.ts';
import { refuse, wellFormed } from './refuse.ts';
import { followToRoot, sumLeafHash } from './sum-tree.ts';

/** Leaves that were opened, with all sums of the tree around them. */
export interface OpenedLeaves {
  readonly leaves: readonly Uint8Array[];
  /** For each leaf, the sums of all leaves before it. */
  readonly before: readonly (readonly bigint[])[];
}

/** See the file comment. */
export class EpochOpenings {
  readonly #openings: readonly EpochOpening[];
  #next = 0;

  constructor(openings: readonly EpochOpening[]) {
    this.#openings = openings;
  }

  /**
   * Leaves at these places, in rising order. Their sums follow from their bytes.
   * @throws DecodeError when the next opening is not of them
   */
  take(of: SumTreeKind, tree: SumTree, indices: readonly number[]): OpenedLeaves {
    const { leaves, siblings } = this.takeUnchecked();
    if (leaves.length !== indices.length) refuse(`${leaves.length} leaves are opened, not ${indices.length}`);
    const opened = leaves.map((leaf, i) => {
      const from = indices[i] ?? 0;
      return { from, to: from + 1, hash: sumLeafHash(leaf), sums: wellFormed(sumsOfLeaf(of, leaf)) };
    });
    const followed = followToRoot(of, tree, { opened, siblings });
    if (followed === undefined) return refuse(`opening ${this.#next} leads elsewhere`);
    return { leaves, before: followed.before };
  }

  /** The one leaf at this place. */
  takeOne(of: SumTreeKind, tree: SumTree, index: number): Uint8Array {
    return this.take(of, tree, [index]).leaves[0] ?? refuse('an opening without a leaf');
  }

  /** The next opening as it is. @throws DecodeError when there is none */
  takeUnchecked(): EpochOpening {
    return this.#openings[this.#next++] ?? refuse('an opening is missing');
  }

  /** @throws DecodeError when openings are left */
  end(): void {
    if (this.#next !== this.#openings.length) refuse('an opening too many');
  }
}
