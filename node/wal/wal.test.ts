import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { crc32c, rangeChecksums } from './crc32c.ts';
import { DirectoryWalFiles } from './files.ts';
import {
  encodeRecord,
  FILE_HEADER_BYTES,
  fileHeader,
  readRecords,
  recordBytes,
  type WalRecord,
} from './record.ts';
import { repairWal } from './inspect.ts';
import { FILE_PATTERN, Wal } from './wal.ts';

const directory = (): string => mkdtempSync(join(tmpdir(), 'wal-'));
const record = (text: string): WalRecord => ({ type: 1, payload: utf8(text) });
const texts = (records: readonly WalRecord[] | undefined): string[] | undefined =>
  records?.map((one) => Buffer.from(one.payload).toString());

test('CRC-32C gives the check value of its specification', () => {
  expect(crc32c(utf8('123456789'))).toBe(0xe3069283);
  expect(crc32c(utf8('56789'), crc32c(utf8('1234')))).toBe(0xe3069283);
});

test('the checksum of a range is that of its bytes, wherever it lies and however long it is', () => {
  const some = fc.uint8Array({ maxLength: 3_000 });
  fc.assert(
    fc.property(some, fc.nat(), fc.nat(), fc.nat(), fc.nat(), (bytes, a, b, c, previous) => {
      const bounded = [a, b, c].map((one) => one % (bytes.length + 1));
      const [from = 0, start = 0, end = 0] = bounded.sort((one, other) => one - other);
      const expected = crc32c(bytes.subarray(start, end), previous);
      expect(rangeChecksums(bytes, from)(start, end, previous)).toBe(expected);
    }),
  );
});

test('what was appended behind the last marker is replayed', async () => {
  const path = directory();
  const wal = Wal.open({ directory: path });
  expect(wal.takeReplay(0n, true)).toEqual([]);
  wal.append(record('height 1'));
  await wal.endHeight(1n);
  wal.append(record('a'));
  wal.append(record('b'));
  await wal.close();
  expect(texts(Wal.open({ directory: path }).takeReplay(1n, false))).toEqual(['a', 'b']);
  // The block store is further: the inputs belong to a height that is over.
  expect(Wal.open({ directory: path }).takeReplay(2n, false)).toBeUndefined();
});

test('a log without a marker belongs to the first height only', async () => {
  const path = directory();
  const wal = Wal.open({ directory: path });
  wal.append(record('first'));
  await wal.close();
  expect(texts(Wal.open({ directory: path }).takeReplay(0n, true))).toEqual(['first']);
  expect(Wal.open({ directory: path }).takeReplay(7n, false)).toBeUndefined();
});

test('cut at any byte, a log opens with a prefix of its records and can be written again', async () => {
  const path = directory();
  const wal = Wal.open({ directory: path });
  for (const text of ['one', 'two', '', 'three']) wal.append(record(text));
  await wal.close();
  const name = readdirSync(path)[0] ?? '';
  const whole = readFileSync(join(path, name));
  for (let length = 0; length < whole.length; length++) {
    const cut = directory();
    writeFileSync(join(cut, name), whole.subarray(0, length));
    const warnings: string[] = [];
    const reopened = Wal.open({ directory: cut, warn: (message) => warnings.push(message) });
    const replay = texts(reopened.takeReplay(0n, true)) ?? [];
    expect(replay).toEqual(['one', 'two', '', 'three'].slice(0, replay.length));
    const cleanCut = readRecords(whole.subarray(0, length)).damage === undefined;
    expect(warnings.length).toBe(cleanCut ? 0 : 1);
    reopened.append(record('new'));
    await reopened.close();
    expect(texts(Wal.open({ directory: cut }).takeReplay(0n, true))).toEqual([...replay, 'new']);
  }
});

