import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The files of the work folder. */
export interface WorkFiles {
  list(): Promise<readonly string[]>;
  /** Undefined when there is no such file. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** A file that is there is whole; durable once this resolves. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** A file that is removed does not come back once this resolves. */
  remove(name: string): Promise<void>;
  removeAll(): Promise<void>;
}

/** Files of one directory, which is made with the first of them. */
export class DirectoryFiles implements WorkFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async list(): Promise<readonly string[]> {
    return existsSync(this.#directory) ? readdir(this.#directory) : [];
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    const path = join(this.#directory, name);
    return existsSync(path) ? new Uint8Array(await readFile(path)) : undefined;
  }

  /** Under another name first. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const temporary = join(this.#directory, `.${name}.tmp`);
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(this.#directory, name));
    await this.#syncNames();
  }

  async remove(name: string): Promise<void> {
    if (!existsSync(this.#directory)) return;
    await rm(join(this.#directory, name), { recursive: true, force: true });
    await this.#syncNames();
  }

  async removeAll(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Which names there are is durable. */
  async #syncNames(): Promise<void> {
    if (process.platform === 'win32') return; // directories cannot be opened there
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
