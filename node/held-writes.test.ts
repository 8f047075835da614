import { expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import type { Database } from './database.ts';
import { DatabaseGroup } from './held-writes.ts';

/** A database in memory that notes each write, and can keep one waiting. */
function fakeDisk() {
  const log: string[] = [];
  const pairs = new Map<string, Uint8Array>();
  let gate: Promise<void> = Promise.resolve();
  const open = async (directory: string): Promise<Database> => ({
    getSync: (key) => pairs.get(`${directory} ${key.join()}`),
    batch: () => {
      const writes: (() => void)[] = [];
      return {
        put: (key, value) => writes.push(() => pairs.set(`${directory} ${key.join()}`, value)),
        del: (key) => writes.push(() => pairs.delete(`${directory} ${key.join()}`)),
        write: async (options) => {
          await gate;
          log.push(`${directory} ${writes.length}${options?.sync === true ? ' synced' : ''}`);
          for (const write of writes) write();
        },
      };
    },
    close: async () => undefined,
  });
  return { log, pairs, open, waitFor: (until: Promise<void>) => void (gate = until) };
}

const [a, b] = [utf8('a'), utf8('b')];
const put = (database: Database, key: Uint8Array, text: string): Promise<void> => {
  const batch = database.batch();
  batch.put(key, utf8(text));
  return batch.write({ sync: true });
};
const del = (database: Database, key: Uint8Array): Promise<void> => {
  const batch = database.batch();
  batch.del(key);
  return batch.write();
};

test('held writes are read, and are on the disk together only when they are flushed, in the order of opening', async () => {
  const disk = fakeDisk();
  const group = new DatabaseGroup(disk.open);
  const [first, second] = [await group.open('first'), await group.open('second')];
  await put(first, a, 'before');
  group.writes.hold();
  await put(second, a, 'x');
  await put(first, a, 'later');
  await put(first, b, '1');
  await del(first, b);
  expect(disk.log).toEqual(['first 1 synced']);
  expect(first.getSync(a)).toEqual(utf8('later'));
  expect(first.getSync(b)).toBeUndefined();
  await group.writes.flush();
  expect(disk.log).toEqual(['first 1 synced', 'first 2 synced', 'second 1 synced']);
  expect([...disk.pairs.keys()]).toEqual(['first 97', 'second 97']);
  await group.writes.flush();
  expect(disk.log).toHaveLength(3);
});

test('what is written while held writes go to the disk is newer, and is not lost by the release', async () => {
  const disk = fakeDisk();
  const group = new DatabaseGroup(disk.open);
  const database = await group.open('d');
  group.writes.hold();
  await put(database, a, 'old');
  let open = (): void => undefined;
  disk.waitFor(new Promise((resolve) => (open = resolve)));
  const released = group.writes.release();
  await put(database, a, 'new');
  expect(database.getSync(a)).toEqual(utf8('new'));
  open();
  await released;
  expect(disk.pairs.get('d 97')).toEqual(utf8('new'));
  await put(database, a, 'last');
  expect(disk.log).toEqual(['d 1 synced', 'd 1 synced', 'd 1 synced']);
  expect(database.getSync(a)).toEqual(utf8('last'));
});

test('closing loses what is held', async () => {
  const disk = fakeDisk();
  const group = new DatabaseGroup(disk.open);
  const database = await group.open('d');
  group.writes.hold();
  await put(database, a, 'held');
  await database.close();
  expect(disk.log).toEqual([]);
});
