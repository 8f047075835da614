/** Tells the operator of damaged records. */
import type { LedgerError } from '../core/errors.ts';

/** Records that are remembered as told. */
const TOLD_MAX = 1_000;

/** Writes one line for each damaged record, however often somebody asks for it. */
export class DamageLog {
  readonly #log: { error(facts: Readonly<Record<string, unknown>>, message: string): void };
  readonly #told = new Set<string>();

  constructor(log: { error(facts: Readonly<Record<string, unknown>>, message: string): void }) {
    this.#log = log;
  }

  /** Takes an error that says what is damaged and how it is repaired. */
  tell({ facts, message }: LedgerError): void {
    if (this.#told.has(message) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(message);
    this.#log.error(facts, message);
  }
}
