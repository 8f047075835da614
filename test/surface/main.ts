/** `npm run surface`: writes docs/spec/cosmos-surface.md. */
import { writeFileSync } from 'node:fs';
import { DOCUMENT, surface, surfaceDocument } from './surface.ts';

writeFileSync(DOCUMENT, surfaceDocument(await surface()));
process.stdout.write('docs/spec/cosmos-surface.md is written\n');
