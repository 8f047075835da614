import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generateAll } from './generate.ts';

const genFolder = join(import.meta.dirname, '..', 'gen');

test('regenerating changes nothing: proto/gen is what the .proto files say (else run `npm run proto`)', () => {
  const generated = generateAll();
  const present = readdirSync(genFolder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  expect(present.sort()).toEqual([...generated.keys()].sort());
  for (const [path, text] of generated) expect(readFileSync(join(genFolder, path), 'utf8'), path).toBe(text);
});
