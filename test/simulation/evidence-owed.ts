/**
 * After the heal, what waits in the pool of an honest node is in a block soon: it is gossiped, proposed, and
 * taken. Asked at each new height, so that the time is told in heights.
 */
import { type Evidence, evidenceHash, evidenceHeight } from '../../consensus/types/evidence.ts';
import { toHex } from '../../core/bytes.ts';
import type { Simulation } from './simulation.ts';

/**
 * Blocks until evidence that an honest node has is in one of them: at most 2 in seeds 1 to 40 of `byzantine`.
 */
export const EVIDENCE_WITHIN_HEIGHTS = 4n;

interface Debt {
  readonly since: bigint;
  readonly what: string;
}

/** See the file comment. */
export class EvidenceOwed {
  readonly #simulation: Simulation;
  readonly #committed = new Set<string>();
  readonly #owed = new Map<string, Debt>();
  /** What came to wait after that height is not waited for. */
  readonly #until: bigint;
  #height = 0n;
  /** The longest that any has waited, in blocks. */
  longest = 0n;

  constructor(simulation: Simulation, until: bigint) {
    this.#simulation = simulation;
    this.#until = until;
  }

  /** Nothing waits any more of what has to be in a block. */
  isPaid(): boolean {
    const { height } = this.#simulation;
    if (height > this.#height) this.#look(height);
    return this.#owed.size === 0;
  }

  #look(height: bigint): void {
    const { chain, honest } = this.#simulation;
    for (let at = this.#height + 1n; at <= height; at++) {
      for (const piece of chain.get(at)?.block.evidence ?? []) this.#pay(offenceOf(piece), at);
    }
    this.#height = height;
    if (height <= this.#until) for (const machine of honest) this.#note(machine, height);
    for (const { since, what } of this.#owed.values()) {
      if (height - since <= EVIDENCE_WITHIN_HEIGHTS) continue;
      const said = `${what} at height ${since}, and is in no block ${EVIDENCE_WITHIN_HEIGHTS} heights later`;
      this.#simulation.fail('evidence is included', said);
    }
  }

  #pay(offence: string, at: bigint): void {
    this.#committed.add(offence);
    const debt = this.#owed.get(offence);
    if (debt === undefined) return;
    this.#owed.delete(offence);
    if (at - debt.since > this.longest) this.longest = at - debt.since;
  }

  #note(machine: Simulation['honest'][number], since: bigint): void {
    for (const piece of machine.pendingEvidence()) {
      const offence = offenceOf(piece);
      if (this.#committed.has(offence) || this.#owed.has(offence)) continue;
      const hash = toHex(evidenceHash(piece));
      const what = `evidence ${hash.slice(0, 12)} of height ${evidenceHeight(piece)} waits at ${machine.name}`;
      this.#owed.set(offence, { since, what });
    }
  }
}

/** Who signs more than two votes makes several pieces of evidence of one offence: any will do. */
function offenceOf(piece: Evidence): string {
  if (piece.kind === 'lightClientAttack') return toHex(evidenceHash(piece));
  const { type, height, round, validatorAddress } = piece.voteA;
  return `${height}/${round}/${type}/${toHex(validatorAddress)}`;
}
