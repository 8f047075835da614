/** Contents by their chunk root: a folder of files, each named after what it holds. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { type ContentCommitment, type ProvableContent, provableContent } from '../../client/index.ts';
import { makeFolder } from '../home/folder.ts';

/** A content-addressed folder. */
export class BlobStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    makeFolder(folder);
  }

  /** Keeps a content; writing it again changes nothing. */
  put(content: Uint8Array): ProvableContent {
    const provable = provableContent(content);
    const path = this.#path(provable.commitment.root);
    const temporary = `${path}.tmp`;
    writeFileSync(temporary, content);
    renameSync(temporary, path);
    return provable;
  }

  /**
   * The content with this root and length, as the chain has them.
   * @throws LedgerError `demo.blob` when the file is missing or holds something else
   */
  get({ root, byteLength }: ContentCommitment): ProvableContent {
    const path = this.#path(root);
    let content: Uint8Array;
    try {
      content = readFileSync(path);
    } catch (cause) {
      throw new LedgerError('demo.blob', `the content ${toHex(root)} is not in ${this.#folder}`, {}, cause);
    }
    const provable = provableContent(content);
    if (!equalBytes(provable.commitment.root, root) || content.length !== byteLength)
      throw new LedgerError('demo.blob', `${path} does not hold what its name says; delete it and run again`);
    return provable;
  }

  #path(root: Uint8Array): string {
    return join(this.#folder, toHex(root));
  }
}
