import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LONGEST, placeOf } from './longest-first.ts';

const root = join(import.meta.dirname, '..');

it.each(LONGEST)('%s is there', (file) => {
  expect(existsSync(join(root, file))).toBe(true);
});

it('long files of a project come before the others, and those of one project together', () => {
  const inOrder: readonly (readonly [string, string])[] = [
    ['simulation', 'test/simulation/seeds-liveness.test.ts'],
    ['simulation', 'test/simulation/planted/planted.test.ts'],
    ['simulation', 'test/simulation/determinism.test.ts'],
    ['unit', 'test/operations/seeds.test.ts'],
    ['unit', 'core/bytes.test.ts'],
  ];
  const places = inOrder.map(([project, file]) => placeOf(project, join(root, file)));
  expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
});
