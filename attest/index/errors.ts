/** Errors of indexes: what is wrong, where, and what to do. */
import { LedgerError } from '../../core/errors.ts';

/** What an index or its sources have wrong. */
export type IndexErrorKind = 'source' | 'size' | 'damaged' | 'version' | 'missing' | 'busy' | 'salt' | 'disk';

/** The error of a kind, code `attest.index_<kind>`. */
export function indexError(
  kind: IndexErrorKind,
  message: string,
  facts: Readonly<Record<string, string | number | bigint>> = {},
): LedgerError {
  return new LedgerError(`attest.index_${kind}`, message, facts);
}

/** The code of an error of the system, such as `ENOSPC`; undefined for other errors. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || error instanceof LedgerError) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const FULL: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/**
 * What to throw for an error of writing below a path: Node.js names neither the file that did not fit nor
 * what to do. Other errors stay as they are.
 */
export function writeError(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (!FULL.includes(code)) return error;
  const advice = 'free some, or build the index on another disk, and call this again: whole shards are kept';
  const message = `there is no space for ${path} (${code}): ${advice}`;
  return new LedgerError('attest.index_disk', message, { path }, error);
}
