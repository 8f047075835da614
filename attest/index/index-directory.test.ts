/** Indexes that grow: snapshots are covered exactly, by the shards that one build would make. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { ShardReader, SourceDocument } from '../shard.ts';
import { naiveShard, textDocument } from '../testing/naive-shard.ts';
import { coverOf, generationsOf } from './generations.ts';
import { IndexDirectory } from './index-directory.ts';
import { MANIFEST_FILE } from './manifest.ts';

const folder = mkdtempSync(join(tmpdir(), 'index-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SETTINGS = { datanetId: 7n, entriesPerLeaf: 1, documentsMax: 8 };
const source = (position: number): SourceDocument =>
  textDocument(100 + position, `document ${position}, ${'more of it '.repeat(position % 4)}`);

function textOf(shard: ShardReader | ReturnType<typeof naiveShard>): number[] {
  return Array.from({ length: shard.tokens }, (_, rank) => shard.token(shard.suffix(rank)));
}

test('generations: powers of two, largest first, none above the most', () => {
  expect(generationsOf(13, 1024).map(({ documents }) => documents)).toEqual([8, 4, 1]);
  expect(generationsOf(13, 4).map(({ documents }) => documents)).toEqual([4, 4, 4, 1]);
  fc.assert(
    fc.property(fc.nat(600), fc.nat(10), (count, digits) => {
      const ranges = generationsOf(count, 2 ** digits);
      expect(coverOf(ranges, 0, count)).toEqual(ranges);
      // A larger Datanet keeps all shards but the smallest ones.
      const next = generationsOf(count + 1, 2 ** digits);
      expect(ranges.slice(0, next.length - 1)).toEqual(next.slice(0, -1));
    }),
  );
});

test('an index that grows has the shards of one that was built at once, and covers what it covered', () => {
  const grown = IndexDirectory.create(join(folder, 'grown'), SETTINGS);
  for (const count of [1, 3, 6, 7, 13]) {
    const before = grown.documents;
    const asked: number[] = [];
    const asking = (position: number): SourceDocument => {
      asked.push(position);
      return source(position);
    };
    grown.grow({ count, source: asking });
    expect(asked).toEqual(Array.from({ length: count - before }, (_, i) => before + i));
    expect(grown.documents).toBe(count);
  }
  const once = IndexDirectory.create(join(folder, 'once'), SETTINGS);
  once.grow({ count: 13, source });
  expect(grown.snapshot(13)).toEqual(once.snapshot(13));
  expect(once.shards.map(({ first, documents }) => [first, documents])).toEqual([
    [0, 8],
    [8, 4],
    [12, 1],
  ]);
  for (const count of [6, 7, 13]) {
    const covered = grown.snapshot(count).map((entry) => textOf(grown.openShard(entry).shard));
    const expected = grown
      .snapshot(count)
      .map(({ first, documents }) =>
        textOf(naiveShard(Array.from({ length: documents }, (_, i) => source(first + i)))),
      );
    expect(covered).toEqual(expected);
  }
  expect(() => grown.snapshot(14)).toThrow(/no shards that end at document 14; it reaches to 13/);
  expect(grown.prune().length).toBeGreaterThan(2);
  expect(readdirSync(grown.path).toSorted()).toEqual(
    [MANIFEST_FILE, ...once.shards.map(({ name }) => name)].toSorted(),
  );
  expect(IndexDirectory.open(grown.path).snapshot(13)).toEqual(once.snapshot(13));
});

test('withdrawn contributions are on the list, and tombstones after the next merge', () => {
  const index = IndexDirectory.create(join(folder, 'withdrawn'), SETTINGS);
  index.grow({ count: 5, source });
  index.withdraw([102n, 104n]);
  index.grow({ count: 6, source });
  const documentsOf = (): unknown =>
    index.snapshot(6).flatMap((entry) => {
      const { shard } = index.openShard(entry);
      return Array.from({ length: shard.documents }, (_, i) => shard.document(i).tombstone);
    });
  expect(documentsOf()).toEqual([false, false, false, false, true, false]);
  expect(IndexDirectory.open(index.path).withdrawn).toEqual([102n, 104n]);
  expect(index.dropWithdrawn()).toHaveLength(1);
  expect(documentsOf()).toEqual([false, false, true, false, true, false]);
  expect([index.withdrawn, index.dropWithdrawn()]).toEqual([[], []]);
});

test('a shard that would be too large is left in halves, and not tried again', () => {
  const index = IndexDirectory.create(join(folder, 'large'), SETTINGS, { tokensMax: 60 });
  index.grow({ count: 8, source });
  const row = index.snapshot(8);
  expect(row.length).toBeGreaterThan(1);
  for (const entry of row) expect(index.openShard(entry).shard.tokens).toBeLessThanOrEqual(60);
  expect(row.reduce((sum, { documents }) => sum + documents, 0)).toBe(8);
  const asked: number[] = [];
  const asking = (position: number): SourceDocument => {
    asked.push(position);
    return source(position);
  };
  index.grow({ count: 9, source: asking });
  expect(new Set(asked)).toEqual(new Set([8]));
  const small = IndexDirectory.create(join(folder, 'small'), SETTINGS, { tokensMax: 3 });
  expect(() => small.grow({ count: 2, source })).toThrow(/more than 3 tokens, the most of a shard/);
});

test('a build that fails or was killed changes nothing', () => {
  const index = IndexDirectory.create(join(folder, 'crash'), SETTINGS);
  index.grow({ count: 4, source });
  const before = readdirSync(index.path);
  const broken = { ...source(6), root: new Uint8Array(32) };
  expect(() =>
    index.grow({ count: 7, source: (position) => (position < 6 ? source(position) : broken) }),
  ).toThrow(/contribution 106 has another root/);
  expect(index.documents).toBe(6);
  mkdirSync(join(index.path, 'building-1'));
  mkdirSync(join(index.path, 'shard-4-2-000000000000'));
  const again = IndexDirectory.open(index.path);
  again.grow({ count: 6, source });
  expect(readdirSync(index.path)).toHaveLength(before.length + 1);
});

test('settings of an index are kept, and its list is checked', () => {
  const path = join(folder, 'settings');
  const saltSecret = Uint8Array.of(4);
  IndexDirectory.create(path, SETTINGS, { saltSecret }).grow({ count: 2, source });
  expect(IndexDirectory.open(path).settings).toEqual({ ...SETTINGS, salted: true });
  expect(() => IndexDirectory.open(path).grow({ count: 3, source })).toThrow(/is salted: give the secret/);
  expect(() => IndexDirectory.create(path, SETTINGS)).toThrow(/has an index already/);
  expect(() => IndexDirectory.open(join(path, 'x'))).toThrow(/index build` makes an index/);
  for (const [text, message] of [
    ['{', /is not what this program writes/],
    ['{"format":9}', /has format 9, this program reads 1/],
    ['{"format":1,"shards":[]}', /is not what this program writes/],
  ] as const) {
    writeFileSync(join(path, MANIFEST_FILE), text);
    expect(() => IndexDirectory.open(path)).toThrow(message);
  }
});

test.runIf(process.platform === 'linux')('where there is no space for the list, the old one stays', () => {
  const path = mkdtempSync(join(tmpdir(), 'full-'));
  const index = IndexDirectory.create(path, { datanetId: 1n, entriesPerLeaf: 8, documentsMax: 4 });
  symlinkSync('/dev/full', join(path, `${MANIFEST_FILE}.new`));
  expect(() => index.withdraw([1n])).toThrow(/no space for .*index.json \(ENOSPC\): free some/);
  expect(IndexDirectory.open(path).withdrawn).toEqual([]);
  rmSync(path, { recursive: true });
});
