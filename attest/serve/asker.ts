/** Who asks over HTTP: for whom nobody waits any more nothing is begun. */
import { LedgerError } from '../../core/errors.ts';
import type { Asker } from '../../serve/route.ts';

/** What is said about a request that nobody waits for; nobody hears it. */
export function gone(): LedgerError {
  return new LedgerError('attest.gone', 'whoever asked has left, or was told that the time is over');
}

/** Before something that takes a while. @throws LedgerError `attest.gone` */
export function requireThere(asker: Asker | undefined): void {
  if (asker?.signal.aborted === true) throw gone();
}
