/** Errors of indexes: what is wrong, where, and what to do. */
import { LedgerError } from '../../core/errors.ts';

/** What an index or its sources have wrong. */
export type IndexErrorKind = 'source' | 'size' | 'damaged' | 'version' | 'missing' | 'busy' | 'salt';

/** The error of a kind, code `attest.index_<kind>`. */
export function indexError(
  kind: IndexErrorKind,
  message: string,
  facts: Readonly<Record<string, string | number | bigint>> = {},
): LedgerError {
  return new LedgerError(`attest.index_${kind}`, message, facts);
}
