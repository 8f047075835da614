import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { DirectoryWalFiles } from './files.ts';
import { inspectWal, planRepair, recordsOf, repairWal } from './inspect.ts';
import { FILE_PATTERN, Wal } from './wal.ts';

/** Bytes before a record's payload. */
const HEADER = 13;
/** Bytes before the first record, and of the marker behind a sync. */
const FILE_HEADER = 20;
const MARKER = 13;

/** Three files, two heights each, of one input of 40 bytes a height. */
async function makeLog(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'wal-inspect-'));
  const wal = Wal.open({ directory, fileBytesMax: 120 });
  for (let height = 1n; height <= 6n; height++) {
    wal.append({ type: 2, payload: utf8(`input of ${height}`.padEnd(40, '.')) });
    await wal.endHeight(height);
  }
  await wal.close();
  return directory;
}

const filesOf = (directory: string): DirectoryWalFiles => new DirectoryWalFiles(directory, FILE_PATTERN);

function damage(directory: string, name: string, offset: number): Uint8Array {
  const path = join(directory, name);
  const bytes = readFileSync(path);
  const before = Uint8Array.from(bytes);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  return before;
}

let directory = '';
beforeEach(async () => {
  directory = await makeLog();
});

describe('inspecting a log', () => {
  it('tells the heights of each file, and every record with its place', () => {
    const reports = inspectWal(filesOf(directory));
    expect(reports.map(({ endHeights }) => endHeights)).toEqual([
      { first: 1n, last: 2n },
      { first: 3n, last: 4n },
      { first: 5n, last: 6n },
      undefined,
    ]);
    expect(reports.every(({ damage }) => damage === undefined)).toBe(true);
    const placed = [...recordsOf(filesOf(directory))];
    expect(placed).toHaveLength(12);
    expect(placed.slice(0, 3).map(({ file, offset }) => [file, offset])).toEqual([
      ['wal-00000001.log', FILE_HEADER],
      ['wal-00000001.log', FILE_HEADER + HEADER + 40],
      ['wal-00000001.log', FILE_HEADER + HEADER + 40 + HEADER + 8 + MARKER],
    ]);
  });

  it('finds nothing to repair in a whole log', () => {
    expect(repairWal(filesOf(directory))).toBeUndefined();
  });
});

describe('repairing a log', () => {
  it('cuts at the damage, keeps all bytes beside it, and the node opens what is left', async () => {
    const whole = damage(directory, 'wal-00000003.log', FILE_HEADER + HEADER + 40 + HEADER + 8 + MARKER + 16);
    const last = readFileSync(join(directory, 'wal-00000004.log'));
    expect(() => Wal.open({ directory })).toThrow(/openledgerd wal repair/);
    const plan = planRepair(filesOf(directory));
    const keptBytes = FILE_HEADER + HEADER + 40 + HEADER + 8 + MARKER;
    expect(plan).toEqual({
      kind: 'corrupt',
      cut: { name: 'wal-00000003.log', keptBytes, asideBytes: whole.length - keptBytes },
      asideFiles: ['wal-00000004.log'],
      lastEndHeight: 5n,
    });
    expect(repairWal(filesOf(directory))).toEqual(plan);
    expect(planRepair(filesOf(directory))).toBeUndefined();
    expect(readFileSync(join(directory, 'wal-00000004.log.set-aside')).equals(last)).toBe(true);
    expect(readFileSync(join(directory, 'wal-00000003.log.set-aside')).length).toBe(whole.length - keptBytes);

    const wal = Wal.open({ directory });
    expect(wal.takeReplay(6n, false)).toBeUndefined(); // the log stands at 5: nothing to replay at 7
    wal.append({ type: 2, payload: utf8('after') });
    await wal.endHeight(7n);
    await wal.close();
    expect(inspectWal(filesOf(directory)).at(-1)?.endHeights?.last).toBe(7n);
  });

  it('sets a file without a header aside whole', () => {
    writeFileSync(join(directory, 'wal-00000003.log'), Buffer.alloc(400, 7));
    expect(planRepair(filesOf(directory))?.cut).toEqual({
      name: 'wal-00000003.log',
      keptBytes: 0,
      asideBytes: 400,
    });
    repairWal(filesOf(directory));
    const left = readdirSync(directory).filter((name) => name.endsWith('.log'));
    expect(left.sort()).toEqual(['wal-00000001.log', 'wal-00000002.log']);
    expect(Wal.open({ directory }).takeReplay(4n, false)).toEqual([]);
  });
});
