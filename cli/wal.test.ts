import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uint64BigEndian } from '../core/bytes.ts';
import { inputRecord } from '../node/engine/wal-codec.ts';
import { Wal } from '../node/wal/wal.ts';
import { tryLock } from './process-lock.ts';
import { createProgram } from './program.ts';

let home = '';
let logFile = '';
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'openledgerd-wal-'));
  await run('init', 'me', '--chain-id', 'wal-1');
  const directory = join(home, 'data', 'cs.wal');
  const wal = Wal.open({ directory });
  await wal.endHeight(4n);
  wal.append(inputRecord({ kind: 'timeoutElapsed', timeout: { kind: 'propose', height: 5n, round: 2 } }));
  wal.append({ type: 99, payload: uint64BigEndian(1n) });
  await wal.endHeight(5n);
  await wal.close();
  logFile = join(directory, 'wal-00000001.log');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ readonly out: string; readonly notes: string }> {
  let out = '';
  let notes = '';
  const program = createProgram({
    out: (text) => {
      out += text;
    },
    note: (line) => {
      notes += `${line}\n`;
    },
    interactive: false,
    ask: async () => '',
  });
  await program.parseAsync(['node', 'openledgerd', ...args, '--home', home]);
  return { out, notes };
}

function flipByte(offset: number): void {
  const bytes = readFileSync(logFile);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(logFile, bytes);
}

describe('openledgerd wal', () => {
  it('lists files and shows records of a height', async () => {
    expect((await run('wal', 'list')).out).toMatch(
      /^wal-00000001\.log {2}\d+ bytes, 4 records, ends of heights 4 to 5, whole\n$/,
    );
    const shown = (await run('wal', 'show', '--height', '5')).out.trimEnd().split('\n');
    expect(shown.map((line) => JSON.parse(line))).toEqual([
      {
        file: 'wal-00000001.log',
        offset: 54,
        kind: 'timeoutElapsed',
        timeout: { kind: 'propose', height: '5', round: 2 },
      },
      expect.objectContaining({ kind: 'unreadable', type: 99, payload: '0000000000000001' }),
      expect.objectContaining({ kind: 'endHeight', height: '5' }),
    ]);
    await expect(run('wal', 'show', '--height', 'five')).rejects.toThrow('not a height such as 42');
  });

  it('verifies, says what a repair would do, and does it', async () => {
    expect((await run('wal', 'verify')).out).toBe('the log is whole\n');
    flipByte(60);
    await expect(run('wal', 'verify')).rejects.toThrow(
      /damaged at byte 54; before it the log knows heights up to 4.*sets aside \d+ bytes/,
    );
    const dry = await run('wal', 'repair', '--dry-run');
    expect(dry.out).toContain('would be set aside');
    expect(existsSync(`${logFile}.set-aside`)).toBe(false);
    const mended = await run('wal', 'repair');
    expect(mended.notes).toContain('signing state still prevents');
    expect(existsSync(`${logFile}.set-aside`)).toBe(true);
    expect((await run('wal', 'repair')).out).toBe('the log is whole; nothing was changed\n');
    expect((await run('wal', 'list')).out).toContain('ends of heights 4 to 4, whole');
  });

  it('does not touch the log of a running node', async () => {
    flipByte(60);
    const unlock = tryLock(join(home, 'data', 'node.lock'));
    await expect(run('wal', 'repair')).rejects.toThrow(/is running already/);
    unlock?.();
  });
});
