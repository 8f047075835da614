/** Making the folders of a home. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { systemCode } from '../failure.ts';

/**
 * Makes a folder and those above it that are missing, one by one: Node's own recursive form never returns below a
 * file system that lets nobody create anything, such as /proc.
 * @throws LedgerError `home.folder` saying which folder cannot be made, and why
 */
export function makeFolder(path: string, mode?: number): void {
  const target = resolve(path);
  const missing: string[] = [];
  for (let folder = target; !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  for (const folder of missing) {
    try {
      mkdirSync(folder, mode);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') continue;
      const advice = 'choose a folder that you can write to';
      throw new LedgerError(
        'home.folder',
        `cannot create the folder ${folder} (${systemCode(error) ?? messageOf(error)}); ${advice}`,
        { folder },
        error,
      );
    }
  }
}
