import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { tryLock } from '../../cli/process-lock.ts';
import { openFileDisk } from './file-disk.ts';
import { Journal, type JournalDisk } from './journal.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vouchers-'));
  folders.push(folder);
  return join(folder, 'journal');
}

/** A file in memory; `failing` operations reject. */
function memoryDisk(
  bytes: Uint8Array = new Uint8Array(0),
): JournalDisk & { bytes: Uint8Array; failing: boolean; syncs: number } {
  const disk = {
    bytes,
    failing: false,
    syncs: 0,
    read: async () => disk.bytes,
    append: async (more: Uint8Array) => {
      disk.bytes = Buffer.concat([disk.bytes, more]);
    },
    sync: async () => {
      disk.syncs++;
      if (disk.failing) throw new Error('no space left');
    },
    replace: async (all: Uint8Array) => {
      disk.bytes = all;
    },
    close: async () => undefined,
  };
  return disk;
}

test('what was written is read back by the next process, the last value of each key', async () => {
  const path = newFile();
  const journal = await Journal.open(await openFileDisk(path, { tryLock }));
  await journal.compareAndSet('a', 0, { n: 1 });
  await journal.compareAndSet('b/1', 0, ['x']);
  await journal.compareAndSet('a', 1, { n: 2 });
  await journal.close();
  const next = await Journal.open(await openFileDisk(path, { tryLock }));
  expect(next.get('a')).toEqual({ value: { n: 2 }, version: 2 });
  expect([next.keys('b/'), next.get('c')]).toEqual([['b/1'], undefined]);
  await next.close();
});

test('of two that write at a time, one is told that the other was quicker', async () => {
  const journal = await Journal.open(memoryDisk());
  const [first, second] = [journal.compareAndSet('a', 0, 1), journal.compareAndSet('a', 0, 2)];
  expect(second).toBeUndefined();
  await first;
  expect(journal.get('a')).toEqual({ value: 1, version: 1 });
  expect(journal.compareAndSet('a', 2, 3)).toBeUndefined();
});

test('writes of one moment are synced once', async () => {
  const disk = memoryDisk();
  const journal = await Journal.open(disk);
  await Promise.all(Array.from({ length: 50 }, (_, i) => journal.compareAndSet(`key ${i}`, 0, i)));
  expect(disk.syncs).toBe(1);
});

test('a journal that is cut off anywhere has all batches that were durable before, and goes on', async () => {
  const disk = memoryDisk();
  const journal = await Journal.open(disk);
  const ends: number[] = [];
  for (let i = 0; i < 6; i++) {
    await journal.compareAndSet('a', i, `value ${i}`);
    ends.push(disk.bytes.length);
  }
  const whole = disk.bytes;
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length), fc.uint8Array({ maxLength: 30 }), async (length, junk) => {
      const torn = memoryDisk(Buffer.concat([whole.subarray(0, length), junk.map((byte) => byte | 128)]));
      const next = await Journal.open(torn);
      const durable = ends.filter((end) => end <= length).length;
      expect(next.get('a')?.version ?? 0).toBe(durable);
      await next.compareAndSet('a', durable, 'after');
      expect((await Journal.open(torn)).get('a')).toEqual({ value: 'after', version: durable + 1 });
    }),
  );
});

test('damage before good lines is no crash: the journal is not opened', async () => {
  const path = newFile();
  const journal = await Journal.open(await openFileDisk(path, { tryLock }));
  for (let i = 0; i < 3; i++) await journal.compareAndSet('a', i, i);
  await journal.close();
  const bytes = readFileSync(path);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  // Twice: what cannot be opened is not kept locked.
  for (let i = 0; i < 2; i++)
    await expect(openFileDisk(path, { tryLock }).then((disk) => Journal.open(disk))).rejects.toMatchObject({
      code: 'vouchers.corrupt',
    });
});

test('after a failed sync nothing is written any more, and whoever waits is told', async () => {
  const disk = memoryDisk();
  const journal = await Journal.open(disk);
  disk.failing = true;
  const [one, two] = [journal.compareAndSet('a', 0, 1), journal.compareAndSet('b', 0, 1)];
  await expect(one).rejects.toMatchObject({ code: 'vouchers.disk' });
  await expect(two).rejects.toMatchObject({ code: 'vouchers.disk' });
  disk.failing = false;
  expect(() => journal.compareAndSet('c', 0, 1)).toThrow('cannot be written');
});

test('a file that is mostly dead lines is written anew when it is opened', async () => {
  const path = newFile();
  const journal = await Journal.open(await openFileDisk(path, { tryLock }));
  for (let i = 0; i < 40; i++) await journal.compareAndSet('a', i, `value ${i}`);
  await journal.close();
  const before = readFileSync(path).length;
  const next = await Journal.open(await openFileDisk(path, { tryLock }));
  expect(readFileSync(path).length).toBeLessThan(before / 10);
  await next.compareAndSet('a', 40, 'more');
  await next.close();
  const last = await Journal.open(await openFileDisk(path, { tryLock }));
  expect(last.get('a')).toEqual({ value: 'more', version: 41 });
  await last.close();
});

test('a journal that is open is not opened again, until it is closed', async () => {
  const path = newFile();
  const journal = await Journal.open(await openFileDisk(path, { tryLock }));
  await expect(openFileDisk(path, { tryLock })).rejects.toMatchObject({ code: 'vouchers.locked' });
  await journal.compareAndSet('a', 0, 1);
  await journal.close();
  await (await openFileDisk(path, { tryLock })).close();
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test('another process keeps the journal for as long as it lives, and not longer when it is killed', async () => {
  const path = newFile();
  const program = `
    const { tryLock } = await import(${JSON.stringify(new URL('../../cli/process-lock.ts', import.meta.url))});
    const { openFileDisk } = await import(${JSON.stringify(new URL('file-disk.ts', import.meta.url))});
    await openFileDisk(${JSON.stringify(path)}, { tryLock });
    process.stdout.write('open');
    setInterval(() => undefined, 1000);`;
  const other = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(other.stdout, 'data');
    await expect(openFileDisk(path, { tryLock })).rejects.toMatchObject({ code: 'vouchers.locked' });
  } finally {
    other.kill('SIGKILL');
  }
  await once(other, 'exit');
  await (await openFileDisk(path, { tryLock })).close();
});
