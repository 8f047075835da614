/** Contents and recomputed shards on disk: everything that a watcher keeps can be made again. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { buildShard } from '../index/build.ts';
import { PageCache } from '../index/page-cache.ts';
import { type OpenShard, openShard, removeLeftovers, writeShard } from '../index/shard-directory.ts';
import { joinInputs } from '../index/shard-input.ts';
import type { SourceDocument } from '../shard.ts';

/** Recomputed shards are read through it. */
const CACHE_BYTES = 1 << 26;

/** What a shard is recomputed from. */
export interface RecomputedFrom {
  readonly sources: Iterable<SourceDocument>;
  /** The documents without a content, ascending. */
  readonly tombstones: readonly number[];
}

/** A folder of contents by their roots, and one of shards by their ids. */
export class TextCache {
  readonly #contents: string;
  readonly #shards: string;
  readonly #instead: string;
  readonly #pages = new PageCache({ bytes: CACHE_BYTES });

  constructor(home: string) {
    this.#contents = join(home, 'contents');
    this.#shards = join(home, 'shards');
    this.#instead = join(home, 'instead');
    for (const folder of [this.#contents, this.#shards, this.#instead])
      mkdirSync(folder, { recursive: true });
    removeLeftovers(this.#shards);
  }

  hasContent(root: Uint8Array): boolean {
    return existsSync(this.#contentPath(root));
  }

  /** The content with a root; undefined when it is not here, or its file is damaged. */
  content(root: Uint8Array): Uint8Array | undefined {
    if (!this.hasContent(root)) return undefined;
    // A view of what was read: a copy would double the memory of a long text.
    const { buffer, byteOffset, length } = readFileSync(this.#contentPath(root));
    const content = new Uint8Array(buffer, byteOffset, length);
    return equalBytes(contentRoot(content), root) ? content : undefined;
  }

  /** Keeps a content whose root was checked. */
  putContent(root: Uint8Array, content: Uint8Array): void {
    this.#replace(this.#contentPath(root), content);
  }

  /** True when a shard with this id was recomputed here: it is what its texts say. */
  hasShard(key: string): boolean {
    return existsSync(join(this.#shards, key));
  }

  /** Opens a recomputed shard, leaves of a salted one with the secret; the caller closes it. */
  openShard(key: string, saltSecret?: Uint8Array): OpenShard {
    return openShard(join(this.#shards, key), { cache: this.#pages, saltSecret });
  }

  /**
   * The id of the right shard, when it was recomputed before for one that was published under this id, with
   * tombstones for the same documents.
   */
  rightShardFor(key: string, tombstones: readonly number[]): string | undefined {
    const path = this.#insteadPath(key, tombstones);
    if (!existsSync(path)) return undefined;
    const right = readFileSync(path, 'utf8');
    return this.hasShard(right) ? right : undefined;
  }

  /**
   * Recomputes a shard in the way in which a published one is committed to; its id.
   * @param tombstones the documents that have no content in the list
   */
  recompute(
    published: ShardCommitment,
    { sources, tombstones }: RecomputedFrom,
    saltSecret?: Uint8Array,
  ): string {
    let key = '';
    const nameOf = (commitment: ShardCommitment): string => {
      key = toHex(shardId(commitment));
      return key;
    };
    const { datanetId, firstPosition, entriesPerLeaf } = published;
    const salt = published.salted ? { saltSecret } : {};
    const input = joinInputs([{ sources }]);
    try {
      writeShard({ parent: this.#shards, nameOf }, (sink) =>
        buildShard(input, { datanetId, firstPosition, entriesPerLeaf, ...salt, sink }),
      );
    } catch (error) {
      // A right shard that a wrong one was held against before.
      if (!this.hasShard(key)) throw error;
    }
    this.#replace(this.#insteadPath(toHex(shardId(published)), tombstones), Buffer.from(key));
    return key;
  }

  #insteadPath(key: string, tombstones: readonly number[]): string {
    const variant = tombstones.length === 0 ? '' : `-${toHex(sha256(utf8(tombstones.join(' '))))}`;
    return join(this.#instead, `${key}${variant}`);
  }

  #replace(path: string, bytes: Uint8Array): void {
    writeFileSync(`${path}.new`, bytes);
    renameSync(`${path}.new`, path);
  }

  #contentPath(root: Uint8Array): string {
    return join(this.#contents, toHex(root));
  }
}
