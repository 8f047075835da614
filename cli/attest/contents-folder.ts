/** Contents in a folder, known by their roots: names of files mean nothing. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, toHex } from '../../core/bytes.ts';
import { contentRoot } from '../../client/index.ts';
import { systemCode, usageError } from '../failure.ts';

/** The files of a folder and of those in it, by the roots of what they hold. */
export class ContentsFolder {
  readonly #paths = new Map<string, string>();

  /** @throws LedgerError `cli.usage` when the folder cannot be read */
  constructor(folder: string) {
    for (const path of filesOf(folder)) this.#paths.set(toHex(contentRoot(readFileSync(path))), path);
  }

  get size(): number {
    return this.#paths.size;
  }

  /** The content with a root; undefined when no file holds it. */
  find(root: Uint8Array): Uint8Array | undefined {
    const path = this.#paths.get(toHex(root));
    if (path === undefined) return undefined;
    const content = Uint8Array.from(readFileSync(path));
    return equalBytes(contentRoot(content), root) ? content : undefined;
  }
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile());
  } catch (error) {
    throw usageError(
      `cannot read the contents in ${folder} (${systemCode(error)}); --contents names a folder`,
    );
  }
}
