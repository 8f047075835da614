/**
 * Epochs of a gateway over the same pool: rounds of what was claimed, stated with a bond, convicted or paid
 * after a window. What the chain computes is computed by its own functions: whether an epoch adds up
 * (`checkEpoch`) and how a bond is divided (`splitBond`); only where money lies is kept here.
 */
import { DecodeError } from '../../core/errors.ts';
import { splitBond } from '../../framework/bonds.ts';
import type { SlotPrefix } from '../../modules/pools/places.ts';
import type { Place } from '../../modules/pools/tree.ts';
import { checkEpoch, sumsOfEpoch } from '../../modules/settlement/proof/epoch.ts';
import { PREFIX_LEVEL } from '../../modules/settlement/proof/leaves.ts';
import {
  type DeltaRow,
  type EpochCommitment,
  PlaceKind,
} from '../../proto/gen/openledger/settlement/v1/epoch.ts';

/** Epochs that are stated later, until one is final. */
const WINDOW = 8;
const REWARD_BPS = 5_000;

/** A round, and how it is stated: at first perhaps wrong, so that it can be convicted. */
export interface StatedRound {
  readonly claimed: bigint;
  readonly bond: bigint;
  readonly right: StatedEpoch;
  /** What is stated first when it is a lie. */
  readonly lie: StatedEpoch | undefined;
}

/** A commitment, and the rows that it has under entitlements. */
export interface StatedEpoch {
  readonly commitment: EpochCommitment;
  readonly entitlements: readonly DeltaRow[];
}

/** What gateways and watchers do. `which` picks one of those that there are. */
export type EpochOperation =
  | { readonly kind: 'settle'; readonly round: StatedRound }
  | { readonly kind: 'dispute'; readonly which: number }
  | { readonly kind: 'entitle'; readonly which: number };

/** An epoch in its window. */
interface PendingEpoch {
  readonly round: StatedRound;
  readonly stated: StatedEpoch;
  /** Number of the settlement after which its window is over. */
  readonly until: number;
}

/** Where the money of rounds and bonds is, in base units. */
export interface EpochMoney {
  /** Came in: rounds, bonds. */
  readonly claimed: bigint;
  readonly bonds: bigint;
  /** Lies here: rounds that wait, rounds and bonds of pending epochs, entitlements that nobody claimed. */
  readonly held: bigint;
  /** Went to parties, models and nodes of the pool. */
  readonly paid: bigint;
  /** Of bonds: back to the gateway, to challengers, to the community pool. */
  readonly bondsOut: bigint;
  /** `claimed + bonds = held + paid + bondsOut`. */
  readonly isEqual: boolean;
}

/** What happened. */
interface EpochCounts {
  stated: number;
  refused: number;
  convicted: number;
  final: number;
  entitled: number;
}

/** Pays a slot of the pool, or those below one. */
type PayPool = (place: Place | SlotPrefix, amount: bigint) => void;

/** See the file comment. */
export class EpochBook {
  readonly counts: EpochCounts = { stated: 0, refused: 0, convicted: 0, final: 0, entitled: 0 };
  /** Base units that nodes of the pool were paid by rows and entitlements. */
  nodes = 0n;
  readonly #pay: PayPool;
  readonly #pending: PendingEpoch[] = [];
  readonly #waiting: StatedRound[] = [];
  readonly #unclaimed: DeltaRow[] = [];
  #claimed = 0n;
  #bonds = 0n;
  #paid = 0n;
  #returned = 0n;
  #rewards = 0n;
  #forfeited = 0n;

  constructor(pay: PayPool) {
    this.#pay = pay;
  }

  take(operation: EpochOperation): void {
    switch (operation.kind) {
      case 'settle':
        this.#claimed += operation.round.claimed;
        this.#state(operation.round, operation.round.lie ?? operation.round.right);
        this.#closeWindows();
        break;
      case 'dispute':
        this.#dispute(operation.which);
        break;
      case 'entitle':
        this.#entitle(operation.which);
        break;
      default:
        operation satisfies never;
    }
  }

  /** What does not add up is refused: its round waits, and is stated right with the next dispute. */
  #state(round: StatedRound, stated: StatedEpoch): void {
    try {
      checkEpoch(stated.commitment, round.claimed);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counts.refused++;
      this.#waiting.push(round);
      return;
    }
    this.counts.stated++;
    this.#bonds += round.bond;
    this.#pending.push({ round, stated, until: this.counts.stated + WINDOW });
  }

  /** Nobody convicts a right epoch. A round that waits is stated right. */
  #dispute(which: number): void {
    const at = which % Math.max(1, this.#pending.length);
    const epoch = this.#pending[at];
    if (epoch !== undefined && epoch.stated !== epoch.round.right) {
      this.#pending.splice(at, 1);
      const { part, rest } = splitBond({ denom: 'uopen', amount: epoch.round.bond }, REWARD_BPS);
      this.#rewards += part.amount;
      this.#forfeited += rest.amount;
      this.counts.convicted++;
      this.#waiting.push(epoch.round);
    }
    const round = which % 2 === 0 ? this.#waiting.shift() : undefined;
    if (round !== undefined) this.#state(round, round.right);
  }

  #closeWindows(): void {
    for (let epoch = this.#pending[0]; epoch !== undefined; epoch = this.#pending[0]) {
      if (epoch.until > this.counts.stated) return;
      this.#pending.shift();
      this.#finish(epoch);
    }
  }

  #finish({ round, stated: { commitment, entitlements } }: PendingEpoch): void {
    const { platform, stakers } = sumsOfEpoch(commitment);
    this.#paid += platform + stakers;
    for (const row of commitment.rows) this.#payRow(row);
    this.#unclaimed.push(...entitlements);
    this.#returned += round.bond;
    this.counts.final++;
  }

  #entitle(which: number): void {
    const [row] = this.#unclaimed.splice(which % Math.max(1, this.#unclaimed.length), 1);
    if (row === undefined) return;
    this.counts.entitled++;
    this.#payRow(row);
  }

  #payRow({ place: { kind, level, index }, amount }: DeltaRow): void {
    this.#paid += amount;
    if (kind === PlaceKind.PLACE_KIND_MODEL) return;
    this.nodes += amount;
    const number = BigInt(index);
    this.#pay(level === PREFIX_LEVEL ? { slotsBelow: number } : { level: 0, index: number }, amount);
  }

  /** Adds everything up. */
  money(): EpochMoney {
    let held = this.#unclaimed.reduce((sum, { amount }) => sum + amount, 0n);
    for (const { claimed } of this.#waiting) held += claimed;
    for (const { round } of this.#pending) held += round.claimed + round.bond;
    const [claimed, bonds, paid] = [this.#claimed, this.#bonds, this.#paid];
    const bondsOut = this.#returned + this.#rewards + this.#forfeited;
    return { claimed, bonds, held, paid, bondsOut, isEqual: claimed + bonds === held + paid + bondsOut };
  }
}
