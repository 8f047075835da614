/** Pages: what is read is what the file has, however few are held; the oldest goes first. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { PageCache, type PagedFile } from './page-cache.ts';

const folder = mkdtempSync(join(tmpdir(), 'page-cache-'));
const words = Uint32Array.from({ length: 1000 }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
const bytes = new Uint8Array(words.buffer);
const path = join(folder, 'file');
writeFileSync(path, bytes);
const fd = openSync(path, 'r');

afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

function cacheOf(pages: number): { cache: PageCache; file: PagedFile } {
  const cache = new PageCache({ bytes: 64 * pages, pageBytes: 64 });
  return { cache, file: cache.file(fd, bytes.length, path) };
}

test('reads equal the file, over caches of one page and more', () => {
  const reads = fc.array(fc.tuple(fc.nat(1010), fc.nat(200)), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), reads, (pages, list) => {
      const { cache, file } = cacheOf(pages);
      const second = cache.file(fd, bytes.length, path);
      for (const [index, length] of list) {
        expect(file.get(index)).toBe(words[index] ?? 0);
        const at = Math.min(4 * index, bytes.length - length);
        expect(second.read(at, length)).toEqual(bytes.slice(at, at + length));
        if (length === 7) file.release();
      }
    }),
  );
});

test('the page that was not used for longest is given up', () => {
  const { cache, file } = cacheOf(3);
  for (const page of [0, 1, 2, 0, 3, 0, 2]) file.get(16 * page);
  expect(cache.stats).toEqual({ hits: 7, misses: 4, evictions: 1, pages: 3, pageBytes: 64 });
  file.get(16);
  expect(cache.stats.misses).toBe(5);
  file.get(0);
  file.get(32);
  expect(cache.stats.misses).toBe(5);
});

test('a file that became shorter is named, with what to do', () => {
  const cache = new PageCache({ bytes: 64, pageBytes: 64 });
  const file = cache.file(fd, bytes.length + 64, path);
  expect(() => file.get(1001)).toThrow(/ends before its 4064 bytes: run `openledgerd attest index verify`/);
  expect(() => file.read(4060, 9)).toThrow(/ends before/);
  expect(file.get(3)).toBe(words[3]);
});