test('a flipped byte before good records stops the node and says how to repair', async () => {
  const path = directory();
  const wal = Wal.open({ directory: path });
  wal.append(record('one'));
  await wal.sync();
  wal.append(record('two'));
  await wal.close();
  const file = join(path, readdirSync(path)[0] ?? '');
  const bytes = readFileSync(file);
  bytes[30] = (bytes[30] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  expect(() => Wal.open({ directory: path })).toThrow(/damaged at byte 20.*To repair.*locked on/s);
});

test('any flipped bit in what was synced stops the node, also in the last records, whether it was closed or killed', async () => {
  for (const ends of ['closed', 'killed']) {
    const path = directory();
    const wal = Wal.open({ directory: path });
    wal.append(record('one'));
    await wal.sync();
    wal.append(record('two'));
    wal.append(record('our vote'));
    await wal.sync();
    if (ends === 'closed') await wal.close();
    const file = join(path, readdirSync(path)[0] ?? '');
    const whole = readFileSync(file);
    const synced = whole.length - recordBytes({ type: 0, payload: utf8('') }); // but the marker
    for (let bit = 0; bit < synced * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(file, bytes);
      expect(() => Wal.open({ directory: path }), `bit ${bit}`).toThrow(/wal repair/);
      expect(readFileSync(file).equals(bytes)).toBe(true);
    }
  }
});

test('the marker behind a sync is worth nothing by itself: without it, or damaged, the log opens with all records', async () => {
  const path = directory();
  const wal = Wal.open({ directory: path });
  wal.append(record('our vote'));
  await wal.close();
  const file = join(path, readdirSync(path)[0] ?? '');
  const whole = readFileSync(file);
  const marker = recordBytes({ type: 0, payload: utf8('') });
  for (const end of [whole.subarray(0, -marker), Buffer.from(whole).fill(0, whole.length - 3)]) {
    writeFileSync(file, end);
    expect(texts(Wal.open({ directory: path }).takeReplay(0n, true))).toEqual(['our vote']);
  }
});

test('what was appended while a sync was under way is not said to be durable', async () => {
  const path = directory();
  const files = slowFiles(path);
  const wal = Wal.open({ directory: path, files });
  wal.append(record('synced'));
  const synced = wal.sync();
  await turns();
  wal.append(record('late'));
  files.syncing[0]?.end();
  await synced;
  const file = join(path, readdirSync(path)[0] ?? '');
  const bytes = readFileSync(file);
  const late = FILE_HEADER_BYTES + recordBytes(record('synced'));
  bytes[late + 14] = (bytes[late + 14] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  expect(texts(Wal.open({ directory: path }).takeReplay(0n, true))).toEqual(['synced']);
});

test.each([1, 2])('a log of format %i is named as such, and can be set aside', (format) => {
  const path = directory();
  const header = [...utf8('OLWAL'), 0, 0, format, 1, 2, 3, 4, 5, 6, 7, 8];
  for (const name of ['wal-00000001.log', 'wal-00000002.log'])
    writeFileSync(join(path, name), Uint8Array.from([...header, ...utf8('records of another version')]));
  expect(() => Wal.open({ directory: path })).toThrow(
    new RegExp(`earlier version.*format ${format}.*not damaged.*wal repair.*locked on`, 's'),
  );
  const files = new DirectoryWalFiles(path, FILE_PATTERN);
  expect(repairWal(files)).toMatchObject({ kind: 'format', asideFiles: ['wal-00000002.log'] });
  const warnings: string[] = [];
  expect(
    Wal.open({ directory: path, warn: (one) => warnings.push(one) }).takeReplay(5n, false),
  ).toBeUndefined();
  expect(warnings).toEqual([]);
  expect(readdirSync(path).filter((name) => name.endsWith('.set-aside'))).toHaveLength(2);
});

test('a power cut may lose a page of what was not synced and leave the next: the log opens', async () => {
  const path = directory();
  const wal = Wal.open({ directory: path });
  wal.append(record('synced'));
  await wal.sync();
  for (const name of ['a', 'b', 'c']) wal.append(record(name.repeat(8_000)));
  const file = join(path, readdirSync(path)[0] ?? '');
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0, 4096, 8192));
  const warnings: string[] = [];
  const opened = Wal.open({ directory: path, warn: (warning) => warnings.push(warning) });
  expect(warnings).toEqual([expect.stringContaining('incomplete record')]);
  expect(texts(opened.takeReplay(0n, true))).toEqual(['synced']);
});

