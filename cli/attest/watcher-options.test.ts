import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { watcherOptions } from './watcher-options.ts';

const BOUNDS = { textBytesMax: 9, spendMax: 700n, demandBudget: 800n, ticksMax: 30 };

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'watcher-options-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('a watcher has all bounds of its options, and keeps what it put at stake beside its texts', async () => {
  expect(await watcherOptions({ dir, source: ['http://a'] }, BOUNDS)).toEqual({
    ...BOUNDS,
    sources: ['http://a'],
    spentFile: join(dir, 'spent'),
    secretOf: undefined,
    texts: undefined,
  });
});

test('texts and secrets of private Datanets are those of its files', async () => {
  const [secret, list] = [join(dir, 'secret'), join(dir, 'list')];
  writeFileSync(secret, '07'.repeat(32));
  writeFileSync(list, `datanet 3 ${secret}\n`);
  const { texts, secretOf } = await watcherOptions(
    { dir, source: [], contents: dir, saltSecrets: list },
    BOUNDS,
  );
  expect(await texts?.content(new Uint8Array(32), 9)).toBeUndefined();
  expect(secretOf).toBeTypeOf('function');
});
