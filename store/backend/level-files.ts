/** What LevelDB itself would pass over in silence. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerError } from '../../core/errors.ts';

/** Files with records: there are none before CURRENT is written for the first time. */
const RECORD_FILE = /^\d+\.(ldb|sst|log)$/;

/**
 * Refuses a database that has lost its file CURRENT: LevelDB would make a new, empty one over it.
 * @throws LedgerError `store.corrupt`
 */
export function requireCurrentFile(directory: string): void {
  if (!existsSync(directory) || existsSync(join(directory, 'CURRENT'))) return;
  if (!readdirSync(directory).some((name) => RECORD_FILE.test(name))) return;
  throw new LedgerError('store.corrupt', 'its file CURRENT is missing, but there are records', { directory });
}