test('looking for good records behind damage ends, whatever a peer has put there, and is never a guess', () => {
  const salt = new Uint8Array(8).fill(1);
  // At every fourth offset of half a MiB in the middle they begin what might be a record of 768 KiB.
  const pattern = new Uint8Array(2 * 1024 * 1024);
  for (let i = 0; i < pattern.length; i += 4) pattern.set([0, 0, 12, 0], i);
  const records = [{ type: 1, payload: pattern }, record('good')];
  const sizes = FILE_HEADER_BYTES + recordBytes({ type: 1, payload: pattern });
  for (const [durable, kind] of [
    [FILE_HEADER_BYTES, 'torn'],
    [sizes, 'corrupt'],
  ] as const) {
    const encoded = records.map((one, i) => encodeRecord(one, salt, i === 0 ? FILE_HEADER_BYTES : durable));
    const file = Buffer.concat([fileHeader(salt), ...encoded]);
    file[24] = (file[24] ?? 0) ^ 1;
    expect(readRecords(file).damage).toEqual({ kind, offset: FILE_HEADER_BYTES });
  }
});

test('a torn end is one, whatever a transaction in it looks like', async () => {
  const path = directory();
  const wal = Wal.open({ directory: path });
  await wal.endHeight(5n);
  const payload = new Uint8Array(65_600);
  for (let i = 0; i < payload.length; i += 4) payload.set([0, 0x40, 0, 0], i);
  wal.append({ type: 1, payload });
  const file = join(path, readdirSync(path)[0] ?? '');
  writeFileSync(file, readFileSync(file).subarray(0, -12_288));
  const warnings: string[] = [];
  const opened = Wal.open({ directory: path, warn: (warning) => warnings.push(warning) });
  expect(warnings).toEqual([expect.stringContaining('incomplete record')]);
  expect(opened.takeReplay(5n, false)).toEqual([]);
});

test('damage in a file before the last marker is told, and stops nothing: the lock behind it is kept', async () => {
  const path = directory();
  const wal = Wal.open({ directory: path, fileBytesMax: 100 });
  for (let height = 1n; height <= 4n; height++) {
    wal.append(record('x'.repeat(100)));
    await wal.endHeight(height);
  }
  wal.append(record('lock'));
  await wal.close();
  const first = join(path, 'wal-00000001.log');
  const bytes = readFileSync(first);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  writeFileSync(first, bytes);
  const warnings: string[] = [];
  const opened = Wal.open({ directory: path, warn: (warning) => warnings.push(warning) });
  expect(warnings).toEqual([expect.stringContaining('wal-00000001.log is damaged at byte 20')]);
  expect(texts(opened.takeReplay(4n, false))).toEqual(['lock']);
  await opened.close();
  const repair = repairWal(new DirectoryWalFiles(path, FILE_PATTERN));
  expect(repair).toMatchObject({ cut: { name: 'wal-00000001.log' }, asideFiles: [], lastEndHeight: 4n });
  expect(texts(Wal.open({ directory: path }).takeReplay(4n, false))).toEqual(['lock']);
});

test('bytes that look like a record under another salt are not taken for one', () => {
  const salt = new Uint8Array(8).fill(1);
  const forged = encodeRecord(record('forged'), new Uint8Array(8).fill(2));
  const file = Buffer.concat([fileHeader(salt), encodeRecord(record('good'), salt), forged]);
  expect(readRecords(file).damage?.kind).toBe('torn');
});

test('reading never throws, whatever the bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, withHeader) => {
      const file = withHeader ? Buffer.concat([fileHeader(new Uint8Array(8)), bytes]) : bytes;
      expect(readRecords(file).records.length).toBeLessThanOrEqual(22);
    }),
  );
});

test('files rotate, old ones go, and those that replay needs stay', async () => {
  const path = directory();
  const options = { directory: path, fileBytesMax: 200, totalBytesMax: 600 };
  const wal = Wal.open(options);
  for (let height = 1n; height <= 20n; height++) {
    wal.append(record('x'.repeat(100)));
    await wal.endHeight(height);
  }
  const files = readdirSync(path);
  expect(files.length).toBeLessThan(6);
  expect(files).not.toContain('wal-00000001.log');
  // One endless height: nothing may be dropped.
  for (let i = 0; i < 20; i++) {
    wal.append(record(`${i}-`.padEnd(100, 'y')));
    await wal.sync();
  }
  await wal.close();
  expect(Wal.open(options).takeReplay(20n, false)?.length).toBe(20);
});

