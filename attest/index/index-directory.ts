/**
 * An index of a Datanet: a directory of shards and a list of them. Shards are added and never changed; the
 * list is replaced in one step, after the shards it names are durable. What it does not name is removed.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { SHARD_TOKENS_MAX } from '../../modules/attribution/proof/kinds.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import type { SourceDocument } from '../shard.ts';
import { type BuildProgress, buildShard } from './build.ts';
import { indexError } from './errors.ts';
import { coverOf, generationsOf, longestFrom, type PositionRange } from './generations.ts';
import {
  type IndexSettings,
  type Manifest,
  MANIFEST_FILE,
  readManifest,
  type ShardEntry,
  writeManifest,
} from './manifest.ts';
import { PageCache } from './page-cache.ts';
import { type OpenShard, openShard, removeLeftovers, writeShard } from './shard-directory.ts';
import { readHeader } from './shard-header.ts';
import { type InputPart, joinInputs } from './shard-input.ts';

/** How the names of shards begin. */
const SHARD_PREFIX = 'shard-';
/** Hexadecimal digits of a shard's id in its name. */
const ID_DIGITS = 12;
/** What shards are read through that go into a larger one. */
const MERGE_CACHE_BYTES = 1 << 24;

/** How an index is opened. */
export interface IndexOptions {
  /** Of a salted index: its shards are built and opened with it. */
  readonly saltSecret?: Uint8Array | undefined;
  /** Most tokens of a shard that is built here, which bounds memory: at most, and by default, 2^28. */
  readonly tokensMax?: number | undefined;
}

/** What an index grows by. */
export interface GrowthPlan {
  /** Documents that the Datanet has. */
  readonly count: number;
  /**
   * The document at a position of the log: asked for only where no shard has it; again when a shard is too
   * large.
   */
  readonly source: (position: number) => SourceDocument;
  readonly progress?: ((range: PositionRange, progress: BuildProgress) => void) | undefined;
}

/** An index on disk. One process writes at a time; readers need no lock. */
export class IndexDirectory {
  readonly path: string;
  readonly #options: IndexOptions;
  #manifest: Manifest;

  private constructor(path: string, manifest: Manifest, options: IndexOptions) {
    this.path = path;
    this.#manifest = manifest;
    this.#options = options;
  }

  /**
   * Makes an empty index in a directory that has none.
   * @throws LedgerError (`attest.index_busy`) when it has one
   */
  static create(
    path: string,
    settings: Omit<IndexSettings, 'salted'>,
    options: IndexOptions = {},
  ): IndexDirectory {
    mkdirSync(path, { recursive: true });
    if (readdirSync(path).includes(MANIFEST_FILE))
      throw indexError('busy', `${path} has an index already: build elsewhere, or remove it`);
    const salted = options.saltSecret !== undefined;
    const manifest: Manifest = { settings: { ...settings, salted }, shards: [], withdrawn: [] };
    writeManifest(path, manifest);
    return new IndexDirectory(path, manifest, options);
  }

  /** @throws LedgerError (`attest.index_missing`, `_version`, `_damaged`) naming the file */
  static open(path: string, options: IndexOptions = {}): IndexDirectory {
    return new IndexDirectory(path, readManifest(path), options);
  }

  get settings(): IndexSettings {
    return this.#manifest.settings;
  }

  /** All shards, also those that larger ones have taken up. */
  get shards(): readonly ShardEntry[] {
    return this.#manifest.shards;
  }

  /** Contributions withdrawn since the shards that hold them were built. */
  get withdrawn(): readonly bigint[] {
    return this.#manifest.withdrawn;
  }

