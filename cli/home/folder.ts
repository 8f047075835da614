/** Making the folders of a home. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { systemCode } from '../failure.ts';

/**
 * Says what is wrong with a home that is a file: whatever is read or made below it would only say ENOTDIR.
 * @throws LedgerError `home.folder`
 */
export function requireFolder(home: string): void {
  if (statSync(home, { throwIfNoEntry: false })?.isDirectory() !== false) return;
  throw new LedgerError('home.folder', `${home} is not a folder; name one with --home`, { folder: home });
}

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
        { folder, system: systemCode(error) },
      );
    }
  }
}
