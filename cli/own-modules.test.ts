import type { ResolveFnOutput, ResolveHookContext } from 'node:module';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { resolveOwnModule } from './own-modules.ts';

const here = pathToFileURL(import.meta.filename).href;
const byNode: ResolveFnOutput = { url: 'node:said', format: 'builtin' };

function resolved(
  specifier: string,
  parentURL: string | undefined,
  how: 'import' | 'require' = 'import',
): ResolveFnOutput {
  const context: ResolveHookContext = { conditions: ['node', how], importAttributes: {}, parentURL };
  const answer = resolveOwnModule(specifier, context, () => byNode);
  if (answer instanceof Promise) throw new Error('a synchronous hook answers at once');
  return answer;
}

it.each(['./start.ts', '../core/errors.ts', './devnet/run.ts'])(
  '%s is the file of that name',
  (specifier) => {
    const url = new URL(specifier, here).href;
    expect(resolved(specifier, here)).toEqual({ url, format: 'module-typescript', shortCircuit: true });
  },
);

const ofPackage = 'file:///x/node_modules/y/a.js';

it('what a module of a package imports beside itself is the file of that name', () => {
  expect(resolved('../b.js', ofPackage)).toEqual({ url: 'file:///x/node_modules/b.js', shortCircuit: true });
});

it('what a CommonJS file requires may be another file than it says', () => {
  expect(resolved('./b.js', ofPackage, 'require')).toBe(byNode);
});

it.each([
  ['level', here],
  ['level', ofPackage],
  ['./b', ofPackage],
  ['node:fs', here],
  ['./index.js', here],
  ['./a.ts', ofPackage],
  ['./a.ts', undefined],
])('%s from %s is left to Node.js', (specifier, parentURL) => {
  expect(resolved(specifier, parentURL)).toBe(byNode);
});