  /** How many documents the longest row of shards from the start has. */
  get documents(): number {
    let end = 0;
    for (let next = this.#longest(end); next !== undefined; next = this.#longest(end)) end += next.documents;
    return end;
  }

  /**
   * The shards that index the first `count` documents and nothing else.
   * @throws LedgerError (`attest.index_missing`) when no row of shards ends there
   */
  snapshot(count: number): ShardEntry[] {
    const row = coverOf(this.shards, 0, count);
    if (row !== undefined) return row;
    throw indexError(
      'missing',
      `${this.path} has no shards that end at document ${count}; it reaches to ${this.documents}: build it further`,
    );
  }

  /** Opens a shard: in pages through a cache, or all of it in memory. */
  openShard({ name }: Pick<ShardEntry, 'name'>, cache?: PageCache): OpenShard {
    return openShard(join(this.path, name), { cache, saltSecret: this.#options.saltSecret });
  }

  /** Remembers contributions as withdrawn. */
  withdraw(contributionIds: Iterable<bigint>): void {
    const withdrawn = [...new Set([...this.withdrawn, ...contributionIds])].sort((a, b) => (a < b ? -1 : 1));
    this.#save({ ...this.#manifest, withdrawn });
  }

  /**
   * Builds what is missing for a snapshot of `count` documents; the shards that are new. Those that larger
   * ones take up stay until `prune`: they may be published.
   */
  grow(plan: GrowthPlan): ShardEntry[] {
    this.#prepare();
    return generationsOf(plan.count, this.settings.documentsMax).flatMap((range) =>
      this.#ensure(range, plan),
    );
  }

  /** Builds the shards of the whole index again that hold withdrawn contributions, without their text. */
  dropWithdrawn(progress?: GrowthPlan['progress']): ShardEntry[] {
    this.#prepare();
    const fresh: ShardEntry[] = [];
    for (const old of this.snapshot(this.documents)) {
      if (!this.#holdsWithdrawn(old)) continue;
      const entry = this.#build(old, this.#partsOf(old, noSource), progress);
      this.#save({ ...this.#manifest, shards: [...this.shards.filter((each) => each !== old), entry] });
      fresh.push(entry);
    }
    this.#save({ ...this.#manifest, withdrawn: [] });
    this.removeUnlisted();
    return fresh;
  }

  /** Removes shards that the snapshot of the whole index does not need; their names. */
  prune(): string[] {
    const keep = this.snapshot(this.documents);
    const gone = this.shards.filter((entry) => !keep.includes(entry)).map(({ name }) => name);
    this.#save({ ...this.#manifest, shards: keep });
    this.removeUnlisted();
    return gone;
  }

  /** Removes shards that the list does not name, and what killed builds have left. */
  removeUnlisted(): void {
    removeLeftovers(this.path);
    const listed = new Set(this.shards.map(({ name }) => name));
    for (const name of readdirSync(this.path)) {
      if (name.startsWith(SHARD_PREFIX) && !listed.has(name))
        rmSync(join(this.path, name), { recursive: true, force: true });
    }
  }

  /**
   * Before anything is built. @throws LedgerError (`attest.index_salt`) without the secret of a salted index
   */
  #prepare(): void {
    if (this.settings.salted !== (this.#options.saltSecret !== undefined))
      throw indexError(
        'salt',
        this.settings.salted
          ? `${this.path} is salted: give the secret that it was built with`
          : `${this.path} is not salted: build another index with this secret`,
      );
    this.removeUnlisted();
  }

  /** Builds the shard of a range that has none; two of its halves, and so on, where it would be too large. */
  #ensure(range: PositionRange, plan: GrowthPlan): ShardEntry[] {
    const { first, documents } = range;
    if (this.shards.some((entry) => entry.first === first && entry.documents === documents)) return [];
    const halves = (): ShardEntry[] => {
      const half = documents / 2;
      return [first, first + half].flatMap((from) => this.#ensure({ first: from, documents: half }, plan));
    };
    if (documents > 1 && this.#tokensWithin(range) > this.#tokensMax) return halves();
    let entry: ShardEntry;
    try {
      entry = this.#build(range, this.#partsOf(range, plan.source), plan.progress);
    } catch (error) {
      if (documents > 1 && isTooLarge(error)) return halves();
      throw error;
    }
    this.#save({ ...this.#manifest, shards: [...this.shards, entry] });
    return [entry];
  }

  get #tokensMax(): number {
    return this.#options.tokensMax ?? SHARD_TOKENS_MAX;
  }

  /** Tokens of the shards that a range takes up. */
  #tokensWithin({ first, documents }: PositionRange): number {
    let tokens = 0;
    for (let at = first; at < first + documents; ) {
      const entry = this.#longest(at, first + documents);
      if (entry !== undefined) tokens += readHeader(join(this.path, entry.name)).commitment.tokens;
      at += entry?.documents ?? 1;
    }
    return tokens;
  }

  #longest(first: number, end = Number.MAX_SAFE_INTEGER): ShardEntry | undefined {
    return longestFrom(this.shards, first, end);
  }

  /** What a shard is made of: those it takes up, and the documents that no shard has. */
  *#partsOf(range: PositionRange, source: GrowthPlan['source']): Generator<InputPart> {
    const withdrawn = this.#isWithdrawn();
    const cache = new PageCache({ bytes: MERGE_CACHE_BYTES });
    const end = range.first + range.documents;
    for (let at = range.first; at < end; ) {
      const entry = this.#longest(at, end);
      if (entry === undefined) {
        yield { sources: [source(at)] };
        at++;
        continue;
      }
      const open = this.openShard(entry, cache);
      try {
        yield { shard: open.shard, withdrawn };
      } finally {
        open.close();
      }
      at += entry.documents;
    }
  }

  #build(range: PositionRange, parts: Iterable<InputPart>, progress: GrowthPlan['progress']): ShardEntry {
    const input = joinInputs(parts, this.#tokensMax);
    const { datanetId, entriesPerLeaf } = this.settings;
    const name = writeShard(
      {
        parent: this.path,
        nameOf: (commitment) => {
          const id = toHex(shardId(commitment)).slice(0, ID_DIGITS);
          return `${SHARD_PREFIX}${range.first}-${range.documents}-${id}`;
        },
      },
      (sink) =>
        buildShard(input, {
          datanetId,
          firstPosition: BigInt(range.first),
          entriesPerLeaf,
          saltSecret: this.#options.saltSecret,
          sink,
          progress: (done) => progress?.(range, done),
        }),
    );
    return { name, first: range.first, documents: range.documents };
  }

  #isWithdrawn(): (contributionId: bigint) => boolean {
    const withdrawn = new Set(this.withdrawn);
    return (id) => withdrawn.has(id);
  }

  #holdsWithdrawn(entry: ShardEntry): boolean {
    const isWithdrawn = this.#isWithdrawn();
    const { shard, close } = this.openShard(entry, new PageCache({ bytes: MERGE_CACHE_BYTES }));
    try {
      for (let index = 0; index < shard.documents; index++) {
        const { contributionId, tombstone } = shard.document(index);
        if (!tombstone && isWithdrawn(contributionId)) return true;
      }
      return false;
    } finally {
      close();
    }
  }

  #save(manifest: Manifest): void {
    writeManifest(this.path, manifest);
    this.#manifest = manifest;
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof LedgerError && error.code === 'attest.index_size';
}

function noSource(position: number): never {
  throw indexError('missing', `no shard has document ${position}`);
}
