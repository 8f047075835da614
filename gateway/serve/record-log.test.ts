import { expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import type { JournalDisk } from '../../client/vouchers/journal.ts';
import { framesOf, type LogRecord, RecordLog } from './record-log.ts';

/** A disk whose contents a test sees and changes. */
class OpenDisk implements JournalDisk {
  bytes: Uint8Array = new Uint8Array(0);
  fails = false;

  async read(): Promise<Uint8Array> {
    return this.bytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.fails) throw new Error('the disk is full');
    this.bytes = Buffer.concat([this.bytes, bytes]);
  }

  async sync(): Promise<void> {}

  async replace(bytes: Uint8Array): Promise<void> {
    this.bytes = bytes;
  }

  async close(): Promise<void> {}
}

const record = (text: string): LogRecord => ({ kind: 2, content: utf8(text) });

async function read(
  disk: JournalDisk,
): Promise<{ readonly log: RecordLog; readonly texts: readonly string[] }> {
  const texts: string[] = [];
  const log = await RecordLog.open(disk, ({ content }) => void texts.push(new TextDecoder().decode(content)));
  return { log, texts };
}

async function written(...texts: readonly string[]): Promise<OpenDisk> {
  const disk = new OpenDisk();
  const { log } = await read(disk);
  for (const text of texts) await log.append([record(text)]);
  return disk;
}

test('a log whose last frame is torn at any byte goes on behind the one before it', async () => {
  const whole = await written('first', 'second');
  const { length } = (await written('first')).bytes;
  for (let end = length; end < whole.bytes.length; end++) {
    const disk = new OpenDisk();
    disk.bytes = whole.bytes.slice(0, end);
    const { log, texts } = await read(disk);
    expect(texts, `cut at ${end}`).toEqual(['first']);
    await log.append([record('third')]);
    expect((await read(disk)).texts, `cut at ${end}`).toEqual(['first', 'third']);
  }
});

test('a torn last frame is cut off, also when an answer in it is a whole frame', async () => {
  const inner = Buffer.concat([...framesOf([record('a payer had the model say this')])]);
  const content = Buffer.concat([utf8('before'), inner, utf8('behind it')]);
  const whole = await written('first');
  const { length } = whole.bytes;
  await (await read(whole)).log.append([{ kind: 2, content }]);
  const endOfInner = whole.bytes.length - utf8('behind it').length;
  for (let end = endOfInner; end < whole.bytes.length; end++) {
    const disk = new OpenDisk();
    disk.bytes = whole.bytes.slice(0, end);
    expect((await read(disk)).texts, `cut at ${end}`).toEqual(['first']);
    expect(disk.bytes, `cut at ${end}`).toHaveLength(length);
  }
});

test('a changed byte in the last frame takes that frame; before a good one it is damage, and said so', async () => {
  const whole = await written('first', 'second');
  const { length } = (await written('first')).bytes;
  for (let at = 0; at < whole.bytes.length; at++) {
    const disk = new OpenDisk();
    disk.bytes = whole.bytes.map((byte, i) => (i === at ? byte ^ 16 : byte));
    if (at < length) await expect(read(disk), `byte ${at}`).rejects.toThrow('byte 0 of the log is damaged');
    else expect((await read(disk)).texts, `byte ${at}`).toEqual(['first']);
  }
});

test('what is written together is there together, and a rewritten log is what it was rewritten to', async () => {
  const disk = await written('first');
  const { log } = await read(disk);
  const before = disk.bytes.length;
  const both = Promise.all([log.append([record('a'), record('b')]), log.append([record('c')])]);
  await both;
  // One frame for all that waited.
  expect(toHex(disk.bytes).split(toHex(utf8('OLR1')))).toHaveLength(3);
  expect(disk.bytes.length).toBeGreaterThan(before);
  expect(log.bytes).toBe(disk.bytes.length);
  log.rewriteBeforeNext(() => [record('c'), record('d')]);
  await log.append([record('d')]);
  expect((await read(disk)).texts).toEqual(['c', 'd', 'd']);
  expect(log.bytes).toBe(disk.bytes.length);
  expect((await read(disk)).log.bytes).toBe(disk.bytes.length);
});

test('a disk that fails once is not written to again', async () => {
  const disk = await written('first');
  const { log } = await read(disk);
  disk.fails = true;
  await expect(log.append([record('a')])).rejects.toThrow('the disk is full');
  disk.fails = false;
  await expect(log.append([record('b')])).rejects.toMatchObject({ code: 'gateway.disk' });
  expect((await read(disk)).texts).toEqual(['first']);
});
