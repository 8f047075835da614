import { bitsSet } from '../../core/bits.ts';
import type { DeltaRow, Place } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { PREFIX_LEVEL } from './proof/leaves.ts';

/**
 * Units of work that a row is to be paid by: as many as nodes of its pool's tree, which for the first
 * positions of a log are those that tile them, one for each bit of their number at most.
 */
export function workOfRow({ place: { level, index } }: { readonly place: Place }): number {
  return level === PREFIX_LEVEL ? bitsSet(BigInt(index)) : 1;
}

/** Work of several rows. */
export function workOfRows(rows: readonly DeltaRow[]): number {
  return rows.reduce((sum, row) => sum + workOfRow(row), 0);
}

/** The rows from a number on, until the next one would be too much work. */
export function rowsWithin(rows: readonly DeltaRow[], from: number, most: number): readonly DeltaRow[] {
  let end = from;
  let work = 0;
  for (const row of rows.slice(from)) {
    work += workOfRow(row);
    if (work > most) break;
    end++;
  }
  return rows.slice(from, end);
}
