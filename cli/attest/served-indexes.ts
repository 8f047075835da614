/** The shards of some indexes on disk, also those that come while they are served. */
import { IndexDirectory } from '../../attest/index/index-directory.ts';
import { PageCache } from '../../attest/index/page-cache.ts';
import type { OpenShard } from '../../attest/index/shard-directory.ts';
import type { ShardLibrary } from '../../attest/serve/shard-library.ts';

/** Puts shards into a library as they appear in the lists of their indexes. */
export class ServedIndexes {
  readonly #paths: readonly string[];
  readonly #library: ShardLibrary;
  readonly #cache: PageCache;
  readonly #open = new Map<string, OpenShard>();

  constructor(paths: readonly string[], library: ShardLibrary, cacheBytes: number) {
    this.#paths = paths;
    this.#library = library;
    this.#cache = new PageCache({ bytes: cacheBytes });
  }

  /**
   * Opens what is new; how many there were. A shard that an index no longer lists is served until the end: it
   * may be published.
   * @throws LedgerError (`attest.index_…`) naming the file that cannot be read
   */
  load(): number {
    let fresh = 0;
    for (const path of this.#paths) {
      const index = IndexDirectory.open(path);
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

  close(): void {
    for (const { close } of this.#open.values()) close();
    this.#open.clear();
  }
}
