/** The list of advisories in the README is true: each has a test that bears its name. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
/** Advisories, numbered fixes, and what only the reports of GitHub have a number for. */
const IDS = /(?:ASA|CSA)-\d{4}-\d{3}|#\d+/g;
const ALONE = /^GHSA-[\w-]+|`Err\w+`/;

interface Row {
  readonly ids: readonly string[];
  readonly files: readonly string[];
}

/** The first table: what is not applicable yet has no test. */
function rowsOf(readme: string): readonly Row[] {
  const [table = ''] = readme.split('Not applicable yet');
  return table
    .split('\n')
    .filter((line) => line.startsWith('| ') && line.includes('`') && !line.startsWith('| advisory'))
    .map((line) => {
      const [, advisory = '', , files = ''] = line.split('|').map((cell) => cell.trim());
      const ids = advisory.match(IDS) ?? advisory.match(ALONE) ?? [];
      return {
        ids: ids.map((id) => id.replaceAll('`', '')),
        files: [...files.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, path = '']) => path),
      };
    });
}

/** Its code without comments: a name in a comment is no name of a test. */
function codeOf(path: string): string {
  const file = path.includes('/') ? join(ROOT, path) : join(import.meta.dirname, path);
  return readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

/** Rows without a test of the name. */
function unnamed(rows: readonly Row[], read: (path: string) => string): readonly string[] {
  return rows.flatMap(({ ids, files }) => {
    const codes = files.map(read);
    const isNamed = (id: string): boolean => codes.some((code) => new RegExp(`${id}\\b`).test(code));
    if (ids.length === 0 || files.length === 0) return [`${ids.join()} ${files.join()}`];
    return ids.filter((id) => !isNamed(id)).map((id) => `${id}: ${files.join(', ')}`);
  });
}

const rows = rowsOf(readFileSync(join(import.meta.dirname, 'README.md'), 'utf8'));

test('each advisory of the README has a test that is named after it', () => {
  expect(rows.length).toBeGreaterThan(30);
  expect(unnamed(rows, codeOf)).toEqual([]);
});

test('a name that is missing, or longer, is noticed', () => {
  const row = { ids: ['#12'], files: ['a.test.ts'] };
  expect(unnamed([row], () => "test('#12: x'")).toEqual([]);
  expect(unnamed([row], () => "test('#123: x'")).toEqual(['#12: a.test.ts']);
  expect(unnamed([{ ids: [], files: ['a.test.ts'] }], () => '')).toHaveLength(1);
});