test('damage in a file that is not the last one is never cut off', async () => {
  const path = directory();
  const wal = Wal.open({ directory: path, fileBytesMax: 1 });
  wal.append(record('one'));
  await wal.sync();
  wal.append(record('two'));
  await wal.close();
  const first = join(path, 'wal-00000001.log');
  writeFileSync(first, readFileSync(first).subarray(0, 24));
  expect(() => Wal.open({ directory: path })).toThrow('wal-00000001.log is damaged');
});

test('what a killed process left unsynced is durable before anything can follow from it', async () => {
  const path = directory();
  const files = new CountingFiles(path, FILE_PATTERN);
  const killed = Wal.open({ directory: path, files });
  await killed.endHeight(5n);
  killed.append(record('our vote'));
  const vote = readFileSync(join(path, 'wal-00000001.log')).length;
  expect(files.rewritten).toEqual([]);
  const opened = Wal.open({ directory: path, files });
  expect(texts(opened.takeReplay(5n, false))).toEqual(['our vote']);
  const endOfHeight = FILE_HEADER_BYTES + recordBytes({ type: 0, payload: new Uint8Array(8) });
  expect(files.rewritten).toEqual([endOfHeight]); // all behind what the marker says to be synced
  // Nor is it taken for a torn end from now on, also by who is killed at once and opens again.
  const file = join(path, 'wal-00000001.log');
  const whole = readFileSync(file);
  expect(texts(Wal.open({ directory: path, files }).takeReplay(5n, false))).toEqual(['our vote']);
  expect(files.rewritten).toHaveLength(1);
  expect(readFileSync(file).equals(whole)).toBe(true);
  whole[vote - 1] = (whole[vote - 1] ?? 0) ^ 1;
  writeFileSync(file, whole);
  expect(() => Wal.open({ directory: path, files })).toThrow('wal-00000001.log is damaged');
});

test('what was not synced before a start and cannot be then either, is not replayed', async () => {
  const path = directory();
  const files = new CountingFiles(path, FILE_PATTERN);
  Wal.open({ directory: path, files }).append(record('our vote'));
  files.fails = true;
  expect(() => Wal.open({ directory: path, files })).toThrow(
    expect.objectContaining({ code: 'wal.write', message: expect.stringContaining('i/o error') }),
  );
  files.fails = false;
  expect(texts(Wal.open({ directory: path, files }).takeReplay(0n, true))).toEqual(['our vote']);
});

test('so is the header of a file that a killed process has just made', async () => {
  const path = directory();
  const files = new CountingFiles(path, FILE_PATTERN);
  Wal.open({ directory: path, files });
  for (let starts = 0; starts < 3; starts++) await Wal.open({ directory: path, files }).close();
  expect(files.rewritten).toEqual([0]);
});

test('rewriting changes no byte, also behind an append, and appending goes on behind it', () => {
  const files = new DirectoryWalFiles(directory(), FILE_PATTERN);
  files.create('wal-00000001.log', utf8('synced,'));
  files.append('wal-00000001.log', utf8('not synced'));
  files.rewrite('wal-00000001.log', 7);
  files.append('wal-00000001.log', utf8(',more'));
  expect(Buffer.from(files.read('wal-00000001.log')).toString()).toBe('synced,not synced,more');
});

/** Files that tell from where on a start made them durable. */
class CountingFiles extends DirectoryWalFiles {
  readonly rewritten: number[] = [];
  fails = false;

  override rewrite(name: string, from: number): void {
    if (this.fails) throw new Error('i/o error');
    this.rewritten.push(from);
    super.rewrite(name, from);
  }
}

/** Files whose sync lasts until the test ends it, and that fail when told to. */
class SlowFiles extends DirectoryWalFiles {
  readonly syncing: { readonly name: string; readonly end: () => void }[] = [];
  fails: 'append' | 'create' | 'sync' | undefined;

  override create(name: string, bytes: Uint8Array): void {
    super.create(name, this.fails === 'create' ? bytes.subarray(0, 5) : bytes);
    if (this.fails === 'create') throw new Error('no space left');
  }

  override append(name: string, bytes: Uint8Array): void {
    const full = this.fails === 'append';
    super.append(name, full ? bytes.subarray(0, 5) : bytes);
    if (full) throw new Error('no space left');
  }

