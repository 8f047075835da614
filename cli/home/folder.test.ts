import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from './folder.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'openledgerd-folder-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('missing folders are made, existing ones are kept', () => {
  const path = join(root, 'a', 'b', 'c');
  makeFolder(path, 0o700);
  makeFolder(path);
  expect(statSync(path).isDirectory()).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test('where nothing can be created, the sentence names the folder and what to do', () => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  expect(() => makeFolder(join(file, 'home'))).toThrow(/cannot create the folder .*home.*choose a folder/);
  // Linux only: the recursive form of mkdir would hang here.
  if (process.platform === 'linux')
    expect(() => makeFolder('/proc/openledgerd-test')).toThrow('cannot create');
});
