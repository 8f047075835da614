/** `npm run surface`: writes docs/spec/cosmos-surface.md, parameters.md and hooks.md. */
import { writeFileSync } from 'node:fs';
import { documents } from '../parameters/documents.ts';
import { ProgramOptions } from '../support/program-options.ts';
import { DOCUMENT, surface, surfaceDocument } from './surface.ts';

const command = 'npm run surface';
const purpose = 'writes docs/spec/cosmos-surface.md, parameters.md and hooks.md.';
new ProgramOptions({ command, purpose }).end();
writeFileSync(DOCUMENT, surfaceDocument(await surface()));
for (const [path, text] of documents()) writeFileSync(path, text);
process.stdout.write('docs/spec/cosmos-surface.md, parameters.md and hooks.md are written\n');
