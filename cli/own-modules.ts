/**
 * Resolves modules that are always what they are called without asking the disk: the program's own, and those
 * that a file of an ES package names beside itself. What Node.js does for every import is made for names of
 * packages: is the file there, is it a link, which package.json up the folders says of what type it is. To
 * leave that out saves a fifth of the processor time of a node's start.
 */
import { registerHooks, type ResolveHookSync } from 'node:module';

/** `./x.ts` in a file of ours, `./x.js` imported by one of a package; all else is left to Node.js. */
export const resolveOwnModule: ResolveHookSync = (specifier, context, nextResolve) => {
  const { parentURL, conditions } = context;
  if (parentURL === undefined || !specifier.startsWith('.')) return nextResolve(specifier, context);
  const url = new URL(specifier, parentURL).href;
  if (parentURL.includes('/node_modules/')) {
    if (specifier.endsWith('.js') && conditions.includes('import')) return { url, shortCircuit: true };
  } else if (specifier.endsWith('.ts')) return { url, format: 'module-typescript', shortCircuit: true };
  return nextResolve(specifier, context);
};

/** From now on, in this thread. */
export function resolveOwnModulesDirectly(): void {
  registerHooks({ resolve: resolveOwnModule });
}
