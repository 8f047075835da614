/** `npm run surface`: writes docs/spec/cosmos-surface.md, parameters.md and hooks.md. */
import { writeFileSync } from 'node:fs';
import { documents } from '../parameters/documents.ts';
import { DOCUMENT, surface, surfaceDocument } from './surface.ts';

writeFileSync(DOCUMENT, surfaceDocument(await surface()));
for (const [path, text] of documents()) writeFileSync(path, text);
process.stdout.write('docs/spec/cosmos-surface.md, parameters.md and hooks.md are written\n');
