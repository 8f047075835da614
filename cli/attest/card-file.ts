/** Model cards with their leaves, in files that options of commands name. */
import type { ServedCard } from '../../attest/influence/published.ts';
import { DecodeError, LedgerError } from '../../core/errors.ts';
import { readFile } from './files.ts';

/** @throws LedgerError `cli.file` naming the file that cannot be read, or is no model card */
export async function readCard(option: string, path: string): Promise<ServedCard> {
  const { decodeServedCard } = await import('../../attest/influence/served-file.ts');
  const bytes = readFile(option, path);
  try {
    return decodeServedCard(bytes);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    const what = `${option} ${path} is no model card as "attest influence train" writes it`;
    throw new LedgerError('cli.file', `${what}: ${cause.message}`, {}, cause);
  }
}
