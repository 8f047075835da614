/** The list of secrets that a watcher of private Datanets has: `--salt-secrets`. */
import { dirname, resolve } from 'node:path';
import type { PublishedShard } from '../../attest/watch/ports.ts';
import { usageError } from '../failure.ts';
import { readText, secretOf } from './index-commands.ts';

const LINE = /^(datanet|shard) ([1-9]\d{0,19}) (\S.*)$/;

/**
 * Reads a list: lines of "datanet ID FILE" or "shard ID FILE", the file being the `--salt-secret-file` of who
 * built the index, beside the list or absolute. Empty lines and those that begin with # say nothing. What is
 * said of a shard counts more than what is said of its Datanet.
 * @throws LedgerError (`cli.usage`) naming the line, or the file that cannot be read
 */
export function saltSecrets(path: string): (shard: PublishedShard) => Uint8Array | undefined {
  const secrets = new Map<string, Uint8Array>();
  const lines = readText(path, '--salt-secrets').toString('utf8').split('\n');
  for (const [i, line] of lines.entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const [, kind, id, file] = LINE.exec(text) ?? [];
    if (file === undefined)
      throw usageError(
        `--salt-secrets: line ${i + 1} of ${path} is not "datanet ID FILE" or "shard ID FILE"`,
      );
    const secret = secretOf({ saltSecretFile: resolve(dirname(path), file) });
    if (secret !== undefined) secrets.set(`${kind} ${id}`, secret);
  }
  return ({ id, commitment }) => secrets.get(`shard ${id}`) ?? secrets.get(`datanet ${commitment.datanetId}`);
}
