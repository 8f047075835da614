import type { ResolveFnOutput, ResolveHookContext } from 'node:module';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { resolveOwnModule } from './own-modules.ts';

const here = pathToFileURL(import.meta.filename).href;
const byNode: ResolveFnOutput = { url: 'node:said', format: 'builtin' };

function resolved(specifier: string, parentURL: string | undefined): ResolveFnOutput {
  const context: ResolveHookContext = { conditions: ['node', 'import'], importAttributes: {}, parentURL };
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

it.each([
  ['level', here],
  ['node:fs', here],
  ['./index.js', here],
  ['./a.ts', 'file:///x/node_modules/y/b.js'],
  ['./a.ts', undefined],
])('%s from %s is left to Node.js', (specifier, parentURL) => {
  expect(resolved(specifier, parentURL)).toBe(byNode);
});
