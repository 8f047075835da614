/** What the disk is asked, in which order, and what is left when it refuses. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { openFileDisk } from './file-disk.ts';
import type { JournalDisk } from './journal.ts';

/** Every call that reaches the system, and the one that fails. */
const system = vi.hoisted(() => ({ calls: [] as string[], failing: '', isWriteShort: false }));

function called(what: string): void {
  system.calls.push(what);
  if (what === system.failing) throw new Error(`no ${what}`);
}

/** The handle's calls are listed under the name of its file. */
function listened(file: FileHandle, name: string): FileHandle {
  return new Proxy(file, {
    get(target, property: keyof FileHandle) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return async (...given: readonly unknown[]): Promise<unknown> => {
        // Also when it says that it failed, so that none is left open.
        if (property === 'close') await target.close();
        called(`${String(property)} ${name}`);
        if (property === 'close') return undefined;
        const isShort = property === 'write' && system.isWriteShort;
        const passed = isShort ? [(given[0] as Uint8Array).subarray(0, 3)] : given;
        return Reflect.apply(value, target, passed);
      };
    },
  });
}

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    async open(path: string, flags: string, mode?: number) {
      const name = path === folder ? 'folder' : basename(path);
      called(`open ${name}`);
      return listened(await real.open(path, flags, mode), name);
    },
    async rename(from: string, to: string) {
      called(`rename ${basename(from)} ${basename(to)}`);
      await real.rename(from, to);
    },
  };
});

let folder = '';
let path = '';
let isLocked = false;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-disk-'));
  path = join(folder, 'log');
  isLocked = false;
  Object.assign(system, { calls: [], failing: '', isWriteShort: false });
});

afterEach(() => rmSync(folder, { recursive: true }));

function tryLock(): (() => void) | undefined {
  if (isLocked) return undefined;
  isLocked = true;
  return () => {
    isLocked = false;
  };
}

const openLog = (): Promise<JournalDisk> => openFileDisk(path, { tryLock });

/** What a step asks of the system. */
async function callsOf(step: () => Promise<unknown>): Promise<readonly string[]> {
  system.calls = [];
  await step();
  return system.calls;
}

const SYNCED_FOLDER = ['open folder', 'sync folder', 'close folder'];

test('a file that is made is durable with its name, and what is appended when it was synced', async () => {
  const disk = await openLog();
  expect(system.calls).toEqual(['open log', ...SYNCED_FOLDER]);
  expect(await callsOf(() => disk.append(utf8('one')))).toEqual(['write log']);
  expect(await callsOf(() => disk.sync())).toEqual(['datasync log']);
  expect(await callsOf(() => disk.close())).toEqual(['close log']);
  expect(isLocked).toBe(false);
});

test('a file is replaced by one that is durable before it takes the name', async () => {
  const disk = await openLog();
  await disk.append(utf8('old'));
  expect(await callsOf(() => disk.replace(utf8('new')))).toEqual([
    'open log.new',
    'writeFile log.new',
    'sync log.new',
    'close log.new',
    'rename log.new log',
    ...SYNCED_FOLDER,
    'close log',
    'open log',
  ]);
  await disk.append(utf8('er'));
  expect(new TextDecoder().decode(await disk.read())).toBe('newer');
  await disk.close();
});

test.each(['open log.new', 'writeFile log.new', 'sync log.new', 'close log.new', 'rename log.new log'])(
  'when %s fails, what was there stays',
  async (failing) => {
    const disk = await openLog();
    await disk.append(utf8('old'));
    system.failing = failing;
    await expect(disk.replace(utf8('new'))).rejects.toThrow(`no ${failing}`);
    expect(readFileSync(path, 'utf8')).toBe('old');
    await disk.append(utf8('er'));
    await disk.close();
    expect(readFileSync(path, 'utf8')).toBe('older');
  },
);

test('a write that is cut short is an error, not a success', async () => {
  const disk = await openLog();
  system.isWriteShort = true;
  await expect(disk.append(utf8('voucher'))).rejects.toMatchObject({
    code: 'vouchers.disk',
    message: '3 of 7 bytes were written',
  });
  await disk.close();
});

test.each(['open log', 'open folder', 'sync folder'])(
  'when %s fails at the opening, the lock is given back',
  async (failing) => {
    system.failing = failing;
    await expect(openLog()).rejects.toThrow(`no ${failing}`);
    expect(isLocked).toBe(false);
    const opened = system.calls.filter((call) => call.startsWith('open ') && call !== failing);
    expect(system.calls.filter((call) => call.startsWith('close '))).toHaveLength(opened.length);
  },
);

test('a file that cannot be closed gives its lock back and says so', async () => {
  const disk = await openLog();
  system.failing = 'close log';
  await expect(disk.close()).rejects.toThrow('no close log');
  expect(isLocked).toBe(false);
});

test('what is locked is not opened, and the error says what to do', async () => {
  const disk = await openLog();
  await expect(openLog()).rejects.toMatchObject({
    code: 'vouchers.locked',
    message: `the journal ${path} is open already, in this process or another (see ${path}.lock); stop that one first`,
  });
  expect(isLocked).toBe(true);
  await disk.close();
});
