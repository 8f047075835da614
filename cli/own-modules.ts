/**
 * Resolves the program's own modules without asking the disk. What Node.js does for every import is made for
 * packages: is the file there, is it a link, which package.json up the folders says of what type it is. For
 * six hundred files of our own, which are always what they are called, that is a fifth of the processor time
 * of a node's start: 0.68 s instead of 0.90 s (the least of nine runs each).
 */
import { registerHooks, type ResolveHookSync } from 'node:module';

/** `./x.ts` as written in a file of ours; all else is left to Node.js. */
export const resolveOwnModule: ResolveHookSync = (specifier, context, nextResolve) => {
  const { parentURL } = context;
  const isOwn = specifier.startsWith('.') && specifier.endsWith('.ts');
  if (!isOwn || parentURL === undefined || parentURL.includes('/node_modules/'))
    return nextResolve(specifier, context);
  return { url: new URL(specifier, parentURL).href, format: 'module-typescript', shortCircuit: true };
};

/** From now on, in this thread. */
export function resolveOwnModulesDirectly(): void {
  registerHooks({ resolve: resolveOwnModule });
}
