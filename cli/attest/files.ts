/** Files that options of commands name. */
import { readFileSync, writeFileSync } from 'node:fs';
import { LedgerError } from '../../core/errors.ts';
import { systemCode } from '../failure.ts';

/** @throws LedgerError `cli.file` */
export function readFile(option: string, path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new LedgerError('cli.file', `cannot read ${option} ${path} (${systemCode(cause)})`, {}, cause);
  }
}

/** @throws LedgerError `cli.file` */
export function writeFile(option: string, path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (cause) {
    throw new LedgerError('cli.file', `cannot write ${option} ${path} (${systemCode(cause)})`, {}, cause);
  }
}
