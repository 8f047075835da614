/** The log on a disk that refuses. */
import { appendFileSync, mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { DirectoryWalFiles } from './files.ts';
import type { WalRecord } from './record.ts';
import { FILE_PATTERN, Wal } from './wal.ts';

const record = (text: string): WalRecord => ({ type: 1, payload: utf8(text) });
const logsIn = (path: string): string[] => readdirSync(path).filter((name) => FILE_PATTERN.test(name));
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wal-'));
});

class Refusing extends DirectoryWalFiles {
  refuses: 'keep' | 'remove' | undefined;
  /** The names of logs each time that they were made durable. */
  readonly syncedNames: string[][] = [];

  protected override syncNames(): void {
    this.syncedNames.push(logsIn(directory));
    super.syncNames();
  }

  override keep(name: string, bytes: Uint8Array): void {
    if (this.refuses === 'keep') throw new Error('ENOSPC: no space left on device');
    super.keep(name, bytes);
  }

  override remove(name: string): void {
    if (this.refuses === 'remove') throw new Error('EPERM: operation not permitted');
    super.remove(name);
  }
}

test('an old file that cannot be removed is told once, and goes when it can', async () => {
  const files = new Refusing(directory, FILE_PATTERN);
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const wal = Wal.open({ directory, files, warn, fileBytesMax: 100, totalBytesMax: 300 });
  files.refuses = 'remove';
  for (let height = 1n; height <= 10n; height++) {
    wal.append(record('x'.repeat(100)));
    await wal.endHeight(height);
  }
  expect(logsIn(directory)).toContain('wal-00000001.log');
  expect(warnings).toEqual([expect.stringMatching(/wal-00000001\.log cannot be removed: EPERM/)]);
  files.refuses = undefined;
  wal.append(record('more'));
  await wal.endHeight(11n);
  await wal.close();
  expect(logsIn(directory)).not.toContain('wal-00000001.log');
  expect(logsIn(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)).toBeLessThan(
    500,
  );
  expect(Wal.open({ directory }).takeReplay(11n, false)).toEqual([]);
});

test('a disk that is full when a torn end is to be cut is named, and nothing is lost', async () => {
  const wal = Wal.open({ directory });
  wal.append(record('a'));
  await wal.close();
  appendFileSync(join(directory, 'wal-00000001.log'), 'torn');
  const files = new Refusing(directory, FILE_PATTERN);
  files.refuses = 'keep';
  const message = expect.stringMatching(/cannot open the consensus log in .*no space left.*start again/);
  expect(() => Wal.open({ directory, files })).toThrow(
    expect.objectContaining({ code: 'wal.open', message }),
  );
  expect(Wal.open({ directory }).takeReplay(0n, true)).toHaveLength(1);
});

test('what a crash left of a new file stays away, once it is removed', async () => {
  const wal = Wal.open({ directory });
  wal.append(record('a'));
  await wal.close();
  const torn = join(directory, 'wal-00000002.log');
  writeFileSync(torn, '');
  const files = new Refusing(directory, FILE_PATTERN);
  Wal.open({ directory, files });
  // If it came back, a torn end of the file before would look like damage.
  expect(files.syncedNames).toEqual([['wal-00000001.log']]);
});
