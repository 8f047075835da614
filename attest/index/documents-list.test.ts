import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { toBech32 } from '../../core/bech32.ts';
import { toHex } from '../../core/bytes.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import { parseDocumentsList } from './documents-list.ts';

const folder = mkdtempSync(join(tmpdir(), 'list-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'a.txt'), 'content');

const address = new Uint8Array(20).fill(5);
const content = Buffer.from('content');
const root = contentRoot(content);

test('lines become documents, whose contents are read when asked for', () => {
  const lines = [
    { contribution: '7', contributor: toBech32('open', address), file: 'a.txt' },
    { contribution: 8, contributor: toHex(address), file: 'missing.txt' },
    { contribution: '9', contributor: toHex(address), withdrawn: true, root: toHex(root), bytes: 7 },
  ];
  const list = parseDocumentsList(`${lines.map((line) => JSON.stringify(line)).join('\n\n')}\n`, folder);
  const common = { contributor: address, root, byteLength: 7 };
  expect(list[0]?.load()).toEqual({ contributionId: 7n, ...common, content });
  expect(() => list[1]?.load()).toThrow(
    /line 3 of the documents list names [^']*missing.txt, which cannot be read \(ENOENT\): put it there/,
  );
  expect(list[2]?.load()).toEqual({ contributionId: 9n, ...common, content: undefined });
  expect(list.map(({ withdrawn }) => withdrawn)).toEqual([false, false, true]);
});

test.each([
  ['{', /line 1 of the documents list is not a JSON object/],
  ['{}', /"contribution" is not an id/],
  ['{"contribution":1}', /"contributor" is not an address/],
  ['{"contribution":1,"contributor":"open1x"}', /"contributor" is not an address/],
  ['{"contribution":1,"contributor":"05"}', /needs a "file"/],
  ['{"contribution":1,"contributor":"05","withdrawn":true}', /needs a "file", or "withdrawn" with/],
  ['{"contribution":1,"contributor":"05","file":3}', /"file" is not a path/],
  ['{"contribution":1,"contributor":"05","file":"a","root":"05"}', /"root" is not 32 bytes/],
  ['{"contribution":1,"contributor":"05","file":"a","bytes":-1}', /"bytes" is not a length/],
  ['{"contribution":1,"contributor":"05","file":"a","withdrawn":1}', /"withdrawn" is not/],
  [`${'{"contribution":1,"contributor":"05","file":"a"}\n'.repeat(2)}`, /line 2 .* which line 1 has already/],
])('%s', (text, message) => {
  expect(() => parseDocumentsList(text, folder)).toThrow(message);
});
