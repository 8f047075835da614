/** The files of a LevelDB: what it would pass over in silence, how many it may map. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerError } from '../../core/errors.ts';

/** Files with records: there are none before CURRENT is written for the first time. */
const RECORD_FILE = /^\d+\.(ldb|sst|log)$/;

/**
 * Files that a database has open: 64 tables (2 to 5 MB each) and ten others, the least that LevelDB takes. It
 * maps tables that were read until they give way to others; with its default of 1,000 the resident memory of
 * a node grows with its disk, to gigabytes. A read from a table that is not open costs 40 µs more.
 */
export const LEVEL_OPEN_FILES_MAX: number = 74;

/**
 * Refuses a database that has lost its file CURRENT: LevelDB would make a new, empty one over it.
 * @throws LedgerError `store.corrupt`
 */
export function requireCurrentFile(directory: string): void {
  if (!existsSync(directory) || existsSync(join(directory, 'CURRENT'))) return;
  if (!readdirSync(directory).some((name) => RECORD_FILE.test(name))) return;
  throw new LedgerError('store.corrupt', 'its file CURRENT is missing, but there are records', { directory });
}
