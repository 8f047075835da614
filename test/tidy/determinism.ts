/** What the deterministic zone must not touch (DESIGN section 3). */
import ts from 'typescript-api';
import { importsOf, isTest, lineOf, type Rule, type Source, type Violation, walk } from './source.ts';
import { isDeterministic } from './zones.ts';

/** Globals that differ between machines, moments or locales. */
const BANNED_GLOBALS: readonly string[] = [
  ...[
    'Date',
    'performance',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'process',
    'console',
  ],
  ...['Promise', 'Intl', 'crypto', 'fetch', 'WeakRef', 'FinalizationRegistry'],
];

/** Properties of Math that IEEE 754 does not fix to the last bit, or that are random. */
const BANNED_MATH =
  /^(random|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|exp|expm1|log|log2|log10|log1p|pow|sqrt|cbrt|hypot)$/;

/** Methods whose result depends on the locale. */
const BANNED_METHODS = /^(localeCompare|toLocale\w+)$/;

/** The only imports of Node.js and of packages in the zone, each with its reason; types are free. */
const PACKAGES_ALLOWED: readonly (readonly [path: string, target: string])[] = [
  // SHA-256 is a pure function; held against @noble/hashes by core/hash.test.ts.
  ['core/hash.ts', 'node:crypto'],
  ['core/hash.ts', '@noble/hashes/legacy.js'],
  ['core/bech32.ts', '@scure/base'],
  // Values for property tests, which import it.
  ['proto/codec/arbitrary.ts', 'fast-check'],
];

/** The one place that reads JSON: two readers may differ. It writes it by itself. */
const READS_JSON = 'framework/json.ts';

function check(source: Source): Violation[] {
  if (!isDeterministic(source.path) || isTest(source.path)) return [];
  const found: Violation[] = [];
  const flag = (node: ts.Node, message: string): void => {
    found.push({ path: source.path, line: lineOf(source, node.getStart()), message });
  };
  for (const edge of importsOf(source).packages) {
    const allowed = PACKAGES_ALLOWED.some(([path, target]) => path === source.path && target === edge.target);
    if (!edge.typeOnly && !allowed) {
      found.push({ path: source.path, line: edge.line, message: `${edge.target} in the deterministic zone` });
    }
  }
  walk(source.tree, (node) => checkNode(node, source, flag));
  return found;
}

function checkNode(node: ts.Node, source: Source, flag: (node: ts.Node, message: string) => void): void {
  if (ts.isIdentifier(node) && BANNED_GLOBALS.includes(node.text) && isGlobalUse(node)) {
    flag(node, `${node.text} in the deterministic zone`);
  }
  if (ts.isIdentifier(node) && node.text === 'JSON' && isGlobalUse(node)) checkJson(node, source, flag);
  if (ts.isPropertyAccessExpression(node)) checkProperty(node, flag);
  if (ts.isForInStatement(node)) flag(node, 'for…in has no defined order: iterate keys in a fixed order');
  if (ts.isAwaitExpression(node)) flag(node, 'await in the deterministic zone');
  if (node.kind === ts.SyntaxKind.AsyncKeyword) flag(node, 'async in the deterministic zone');
  if (ts.isCallExpression(node)) checkSort(node, flag);
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Error') {
    flag(node, 'plain Error: throw a LedgerError with a code (core/errors.ts)');
  }
}

function checkProperty(
  node: ts.PropertyAccessExpression,
  flag: (node: ts.Node, message: string) => void,
): void {
  const name = node.name.text;
  const object = ts.isIdentifier(node.expression) ? node.expression.text : '';
  if (object === 'Math' && BANNED_MATH.test(name)) flag(node, `Math.${name} in the deterministic zone`);
  if (BANNED_METHODS.test(name)) flag(node, `${name} depends on the locale`);
}

/** Whatever else is done with it could be either. */
function checkJson(
  { parent }: ts.Identifier,
  { path }: Source,
  flag: (node: ts.Node, message: string) => void,
): void {
  const name = ts.isPropertyAccessExpression(parent) ? parent.name.text : '';
  if (name === 'parse' && path === READS_JSON) return;
  flag(parent, `JSON.${name}: use the canonical codec, framework/json.ts`);
}

function checkSort(node: ts.CallExpression, flag: (node: ts.Node, message: string) => void): void {
  const callee = node.expression;
  if (!ts.isPropertyAccessExpression(callee) || node.arguments.length > 0) return;
  if (callee.name.text === 'sort' || callee.name.text === 'toSorted') flag(node, 'sort() needs a comparator');
}

/** True when an identifier stands for the global, not for a property, a parameter's name or a type. */
function isGlobalUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent) || ts.isTypeReferenceNode(parent) || ts.isImportSpecifier(parent))
    return false;
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent)) {
    return ts.isPropertyAssignment(parent) && parent.initializer === node;
  }
  return true;
}

export const determinism: Rule = {
  name: 'the deterministic zone is pure and synchronous',
  check,
  good: [
    ['core/a.ts', 'const m = Math.floor(a / b); list.sort((x, y) => x - y);'],
    ['store/backend/a.ts', "import { open } from 'node:fs'; async function f() { await g(); }"],
    ['node/a.ts', 'const t = Date.now();'],
    ['core/hash.ts', "import { hash } from 'node:crypto';"],
    ['core/a.ts', "import type { Level } from 'level';"],
    ['core/a.test.ts', "import fc from 'fast-check';"],
    ['store/backend/a.ts', "import { Level } from 'level';"],
    ['framework/json.ts', 'const a = JSON.parse(text);'],
    ['node/a.ts', 'const a = JSON.parse(text);'],
  ],
  bad: [
    ['core/a.ts', 'const t = Date.now();'],
    ['app/a.ts', 'const t = new Date();'],
    ['modules/bank/a.ts', 'const r = Math.random();'],
    ['framework/a.ts', 'const r = Math.sqrt(2);'],
    ['consensus/a.ts', 'setTimeout(f, 1);'],
    ['consensus/a.ts', 'async function f(): Promise<void> {}'],
    ['store/a.ts', "import { open } from 'node:fs';"],
    ['core/other.ts', "import { hash } from 'node:crypto';"],
    ['genesis/a.ts', 'for (const key in object) f(key);'],
    ['genesis/a.ts', 'const s = JSON.stringify(x);'],
    ['framework/json.ts', 'const s = JSON.stringify(x);'],
    ['genesis/a.ts', 'const s = JSON.parse(x);'],
    ['modules/bank/json.ts', 'const s = JSON.parse(x);'],
    ['app/a.ts', 'const { parse } = JSON;'],
    ['app/a.ts', "const s = JSON['parse'](x);"],
    ['core/a.ts', "import 'ws';"],
    ['core/a.ts', "import { WebSocket } from 'ws';"],
    ['core/a.ts', "import { bech32 } from '@scure/base';"],
    ['modules/bank/a.ts', "import { Level } from 'level';"],
    ['store/a.ts', "export { Level } from 'level';"],
    ['store/a.ts', "import('level');"],
    ['core/a.ts', 'list.sort();'],
    ['core/a.ts', 'a.localeCompare(b);'],
    ['core/a.ts', "throw new Error('x');"],
    ['proto/codec/a.ts', 'console.log(1);'],
    ['core/a.ts', 'const n = process.argv.length;'],
  ],
};
