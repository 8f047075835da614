/**
 * Compiles `assembly/` with the AssemblyScript of the lock file and writes the module's bytes to
 * `module-bytes.ts`. Development only: `node attest/wasm/compile.ts` after a change there; a test compiles
 * again and compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from 'assemblyscript/asc';

const SOURCES = join(import.meta.dirname, 'assembly');
const BYTES_FILE = join(import.meta.dirname, 'module-bytes.ts');
const OUTPUT = 'module.wasm';

const FLAGS: readonly string[] = [
  ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert'],
  ...['--runtime', 'stub', '--enable', 'simd', '--noColors'],
];

/** The module that the sources compile to. @throws Error with what the compiler says */
export async function compileModule(): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  const { error, stderr } = await main(['module.ts', '--outFile', OUTPUT, ...FLAGS], {
    readFile: (name) => sourceOf(name),
    writeFile: (name, contents) => {
      if (name === OUTPUT && typeof contents !== 'string') bytes = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || bytes === undefined) throw new Error(`attest/wasm does not compile:\n${stderr}`);
  return bytes;
}

/** The compiler asks for files that are not there, too. */
function sourceOf(name: string): string | null {
  try {
    return readFileSync(join(SOURCES, name), 'utf8');
  } catch {
    return null;
  }
}

/** The file that holds a module's bytes. */
export function bytesFile(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,96}/g) ?? [];
  return [
    '/** The module that `assembly/` compiles to, in base64: written by compile.ts, compared by module.test.ts. */',
    'export const MODULE_BASE64: string =',
    ...lines.map((line, i) => `  '${line}'${i === lines.length - 1 ? ';' : ' +'}`),
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync(BYTES_FILE, bytesFile(await compileModule()));
