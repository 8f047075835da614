import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { composeModules } from '../../app/modules.ts';
import { documents } from './documents.ts';
import { fieldPaths, SECTIONS } from './sections.ts';

it.each(SECTIONS.map((section) => [section.module, section] as const))(
  'the table has every parameter of %s, once',
  (_, { rows, type }) => {
    expect(rows.map(({ field }) => field).sort()).toEqual([...fieldPaths(type)].sort());
  },
);

it('the table has every module whose parameters governance can change', () => {
  const updates = composeModules('open').router.typeUrls.filter((url) => url.endsWith('.MsgUpdateParams'));
  expect(SECTIONS.map(({ update }) => update).sort()).toEqual(updates.sort());
});

it.each([...documents()].map(([path, text]) => [basename(path), path, text] as const))(
  '%s says what the tables say (else run `npm run surface`)',
  (_, path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);
