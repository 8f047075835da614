/** Transactions of several kinds by turns: none waits for more than one of each other kind. */
import { messageOf } from '../../core/errors.ts';

/** Takes a step for each transaction that it sends. */
export type Transactions = AsyncGenerator<undefined, undefined>;

/**
 * Takes a step of each kind in turn until all of them are done, or have had `turnsMax` turns. One that fails
 * ends none of the others.
 * @throws what one failed with, when the others are over; an AggregateError for several
 */
export async function takeTurns(kinds: readonly Transactions[], turnsMax: number): Promise<void> {
  const errors: unknown[] = [];
  let going = [...kinds];
  for (let turn = 0; turn < turnsMax && going.length > 0; turn++) {
    const next: Transactions[] = [];
    for (const kind of going) {
      try {
        if ((await kind.next()).done !== true) next.push(kind);
      } catch (error) {
        errors.push(error);
      }
    }
    going = next;
  }
  if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join('; '));
  if (errors.length === 1) throw errors[0];
}
