/**
 * `npm run proto`: writes proto/gen from the .proto files. `generate.ts` does the work and is what the drift
 * test calls.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generateAll } from './generate.ts';

const genFolder = join(import.meta.dirname, '..', 'gen');
rmSync(genFolder, { recursive: true, force: true });
const files = generateAll();
for (const [path, text] of files) {
  const target = join(genFolder, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}
process.stdout.write(`proto/gen: ${files.size} files\n`);
