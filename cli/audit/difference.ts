/** What an audit ends with when chain and replay are not the same. */
import { LedgerError } from '../../core/errors.ts';

/** A transaction of a block. */
export interface NamedTransaction {
  readonly index: number;
  /** Upper-case hexadecimal, as explorers show it. */
  readonly hash: string;
}

/** The first thing in which the chain is not what the replay makes of its blocks. */
export interface Difference {
  /** The block that is wrong, or whose execution ends otherwise. */
  readonly height: bigint;
  /** `app hash`, `signatures`, `balance`, … */
  readonly what: string;
  readonly transaction?: NamedTransaction;
  /** As the blocks, or who gave them, have it. */
  readonly chain: string;
  /** As the replay has it. */
  readonly replay: string;
  /** What else is known of it, in a sentence. */
  readonly note?: string;
}

/** See `Difference`. */
export class AuditDifference extends LedgerError {
  readonly difference: Difference;

  constructor(difference: Difference, cause?: unknown) {
    super('audit.difference', sentenceOf(difference), { height: difference.height }, cause);
    this.difference = difference;
  }
}

function sentenceOf({ height, what, transaction, chain, replay, note }: Difference): string {
  const place = transaction === undefined ? '' : `, transaction ${transaction.index} (${transaction.hash})`;
  const more = note === undefined ? '' : `; ${note}`;
  return `block ${height}${place}: ${what}: the chain has ${chain}, the replay ${replay}${more}`;
}
