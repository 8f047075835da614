/**
 * Resolves modules without asking the disk again and again. What Node.js does for every import is made for
 * files of unknown shape: is it there, is it a link, which package.json up the folders says of what type it
 * is. For the six hundred files of our own, which are always what they are called, and the four hundred of
 * packages that import one another by name, that is a quarter of the processor time of a node's loading:
 * 0.66 s instead of 0.90 s (the least of nine runs each).
 */
import { registerHooks, type ResolveFnOutput, type ResolveHookSync } from 'node:module';

const PACKAGES = '/node_modules/';

/** A hook with a memory of its own. Links inside a package are not followed; there are none in packages from a registry. */
export function createResolver(): ResolveHookSync {
  const known = new Map<string, ResolveFnOutput>();
  return (specifier, context, nextResolve) => {
    const { parentURL, conditions } = context;
    const isImport = conditions.includes('import');
    if (parentURL === undefined || !isImport || /^(#|node:)/.test(specifier))
      return nextResolve(specifier, context);
    const folder = packageOf(parentURL);
    if (specifier.startsWith('.')) {
      const url = (): string => new URL(specifier, parentURL).href;
      if (folder === undefined && specifier.endsWith('.ts'))
        return { url: url(), format: 'module-typescript', shortCircuit: true };
      // Of what type it is, its package.json says when it is loaded.
      if (folder !== undefined && specifier.endsWith('.js')) return { url: url(), shortCircuit: true };
      return nextResolve(specifier, context);
    }
    // All files of a package, and all of ours, see the same packages.
    const key = `${folder ?? ''} ${specifier}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const found = nextResolve(specifier, context);
    known.set(key, { ...found, shortCircuit: true });
    return found;
  };
}

/** The folder of the package that a file belongs to; undefined for files of ours. */
function packageOf(url: string): string | undefined {
  const at = url.lastIndexOf(PACKAGES);
  if (at < 0) return undefined;
  const name = at + PACKAGES.length;
  const end = url[name] === '@' ? url.indexOf('/', url.indexOf('/', name) + 1) : url.indexOf('/', name);
  return url.slice(0, end);
}

/** From now on, in this thread. */
export function resolveModulesQuickly(): void {
  registerHooks({ resolve: createResolver() });
}
