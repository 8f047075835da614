/** What a request for an attribution is refused with, and which status that has over HTTP. */
import { LedgerError } from '../../core/errors.ts';

/** Code of the error of a task that was turned away. */
export const BUSY = 'attest.busy';

/** A request that cannot be answered, for whoever sent it. */
export function badRequest(message: string): LedgerError {
  return new LedgerError('attest.request', message);
}

/** Statuses of errors; all others are mistakes of ours. */
export const STATUSES: Readonly<Record<string, number>> = {
  'attest.request': 400,
  'attest.output_too_long': 413,
  'attest.no_shard': 404,
  'attest.no_content': 404,
  'attest.no_card': 404,
  'attest.no_claim': 404,
  'attest.no_model': 404,
  'attest.private': 403,
  'attest.method': 409,
  'attest.no_index': 409,
  'attest.chain': 502,
  'attest.share': 429,
  // As nginx has it: nobody hears it, but it is counted.
  'attest.gone': 499,
  [BUSY]: 503,
  'attest.timeout': 504,
  'attest.worker': 500,
};
