import type { Vote } from '../../consensus/types/vote.ts';
import { toHex } from '../../core/bytes.ts';

/** Pairs of votes waiting to become evidence, one of each offence. */
export const CONFLICTS_MAX = 1_000;
/** Of these, of one validator: it cannot take the room of others. One is enough to punish it. */
export const CONFLICTS_PER_VALIDATOR_MAX = 10;

/** Two different votes of one validator in one step. */
export interface VotePair {
  /** Which offence they prove. */
  readonly offence: string;
  readonly first: Vote;
  readonly second: Vote;
}

/** What our own consensus saw: kept until there is a block of its height and room in the pool. */
export class Conflicts {
  readonly #pairs: Map<string, VotePair>;
  /** Not on disk yet. */
  readonly #unsaved = new Set<VotePair>();

  /** Begins with what is on disk. */
  constructor(saved: readonly VotePair[]) {
    this.#pairs = new Map(saved.map((pair) => [pair.offence, pair]));
  }

  /** All, in the order they came. */
  get all(): readonly VotePair[] {
    return [...this.#pairs.values()];
  }

  /** Those that a crash would take. */
  get unsaved(): readonly VotePair[] {
    return [...this.#unsaved];
  }

  /** These are on disk. */
  saved(pairs: readonly VotePair[]): void {
    for (const pair of pairs) this.#unsaved.delete(pair);
  }

  /** Keeps a pair, if there is room for more of that validator. */
  add(first: Vote, second: Vote): 'added' | 'known' | 'full' {
    const offence = voteOffence(first);
    if (this.#pairs.has(offence)) return 'known';
    if (this.#pairs.size >= CONFLICTS_MAX) return 'full';
    const offender = toHex(first.validatorAddress);
    let own = 0;
    for (const pair of this.#pairs.values()) if (toHex(pair.first.validatorAddress) === offender) own++;
    if (own >= CONFLICTS_PER_VALIDATOR_MAX) return 'full';
    const pair = { offence, first, second };
    this.#pairs.set(offence, pair);
    this.#unsaved.add(pair);
    return 'added';
  }

  /** Takes a pair out. */
  delete(pair: VotePair): void {
    this.#pairs.delete(pair.offence);
    this.#unsaved.delete(pair);
  }

  /** The pairs of heights up to that one, in the order they came. */
  upTo(height: bigint): readonly VotePair[] {
    return [...this.#pairs.values()].filter(({ first }) => first.height <= height);
  }
}

/** Names an offence: height, round, step and validator. Whatever else it signed there is the same one. */
export function voteOffence({ height, round, type, validatorAddress }: Vote): string {
  return `${height}/${round}/${type}/${toHex(validatorAddress)}`;
}
