/** What a lie about a card or a claim is, and the dice and changes that lies are made of. */
import type { ServedCard, ServedClaim } from '../../../attest/influence/published.ts';
import { getInt64, setInt64, viewOf } from '../../../modules/attribution/proof/influence/binary.ts';
import type { World } from './world.ts';

/** A lie: what it changes, and the card that results. Undefined when there is nothing to change here. */
export interface CardLie {
  readonly name: string;
  readonly tell: (world: World, dice: Dice) => ServedCard | undefined;
}

export interface ClaimLie {
  readonly name: string;
  readonly tell: (world: World, dice: Dice) => ServedClaim | undefined;
}

export class Dice {
  readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  /** A whole number below `count`. */
  below(count: number): number {
    return Math.floor(this.random() * count);
  }

  /** ±1 mostly, sometimes more; never 0. */
  step(): number {
    return (this.random() < 0.5 ? -1 : 1) * (this.random() < 0.6 ? 1 : 1 + this.below(5_000));
  }
}

export type Leaves = readonly Uint8Array[];

export function changedLeaf(
  leaves: Leaves,
  index: number,
  change: (leaf: Uint8Array, view: DataView) => void,
): Leaves {
  return leaves.map((leaf, i) => {
    if (i !== index) return leaf;
    const copy = leaf.slice();
    change(copy, viewOf(copy));
    return copy;
  });
}

export function bump64(view: DataView, at: number, step: number): void {
  setInt64(view, at, (getInt64(view, at) ?? 0) + step);
}
