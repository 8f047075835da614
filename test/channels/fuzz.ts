/**
 * Payers and a payee with the real library, the real modules, a network that drops, repeats and reorders, and
 * disks that crash at any operation. What must hold is looked at when a channel ends:
 *
 * | property             | as a statement                                                              |
 * | -------------------- | --------------------------------------------------------------------------- |
 * | no unpaid service    | what left the payee on the channel ≤ what the chain paid it                 |
 * | no double charge     | what the chain paid ≤ the sum, over requests, of the most that was charged  |
 * | no more than signed  | what the chain paid ≤ what the payer counts as signed for; ≤ the deposit    |
 * | no paid-and-denied   | after a time without faults, what was charged was answered (honest payers)  |
 * | claims in time count | no row of the payee's own claims fails the message                          |
 */
import { LedgerError } from '../../core/errors.ts';
import { arm, cheat, overdraw, replayRows } from './attacks.ts';
import { endChannel, maybeEnd, openChannel, rotate, topUp } from './endings.ts';
import { deliver } from './network.ts';
import { claimAll, finishJob, tick } from './payee-steps.ts';
import { payerAsks, payerRepeats } from './payer-steps.ts';
import type { Faults } from './parties.ts';
import { FuzzWorld, Violation } from './world.ts';

/** How a run is made. */
export interface FuzzOptions {
  readonly seed: number;
  readonly steps: number;
  readonly faults?: Faults;
}

/** What a run has found. */
export interface FuzzResult {
  readonly violations: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
}

/** Steps between looks at the modules' invariants. */
const INVARIANTS_EVERY = 5_000;

/** Runs so many steps, or to the first violation. */
export async function fuzzChannels({ seed, steps, faults = {} }: FuzzOptions): Promise<FuzzResult> {
  const w = new FuzzWorld(seed, faults);
  try {
    await w.payee.start();
    for (const party of w.payers) await openChannel(w, party);
    for (let i = 0; i < steps; i++) {
      await step(w);
      if (i % INVARIANTS_EVERY === 0) w.expect(w.chain.broken().length === 0, w.chain.broken().join());
    }
    for (const party of w.payers) await endChannel(w, party);
  } catch (error) {
    // A crash damages the end of a journal only: one that does not open has lost what it had promised to keep.
    const isLost = error instanceof LedgerError && error.code === 'vouchers.corrupt';
    if (!(error instanceof Violation) && !isLost) throw error;
    return { violations: [error.message], counts: w.counts };
  }
  return { violations: [], counts: w.counts };
}

async function step(w: FuzzWorld): Promise<void> {
  const party = w.random.pick(w.payers);
  const action = w.random.weighted<() => Promise<void> | void>([
    { weight: 30, value: () => payerAsks(w, party) },
    { weight: 60, value: () => deliver(w) },
    { weight: 25, value: () => finishJob(w) },
    { weight: 8, value: () => payerRepeats(w, party) },
    { weight: 4, value: () => tick(w) },
    { weight: 2, value: () => claimAll(w) },
    { weight: 2, value: () => replayRows(w) },
    { weight: 1, value: () => topUp(w, party) },
    { weight: 1, value: () => rotate(w, party) },
    { weight: 3, value: () => arm(w, party) },
    { weight: 5, value: () => cheat(w, party) },
    { weight: 1, value: () => overdraw(w, party) },
    { weight: 1, value: () => maybeEnd(w, party) },
  ]);
  await action();
}