  override async sync(name: string): Promise<void> {
    if (this.fails === 'sync') throw new Error('i/o error');
    await new Promise<void>((end) => this.syncing.push({ name, end }));
    await super.sync(name);
  }
}

const slowFiles = (path: string): SlowFiles => new SlowFiles(path, /^wal-\d{8}\.log$/);
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a file is not followed by the next one while a sync of it is under way', async () => {
  const path = directory();
  const files = slowFiles(path);
  const wal = Wal.open({ directory: path, files, fileBytesMax: 50 });
  wal.append(record('x'.repeat(100)));
  const first = wal.sync();
  await turns();
  wal.append(record('late'));
  const second = wal.sync();
  await turns();
  expect(files.syncing.map(({ name }) => name)).toEqual(['wal-00000001.log']);
  files.syncing[0]?.end();
  await first;
  await turns();
  expect(files.syncing.map(({ name }) => name)).toEqual(['wal-00000001.log', 'wal-00000001.log']);
  expect(readdirSync(path)).toEqual(['wal-00000001.log']);
  files.syncing[1]?.end();
  await second;
  expect(readdirSync(path)).toEqual(['wal-00000001.log', 'wal-00000002.log']);
});

test('after a failed write nothing is written behind it, and the log opens again', async () => {
  const path = directory();
  const files = slowFiles(path);
  const wal = Wal.open({ directory: path, files });
  wal.append(record('good'));
  files.fails = 'append';
  expect(() => wal.append(record('lost'))).toThrow('no space left');
  files.fails = undefined;
  expect(() => wal.append(record('behind'))).toThrow('no space left');
  await expect(wal.endHeight(1n)).rejects.toThrow('no space left');
  await expect(wal.close()).rejects.toThrow('no space left');
  expect(texts(Wal.open({ directory: path }).takeReplay(0n, true))).toEqual(['good']);
});

test('after a failed sync none succeeds: the system may have dropped what was to be written', async () => {
  const path = directory();
  const files = slowFiles(path);
  const wal = Wal.open({ directory: path, files });
  wal.append(record('signed'));
  files.fails = 'sync';
  await expect(wal.sync()).rejects.toThrow('i/o error');
  files.fails = undefined;
  await expect(wal.sync()).rejects.toThrow('i/o error');
  expect(() => wal.append(record('more'))).toThrow('i/o error');
});

test('when the next file cannot be made, nothing is written any more, and the log opens again', async () => {
  const path = directory();
  const files = slowFiles(path);
  const wal = Wal.open({ directory: path, files, fileBytesMax: 50 });
  wal.append(record('x'.repeat(100)));
  files.fails = 'create';
  const synced = wal.sync();
  await turns();
  files.syncing[0]?.end();
  const refusal = { code: 'wal.write', message: expect.stringMatching(/wal-00000002\.log: no space left/) };
  await expect(synced).rejects.toMatchObject(refusal);
  files.fails = undefined;
  expect(() => wal.append(record('behind'))).toThrow('no space left');
  await expect(wal.endHeight(1n)).rejects.toMatchObject(refusal);
  await expect(wal.close()).rejects.toMatchObject(refusal);
  const warnings: string[] = [];
  const opened = Wal.open({ directory: path, warn: (one) => warnings.push(one), fileBytesMax: 50 });
  expect(warnings).toEqual([expect.stringContaining('wal-00000002.log ends in an incomplete record')]);
  expect(texts(opened.takeReplay(0n, true))).toEqual(['x'.repeat(100)]);
  opened.append(record('more'));
  await opened.close();
  expect(texts(Wal.open({ directory: path }).takeReplay(0n, true))).toEqual(['x'.repeat(100), 'more']);
});

test('a file that cannot be made leaves no descriptor open', () => {
  const path = directory();
  const files = new DirectoryWalFiles(path, FILE_PATTERN);
  const bytes = Object.defineProperty(utf8('header'), 'byteLength', {
    get: () => {
      throw new Error('no space left');
    },
  });
  const lowestFree = (): number => {
    const descriptor = openSync(path, 'r');
    closeSync(descriptor);
    return descriptor;
  };
  const before = lowestFree();
  expect(() => files.create('wal-00000001.log', bytes)).toThrow('no space left');
  expect(lowestFree()).toBe(before);
});
