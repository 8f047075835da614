/** The shards of some indexes on disk, also those that come while they are served. */
import { indexError } from '../../attest/index/errors.ts';
import { IndexDirectory } from '../../attest/index/index-directory.ts';
import { PageCache } from '../../attest/index/page-cache.ts';
import type { OpenShard } from '../../attest/index/shard-directory.ts';
import type { ShardLibrary } from '../../attest/serve/shard-library.ts';

/** How they are read. */
export interface ServedIndexesOptions {
  /** Of pages in memory. */
  readonly cacheBytes: number;
  /** Of those of the indexes that are salted. */
  readonly saltSecret?: Uint8Array | undefined;
}

/** Puts shards into a library as they appear in the lists of their indexes. */
export class ServedIndexes {
  readonly #paths: readonly string[];
  readonly #library: ShardLibrary;
  readonly #cache: PageCache;
  readonly #saltSecret: Uint8Array | undefined;
  readonly #open = new Map<string, OpenShard>();

  constructor(paths: readonly string[], library: ShardLibrary, options: ServedIndexesOptions) {
    this.#paths = paths;
    this.#library = library;
    this.#cache = new PageCache({ bytes: options.cacheBytes });
    this.#saltSecret = options.saltSecret;
  }

  /**
   * Opens what is new; how many there were. A shard that an index no longer lists is served until the end: it
   * may be published.
   * @throws LedgerError (`attest.index_…`) naming the file that cannot be read
   */
  load(): number {
    let fresh = 0;
    for (const path of this.#paths) {
      const index = this.#index(path);
      for (const entry of index.shards) {
        const name = `${path}/${entry.name}`;
        if (this.#open.has(name)) continue;
        const open = index.openShard(entry, this.#cache);
        this.#open.set(name, open);
        this.#library.add(open.shard);
        fresh++;
      }
    }
    return fresh;
  }

  /** @throws LedgerError (`attest.index_salt`) for a salted one without the secret: nothing could be answered */
  #index(path: string): IndexDirectory {
    const index = IndexDirectory.open(path);
    if (!index.settings.salted) return index;
    if (this.#saltSecret === undefined)
      throw indexError('salt', `${path} is salted: give the secret it was built with (--salt-secret-file)`);
    return IndexDirectory.open(path, { saltSecret: this.#saltSecret });
  }

  close(): void {
    for (const { close } of this.#open.values()) close();
    this.#open.clear();
  }
}
