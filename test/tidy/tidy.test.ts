/**
 * The house style, as far as a program can check it. Every rule has negative tests, because a linter that
 * silently checks nothing is worse than none.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { determinism } from './determinism.ts';
import { folderDirection, moduleIsolation, nodeIsolation } from './direction.ts';
import { boundedCaches, boundedDatabases } from './memory.ts';
import {
  docComments,
  fileLength,
  functionLength,
  leftovers,
  lineLength,
  namedExports,
  typeHoles,
} from './shape.ts';
import { importsOf, isTest, projectSources, type Rule, sourceOf } from './source.ts';

const root = join(import.meta.dirname, '..', '..');
const sources = projectSources(root);
/** At the start of a line, as vitest finds it. */
const REPLACES = /^vi\.(mock|doMock)\(/m;

const rules: readonly Rule[] = [
  folderDirection,
  moduleIsolation,
  nodeIsolation,
  determinism,
  fileLength,
  lineLength,
  functionLength,
  docComments,
  leftovers,
  namedExports,
  typeHoles,
  boundedDatabases,
  boundedCaches,
];

describe.each(rules.map((rule) => [rule.name, rule] as const))('%s', (_name, rule) => {
  test('holds everywhere in the project', () => {
    const violations = sources.flatMap((source) => rule.check(source));
    expect(violations.map((v) => `${v.path}:${v.line} ${v.message}`)).toEqual([]);
  });

  test.each(rule.bad)('flags %s: %s', (path, text) => {
    expect(rule.check(sourceOf(path, text)).length).toBeGreaterThan(0);
  });

  test.each(rule.good)('accepts %s: %s', (path, text) => {
    expect(rule.check(sourceOf(path, text))).toEqual([]);
  });
});

/** Files that are started, not imported. */
const ENTRY_POINTS = [
  /^cli\/main\.ts$/,
  /^proto\/generate\/main\.ts$/,
  // Compiled to WebAssembly by attest/wasm/compile.ts; its imports have no endings.
  /^attest\/wasm\/assembly\//,
  /^test\/(bench|closing-line-reporter|property-seed|((attribution|settlement)\/[a-z]+|channels(\/model)?|conservation|fuzz|operations|simulation|soundness|surface)\/main|e2e\/(chaos\/main|upgrade\/(main|next)))/,
  /(-worker|bench)\.ts$/,
  /\.test\.ts$/,
];

/** Files that nobody imports and nobody starts. */
function deadFiles(all: readonly { readonly path: string; readonly imports: readonly string[] }[]): string[] {
  const imported = new Set(all.flatMap((file) => file.imports));
  return all
    .map((file) => file.path)
    .filter((path) => !imported.has(path) && !ENTRY_POINTS.some((entry) => entry.test(path)));
}

/**
 * Happened in the SDK's IBC: an acknowledgement in JSON was decoded differently on different nodes, and the
 * chain halted. Here: the state machine reads and writes JSON by one codec only, and goes through keys in no
 * order that the engine chooses.
 */
test('ASA-2025-004 (GHSA-jg6f-48ff-5xrw): JSON.parse, JSON.stringify, for…in', () => {
  const texts = ['const a = JSON.parse(x);', 'const s = JSON.stringify(x);', 'for (const key in x) f(key);'];
  for (const text of texts) {
    for (const path of ['modules/bank/a.ts', 'framework/a.ts', 'app/a.ts', 'store/a.ts', 'genesis/json.ts'])
      expect(determinism.check(sourceOf(path, text)).length, path).toBeGreaterThan(0);
  }
});

test('every file is used', () => {
  const all = sources.map((source) => ({
    path: source.path,
    imports: importsOf(source).relative.map((edge) => edge.target),
  }));
  expect(deadFiles(all)).toEqual([]);
  expect(deadFiles([...all, { path: 'core/nobody-imports-me.ts', imports: [] }])).toEqual([
    'core/nobody-imports-me.ts',
  ]);
});

/**
 * Tests that put something in the place of a module, and are not kept apart from those that share processes.
 */
function unlisted(
  tests: readonly { readonly path: string; readonly text: string }[],
  config: string,
): string[] {
  const replacing = tests.filter(({ path, text }) => isTest(path) && REPLACES.test(text));
  return replacing.map(({ path }) => path).filter((path) => !config.includes(`'${path}'`));
}

test('who replaces a module is listed in vitest.config.ts', () => {
  const config = readFileSync(join(root, 'vitest.config.ts'), 'utf8');
  expect(unlisted(sources, config)).toEqual([]);
  const stranger = { path: 'core/x.test.ts', text: "vi.mock('./y.ts');" };
  expect(unlisted([stranger], config)).toEqual(['core/x.test.ts']);
});

/** Folders with TypeScript that a list of folders does not have: their tests are not run, or no rule sees them. */
function unseen(folders: readonly string[], list: readonly string[]): string[] {
  return folders.filter((folder) => !list.includes(folder));
}

test('tests of every folder are run, and the rules see every folder', () => {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .map(({ name }) => name)
    .filter((name) =>
      readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).some((path) => /\.ts$/.test(path)),
    );
  const config = readFileSync(join(root, 'vitest.config.ts'), 'utf8');
  const run = (/'\{([a-z0-9,]+)\}'/.exec(config)?.[1] ?? '').split(',');
  const ruled = [...new Set(sources.map(({ path }) => path.split('/')[0] ?? ''))];
  expect(unseen(folders, run)).toEqual([]);
  expect(unseen(folders, ruled)).toEqual([]);
  expect(unseen([...folders, 'new'], run)).toEqual(['new']);
});

test('the rules see the project', () => {
  const uses = (what: RegExp): number =>
    sources.filter(({ path, text }) => !isTest(path) && what.test(text)).length;
  expect(uses(/new Level[<(]/)).toBeGreaterThan(2);
  expect(uses(/await openApplication\(/)).toBeGreaterThan(0);
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.some((source) => isTest(source.path))).toBe(true);
});
