import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import type { Backend } from './backend.ts';
import { openLevel } from './level.ts';
import { MemoryBackend, type MemoryPairs } from './memory.ts';

const root = mkdtempSync(join(tmpdir(), 'store-backend-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;

/** Opens a database of one kind, and opens the same one again. */
interface Kind {
  readonly name: string;
  readonly create: () => () => Promise<Backend>;
}

const kinds: readonly Kind[] = [
  {
    name: 'memory',
    create: () => {
      const pairs: MemoryPairs = new Map();
      return async () => new MemoryBackend(pairs);
    },
  },
  {
    name: 'LevelDB',
    create: () => {
      const directory = join(root, String(directories++));
      return () => openLevel(directory);
    },
  },
];

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe.each(kinds.map((kind) => [kind.name, kind.create] as const))('%s backend', (_name, create) => {
  test('reads what it wrote, also after it was opened again', async () => {
    const open = create();
    const first = await open();
    const value = bytes(1, 2, 3);
    await first.write([{ key: bytes(7), value }], { sync: true });
    value.fill(9);
    await first.write([{ key: bytes(8), value: bytes() }], { sync: false });
    await first.close();
    const again = await open();
    expect(await again.get(bytes(7))).toEqual(bytes(1, 2, 3));
    expect(await again.get(bytes(8))).toEqual(bytes());
    expect(await again.get(bytes(9))).toBeUndefined();
    await again.close();
  });

  test('the last write of a key in a batch counts, and batches keep their order', async () => {
    const backend = await create()();
    const key = utf8('k');
    await backend.write(
      [
        { key, value: bytes(1) },
        { key, value: undefined },
        { key, value: bytes(2) },
      ],
      { sync: false },
    );
    expect(await backend.get(key)).toEqual(bytes(2));
    const writes = [3, 4, 5].map((n) => backend.write([{ key, value: bytes(n) }], { sync: n === 4 }));
    await Promise.all([...writes, backend.write([{ key: bytes(0), value: undefined }], { sync: true })]);
    expect(await backend.get(key)).toEqual(bytes(5));
    await backend.close();
  });

  test('ranges are in the order of unsigned bytes, with bounds, in both directions', async () => {
    const backend = await create()();
    const keys = [
      bytes(0),
      bytes(0, 0),
      bytes(1),
      bytes(1, 255),
      bytes(127),
      bytes(128),
      bytes(255),
      bytes(255, 0),
    ];
    const batch = keys.toReversed().map((key) => ({ key, value: bytes(...key, 1) }));
    await backend.write(batch, { sync: false });
    const list = async (range: Parameters<Backend['iterate']>[0]): Promise<string[]> => {
      const pairs = await collect(backend.iterate(range));
      for (const [key, value] of pairs) expect(value).toEqual(bytes(...key, 1));
      const found = pairs.map(([key]) => toHex(key));
      expect((await collect(backend.keys(range))).map(toHex)).toEqual(found);
      return found;
    };
    const all = keys.map(toHex);
    expect(await list({})).toEqual(all);
    expect(await list({ reverse: true })).toEqual(all.toReversed());
    expect(await list({ start: bytes(1), end: bytes(128) })).toEqual(all.slice(2, 5));
    expect(await list({ start: bytes(1), end: bytes(128), reverse: true })).toEqual(
      all.slice(2, 5).toReversed(),
    );
    expect(await list({ start: bytes(2), end: bytes(2) })).toEqual([]);
    await backend.close();
  });

  test('a range shows the database as it was when it began, and may be left early', async () => {
    const backend = await create()();
    await backend.write(
      [1, 2, 3].map((n) => ({ key: bytes(n), value: bytes(n) })),
      { sync: false },
    );
    const seen: number[] = [];
    for await (const [key] of backend.iterate({})) {
      seen.push(key[0] ?? -1);
      await backend.write([{ key: bytes(2), value: undefined }], { sync: false });
    }
    expect(seen).toEqual([1, 2, 3]);
    for await (const key of backend.keys({})) {
      expect(key).toEqual(bytes(1));
      break;
    }
    await backend.close();
  });

  test('after close it refuses with an error, and closing twice is nothing', async () => {
    const backend = await create()();
    await backend.close();
    await backend.close();
    const closed = { code: 'store.closed' };
    await expect(backend.get(bytes(1))).rejects.toMatchObject(closed);
    await expect(backend.write([], { sync: false })).rejects.toMatchObject(closed);
    await expect(collect(backend.keys({}))).rejects.toMatchObject(closed);
    await expect(collect(backend.iterate({}))).rejects.toMatchObject(closed);
  });
});

test('a LevelDB directory that is in use, damaged or no directory is a clear error', async () => {
  const directory = join(root, 'errors');
  const backend = await openLevel(directory);
  await expect(openLevel(directory)).rejects.toMatchObject({ code: 'store.locked' });
  await backend.write([{ key: bytes(1), value: bytes(1) }], { sync: true });
  await backend.close();
  const manifest = readdirSync(directory).find((name) => name.startsWith('MANIFEST'));
  expect(manifest).toBeDefined();
  writeFileSync(join(directory, manifest ?? ''), 'not a manifest');
  await expect(openLevel(directory)).rejects.toMatchObject({ code: 'store.corrupt' });
  const file = join(root, 'file');
  writeFileSync(file, '');
  await expect(openLevel(file)).rejects.toMatchObject({ code: 'store.disk' });
});
