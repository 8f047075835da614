/** Shards on disk: the same in pages as in memory, whole or not there, and damage is named. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import type { ShardReader } from '../shard.ts';
import { textDocument } from '../testing/naive-shard.ts';
import { buildShard } from './build.ts';
import { PageCache } from './page-cache.ts';
import { type OpenShard, openShard, removeLeftovers, writeShard } from './shard-directory.ts';
import { readHeader } from './shard-header.ts';
import { HEADER_FILE, MemoryStorage, SHARD_FILES, type ShardSink, TREES } from './shard-files.ts';
import { readSources } from './shard-input.ts';
import { StoredShard } from './stored-shard.ts';
import { rootLevel } from './tree-layout.ts';

const folder = mkdtempSync(join(tmpdir(), 'shards-'));
afterAll(() => rmSync(folder, { recursive: true }));

const OPTIONS = { datanetId: 1n, firstPosition: 0n, entriesPerLeaf: 8 };
const input = readSources(
  Array.from({ length: 40 }, (_, id) =>
    textDocument(id, `letter ${id}: ${'dear all, '.repeat(id % 7)} ${id * id}`),
  ),
);

function write(name: string): string {
  return join(
    folder,
    writeShard({ parent: folder, nameOf: () => name }, (sink) => buildShard(input, { ...OPTIONS, sink })),
  );
}

/** Every array, document and node. */
function sumOf(shard: ShardReader): unknown {
  const positions = Array.from({ length: shard.tokens }, (_, i) => i);
  const nodes = TREES.flatMap((tree) => {
    const leaves = leafCount(shard.commitment, tree);
    return Array.from({ length: rootLevel(leaves) + 1 }, (_, level) => shard.node(tree, level, 0));
  });
  return [
    positions.map((i) => [shard.token(i), shard.suffix(i), shard.rank(i), shard.byteOffset(i)]),
    Array.from({ length: shard.documents }, (_, i) => shard.document(i)),
    nodes.map((node) => Buffer.from(node).toString('hex')),
  ];
}

test('a shard read through a cache of three small pages is the one in memory', () => {
  const sink = new MemoryStorage();
  const expected = sumOf(new StoredShard(buildShard(input, { ...OPTIONS, sink }), sink));
  const directory = write('paged');
  const cache = new PageCache({ bytes: 3 * 64, pageBytes: 64 });
  for (const options of [{ cache }, {}]) {
    const open: OpenShard = openShard(directory, options);
    expect(sumOf(open.shard)).toEqual(expected);
    open.close();
  }
  expect(cache.stats.evictions).toBeGreaterThan(100);
  expect(readdirSync(directory).toSorted()).toEqual([HEADER_FILE, ...SHARD_FILES].toSorted());
});

test('a build that fails leaves nothing; one that is killed leaves what the next one removes', () => {
  const before = readdirSync(folder);
  expect(() => writeShard({ parent: folder, nameOf: () => 'never' }, fail)).toThrow('no');
  expect(readdirSync(folder)).toEqual(before);
  const program = [
    `const { writeShard } = await import(${JSON.stringify(join(import.meta.dirname, 'shard-directory.ts'))});`,
    `const place = { parent: ${JSON.stringify(folder)}, nameOf: () => 'never' };`,
    `writeShard(place, (sink) => { sink.create('text', 9); process.kill(process.pid, 'SIGKILL'); });`,
  ].join('\n');
  const run = (): unknown =>
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
  expect(run).toThrow();
  expect(removeLeftovers(folder)).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(before);
});

function fail(sink: ShardSink): never {
  sink.create('text', 9);
  throw new Error('no');
}

test('a directory that is there is not overwritten', () => {
  const directory = write('twice');
  expect(() => write('twice')).toThrow(/twice is there already/);
  openShard(directory).close();
});

test('damage is named: what, where, what to do', () => {
  const directory = write('damaged');
  const header = join(directory, HEADER_FILE);
  const text = readFileSync(header, 'utf8');
  const refusals: [string, RegExp][] = [
    ['', /is not what a build writes: remove the shard and build it again/],
    [text.replace('"format": 1', '"format": 2'), /has format 2, this program reads 1/],
    [text.replace(/"id": "../, '"id": "zz'), /commitment that is not its id/],
    [text.replace('"marks"', '"mark"'), /says nothing of "marks"/],
  ];
  for (const [content, message] of refusals) {
    writeFileSync(header, content);
    expect(() => readHeader(directory)).toThrow(message);
  }
  writeFileSync(header, text);
  truncateSync(join(directory, 'suffix'), 4);
  expect(() => openShard(directory)).toThrow(/suffix has 4 bytes, not \d+: remove the shard/);
  rmSync(join(directory, 'suffix'));
  expect(() => openShard(directory)).toThrow(/suffix is missing/);
  expect(() => openShard(join(folder, 'nowhere'))).toThrow(
    /shard.json is not there: no shard was built here/,
  );
});

test('where there is no space for a shard, it is said where and what to do, and nothing is left of it', () => {
  const full = (): never => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  const before = readdirSync(folder);
  expect(() => writeShard({ parent: folder, nameOf: () => 'full' }, full)).toThrow(
    `there is no space for ${folder} (ENOSPC): free some, or build the index on another disk`,
  );
  expect(readdirSync(folder)).toEqual(before);
});
