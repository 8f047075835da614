/**
 * Pages of files in a bounded memory, the least recently used given up first: an index may be larger than the
 * heap, and than the cache. Reads are synchronous, as searches are; a page is what one miss costs.
 */
import { readSync } from 'node:fs';
import { assert } from '../../core/errors.ts';
import { indexError } from './errors.ts';
import type { Uint32Source } from './shard-files.ts';

/** Bytes of a page by default: a search of n tokens ends inside one after some log2 n − 12 others. */
export const PAGE_BYTES = 16_384;

/** Most bytes of a cache. */
const CACHE_BYTES_MAX: number = 2 ** 32;

const NONE = -1;

/** How large a cache is. */
export interface CacheOptions {
  /** Bytes of all pages together: at least one page. */
  readonly bytes: number;
  /** A power of two from 64 on. */
  readonly pageBytes?: number;
}

/** What a cache has done. */
export interface CacheStats {
  readonly hits: number;
  readonly misses: number;
  /** Pages that were given up for others. */
  readonly evictions: number;
  /** Pages that there is room for. */
  readonly pages: number;
  readonly pageBytes: number;
}

/** A cache that files share. */
export class PageCache {
  readonly pageBytes: number;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #wordShift: number;
  /** Which page of which file a slot holds. */
  readonly #files: (PagedFile | undefined)[];
  readonly #pages: Float64Array;
  /** Slots from the newest to the oldest, as a ring through slot `#slots`, its head. */
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  readonly #slots: number;
  #used = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  constructor({ bytes, pageBytes = PAGE_BYTES }: CacheOptions) {
    assert(pageBytes >= 64 && Number.isInteger(Math.log2(pageBytes)), 'a page is a power of two', {
      pageBytes,
    });
    assert(bytes >= pageBytes && bytes <= CACHE_BYTES_MAX, 'a cache holds a page at least', { bytes });
    this.pageBytes = pageBytes;
    this.#slots = Math.floor(bytes / pageBytes);
    this.#words = new Uint32Array((this.#slots * pageBytes) / 4);
    this.#bytes = new Uint8Array(this.#words.buffer);
    this.#wordShift = Math.log2(pageBytes / 4);
    this.#files = new Array<PagedFile | undefined>(this.#slots).fill(undefined);
    this.#pages = new Float64Array(this.#slots);
    this.#newer = new Int32Array(this.#slots + 1).fill(this.#slots);
    this.#older = new Int32Array(this.#slots + 1).fill(this.#slots);
  }

  /** A file that is read through this cache. The caller closes `fd`, after `release`. */
  file(fd: number, bytes: number, path: string): PagedFile {
    return new PagedFile(this, { fd, bytes, path });
  }

  get stats(): CacheStats {
    const { pageBytes } = this;
    const [hits, misses, evictions] = [this.#hits, this.#misses, this.#evictions];
    return { hits, misses, evictions, pages: this.#slots, pageBytes };
  }

  /** A 32-bit integer of a slot that holds it. */
  word(slot: number, index: number): number {
    this.#hits++;
    if (this.#older[this.#slots] !== slot) this.#touch(slot);
    return this.#words[(slot << this.#wordShift) + index] ?? 0;
  }

  /** Bytes of a slot, until the next page is loaded. */
  view(slot: number): Uint8Array {
    this.#hits++;
    if (this.#older[this.#slots] !== slot) this.#touch(slot);
    return this.#bytes.subarray(slot * this.pageBytes, (slot + 1) * this.pageBytes);
  }

  /** Reads a page into a slot; which one. */
  load(file: PagedFile, page: number): number {
    this.#misses++;
    const slot = this.#used < this.#slots ? this.#used++ : this.#evict();
    const at = slot * this.pageBytes;
    this.#files[slot] = undefined;
    this.#insert(slot);
    file.readPage(page, this.#bytes.subarray(at, at + this.pageBytes));
    this.#files[slot] = file;
    this.#pages[slot] = page;
    return slot;
  }

  /** Forgets the slots of a file that is closed; they are the first to be used again. */
  forget(file: PagedFile): void {
    for (let slot = 0; slot < this.#used; slot++) {
      if (this.#files[slot] !== file) continue;
      this.#files[slot] = undefined;
      this.#unlink(slot);
      this.#link(slot, this.#newer[this.#slots] ?? this.#slots);
    }
  }

  #evict(): number {
    const slot = this.#newer[this.#slots] ?? 0;
    const file = this.#files[slot];
    if (file !== undefined) {
      file.drop(this.#pages[slot] ?? 0);
      this.#evictions++;
    }
    this.#unlink(slot);
    return slot;
  }

  #touch(slot: number): void {
    this.#unlink(slot);
    this.#insert(slot);
  }

  /** Makes a slot the newest. */
  #insert(slot: number): void {
    this.#link(slot, this.#slots);
  }

  /** Puts a slot behind another, which is newer. */
  #link(slot: number, after: number): void {
    const older = this.#older[after] ?? this.#slots;
    this.#older[after] = slot;
    this.#newer[slot] = after;
    this.#older[slot] = older;
    this.#newer[older] = slot;
  }

  #unlink(slot: number): void {
    const newer = this.#newer[slot] ?? this.#slots;
    const older = this.#older[slot] ?? this.#slots;
    this.#older[newer] = older;
    this.#newer[older] = newer;
  }
}

/** A file that is read page by page. */
export class PagedFile implements Uint32Source {
  readonly #cache: PageCache;
  readonly #fd: number;
  readonly #size: number;
  readonly #path: string;
  readonly #slots: Int32Array;
  readonly #wordShift: number;
  readonly #wordMask: number;

  constructor(cache: PageCache, { fd, bytes, path }: { fd: number; bytes: number; path: string }) {
    this.#cache = cache;
    this.#fd = fd;
    this.#size = bytes;
    this.#path = path;
    this.#slots = new Int32Array(Math.ceil(bytes / cache.pageBytes)).fill(NONE);
    this.#wordShift = Math.log2(cache.pageBytes / 4);
    this.#wordMask = cache.pageBytes / 4 - 1;
  }

  get(index: number): number {
    const page = index >>> this.#wordShift;
    let slot = this.#slots[page];
    if (slot === undefined) return 0;
    if (slot === NONE) slot = this.#load(page);
    return this.#cache.word(slot, index & this.#wordMask);
  }

  /** A copy of some bytes. @throws LedgerError (`attest.index_damaged`) when the file ends before */
  read(at: number, length: number): Uint8Array {
    if (at + length > this.#size) throw this.#damaged();
    const { pageBytes } = this.#cache;
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const page = Math.floor((at + done) / pageBytes);
      const from = at + done - page * pageBytes;
      const held = this.#slots[page] ?? NONE;
      const view = this.#cache.view(held === NONE ? this.#load(page) : held);
      const part = view.subarray(from, from + length - done);
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  /** Gives up all pages. */
  release(): void {
    this.#cache.forget(this);
    this.#slots.fill(NONE);
  }

  /** For the cache: a page is no longer held. */
  drop(page: number): void {
    this.#slots[page] = NONE;
  }

  /** For the cache: fills `into` with a page, zeros behind the end of the file. */
  readPage(page: number, into: Uint8Array): void {
    const from = page * into.length;
    const wanted = Math.min(into.length, this.#size - from);
    let got = 0;
    while (got < wanted) {
      const count = readSync(this.#fd, into, got, wanted - got, from + got);
      if (count === 0) throw this.#damaged();
      got += count;
    }
    into.fill(0, wanted);
  }

  #load(page: number): number {
    const slot = this.#cache.load(this, page);
    this.#slots[page] = slot;
    return slot;
  }

  #damaged(): Error {
    return indexError(
      'damaged',
      `${this.#path} ends before its ${this.#size} bytes: run \`openledgerd attest index verify\` and build it again`,
    );
  }
}
