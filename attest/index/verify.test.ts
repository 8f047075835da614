/** Verification: a shard that is right passes; each kind of damage is named by its place. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../core/bytes.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { textDocument, tombstoneDocument } from '../testing/naive-shard.ts';
import { buildShard } from './build.ts';
import { writeShard } from './shard-directory.ts';
import { HEADER_FILE, SHARD_FILES, type ShardFile } from './shard-files.ts';
import { readSources } from './shard-input.ts';
import { verifyShard } from './verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'verify-'));
afterAll(() => rmSync(folder, { recursive: true }));

const documents = Array.from({ length: 30 }, (_, id) =>
  id === 11
    ? tombstoneDocument(id, 'gone')
    : textDocument(id, `letter ${id}: ${'dear all, '.repeat(id % 7)}`),
);
const OPTIONS = { datanetId: 1n, firstPosition: 0n, entriesPerLeaf: 8 };
const saltSecret = Uint8Array.of(3);
for (const [name, salt] of [
  ['good', {}],
  ['salted', { saltSecret }],
] as const)
  writeShard({ parent: folder, nameOf: () => name }, (sink) =>
    buildShard(readSources(documents), { ...OPTIONS, ...salt, sink }),
  );

/** A copy of the good shard with a file changed. */
function changed(
  file: ShardFile | typeof HEADER_FILE,
  change: (bytes: Buffer) => Uint8Array | string,
): string {
  const directory = join(folder, 'bad');
  rmSync(directory, { recursive: true, force: true });
  cpSync(join(folder, 'good'), directory, { recursive: true });
  const path = join(directory, file);
  writeFileSync(path, change(readFileSync(path)));
  return directory;
}

function swapWords(a: number, b: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const [left, right] = [bytes.readUInt32LE(4 * a), bytes.readUInt32LE(4 * b)];
    bytes.writeUInt32LE(right, 4 * a);
    bytes.writeUInt32LE(left, 4 * b);
    return bytes;
  };
}

function addTo(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };
}

test('what a build wrote is right, salted too', () => {
  expect(verifyShard(join(folder, 'good'))).toBeUndefined();
  expect(verifyShard(join(folder, 'salted'), { saltSecret })).toBeUndefined();
  expect(() => verifyShard(join(folder, 'salted'))).toThrow(/is salted: give the secret/);
  expect(verifyShard(join(folder, 'salted'), { saltSecret: Uint8Array.of(4) })?.problem).toMatch(
    /inverse tree/,
  );
});

describe('names what is wrong', () => {
  test.each<[ShardFile, (bytes: Buffer) => Buffer, RegExp]>([
    ['text', addTo(4), /^document 0 \(contribution 0, leaf 0 of the documents tree\) has tokens of/],
    ['suffix', swapWords(40, 41), /rank of position \d+ \(leaf \d+ of the inverse tree\) is not where/],
    ['inverse', addTo(4 * 70), /rank of position 70 \(leaf 1 of the inverse tree\) is not where/],
    ['marks', addTo(8), /"marks" differs at leaf 1 of the text tree/],
    ['documents', addTo(64 * 5 + 16), /^document 5 .* does not begin where the one before it ends/],
    ['documents', addTo(64 * 5), /leaves 0 to 7 of the documents tree do not give the node that is kept/],
    ['documents', addTo(64 * 11 + 28), /^document 11 .* has tokens of 0 bytes, not of 4/],
    ['addresses', addTo(1), /leaves 0 to 7 of the documents tree do not give/],
    [
      'suffix-tree',
      addTo(33),
      /leaves 8 to 15 of the suffix tree do not give the node that is kept over them \(1 of/,
    ],
    [
      'documents-tree',
      addTo(32 * 4),
      /leaves 0 to 15 of the documents tree do not give .* \(0 of 2 at level 4/,
    ],
  ])('%s', (file, change, problem) => {
    const fault = verifyShard(changed(file, change));
    expect(fault?.problem).toMatch(problem);
    expect(fault?.changed).toEqual([file]);
  });

  test('an order that is wrong although the arrays agree', () => {
    const directory = changed('suffix', swapWords(40, 41));
    const sa = readFileSync(join(directory, 'suffix'));
    const isa = join(directory, 'inverse');
    const inverse = readFileSync(isa);
    for (const rank of [40, 41]) inverse.writeUInt32LE(rank, 4 * sa.readUInt32LE(4 * rank));
    writeFileSync(isa, inverse);
    expect(verifyShard(directory)?.problem).toMatch(
      / of ranks 40 and 41 are in the wrong order \(leaf 5 of the suffix/,
    );
  });

  test('a commitment to another root', () => {
    const directory = changed(HEADER_FILE, (bytes) => {
      const header = JSON.parse(String(bytes));
      const right = ShardCommitment.decode(fromHex(header.commitment));
      const wrong = { ...right, inverseRoot: right.textRoot };
      const commitment = toHex(ShardCommitment.encode(wrong));
      return JSON.stringify({ ...header, commitment, id: toHex(shardId(wrong)) });
    });
    expect(verifyShard(directory)?.problem).toMatch(/another root of the inverse tree than the leaves give/);
  });
});

test('every byte of every file is covered', () => {
  for (const file of SHARD_FILES) {
    const { length } = readFileSync(join(folder, 'good', file));
    for (const at of [0, Math.floor(length / 2), length - 1]) {
      const directory = changed(file, addTo(at));
      // A number of the header's may be out of range then: that is told as damage.
      expect(verifyShard(directory), `${file} ${at}`).toBeDefined();
    }
  }
});
