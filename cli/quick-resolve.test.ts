import type { ResolveFnOutput, ResolveHookContext } from 'node:module';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { createResolver } from './quick-resolve.ts';

const here = pathToFileURL(import.meta.filename).href;
const packaged = 'file:///x/node_modules/@a/b/dist/c.js';
const byNode: ResolveFnOutput = { url: 'file:///said-by-node.js', format: 'module' };

interface Asked {
  readonly specifier: string;
  readonly parentURL: string | undefined;
  readonly condition?: string;
}

/** What is answered to one after the other, and how often Node.js had to be asked. */
function resolved(...asked: readonly Asked[]): { answers: ResolveFnOutput[]; nodeAsked: number } {
  const resolve = createResolver();
  let nodeAsked = 0;
  const answers = asked.map(({ specifier, parentURL, condition = 'import' }) => {
    const context: ResolveHookContext = { conditions: ['node', condition], importAttributes: {}, parentURL };
    const answer = resolve(specifier, context, () => {
      nodeAsked += 1;
      return byNode;
    });
    if (answer instanceof Promise) throw new Error('a synchronous hook answers at once');
    return answer;
  });
  return { answers, nodeAsked };
}

it.each(['./start.ts', '../core/errors.ts', './devnet/run.ts'])(
  '%s is the file of that name',
  (specifier) => {
    const url = new URL(specifier, here).href;
    const { answers, nodeAsked } = resolved({ specifier, parentURL: here });
    expect(answers).toEqual([{ url, format: 'module-typescript', shortCircuit: true }]);
    expect(nodeAsked).toBe(0);
  },
);

it('in a package ./x.js is the file of that name, of the type that its package.json says', () => {
  const { answers, nodeAsked } = resolved({ specifier: '../x.js', parentURL: packaged });
  expect(answers).toEqual([{ url: 'file:///x/node_modules/@a/b/x.js', shortCircuit: true }]);
  expect(nodeAsked).toBe(0);
});

it('a package is looked up once for all files of one package, and once for all of ours', () => {
  const { answers, nodeAsked } = resolved(
    { specifier: 'level', parentURL: here },
    { specifier: 'level', parentURL: new URL('../node/node.ts', here).href },
    { specifier: 'level', parentURL: packaged },
    { specifier: 'level', parentURL: 'file:///x/node_modules/@a/b/d.js' },
    { specifier: 'level', parentURL: 'file:///x/node_modules/@a/other/d.js' },
    { specifier: 'level', parentURL: 'file:///x/node_modules/@a/b/node_modules/e/d.js' },
    { specifier: 'level/other', parentURL: packaged },
  );
  expect(answers.map(({ url }) => url)).toEqual(answers.map(() => byNode.url));
  expect(nodeAsked).toBe(5);
});

it.each<Asked>([
  { specifier: 'node:fs', parentURL: here },
  { specifier: '#internal', parentURL: packaged },
  { specifier: './index.js', parentURL: here },
  { specifier: './a.ts', parentURL: packaged },
  { specifier: './folder', parentURL: packaged },
  { specifier: './a.js', parentURL: packaged, condition: 'require' },
  { specifier: 'level', parentURL: packaged, condition: 'require' },
  { specifier: './a.ts', parentURL: undefined },
])('$specifier from $parentURL ($condition) is left to Node.js', (asked) => {
  const { answers, nodeAsked } = resolved(asked, asked);
  expect(answers).toEqual([byNode, byNode]);
  expect(nodeAsked).toBe(2);
});
