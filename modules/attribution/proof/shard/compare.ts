/**
 * Where the suffix of a rank stands against a pattern. Within the tokens of the entry that decides itself;
 * where they all agree, the text decides. Which leaves of the text are needed, and in which order, is part of
 * the format: provers and verifiers ask for them here, one after another.
 */
import { LEAF_TOKENS } from '../kinds.ts';
import type { ShardStatement } from './format.ts';
import type { SuffixEntry } from './leaves.ts';

/** A pattern: `length` tokens of the query from `start`. */
export interface Pattern {
  readonly query: Uint32Array;
  readonly start: number;
  readonly length: number;
}

/** A suffix against a pattern. */
export interface Standing {
  /** Leading tokens of the pattern that the suffix has. */
  readonly common: number;
  /** −1: the suffix is smaller; 0: it begins with the pattern; 1: it is larger. */
  readonly order: -1 | 0 | 1;
}

/** The tokens of a text leaf, which is opened if it was not yet. */
export type TextLeafSource = (index: number, entry: SuffixEntry, pattern: Pattern) => readonly number[];

/** Compares a suffix with a pattern. */
export function standingOf(entry: SuffixEntry, pattern: Pattern, text: TextLeafSource): Standing {
  const { query, start, length } = pattern;
  const { position, tokens } = entry;
  let common = 0;
  while (common < length && common < tokens.length) {
    if (tokens[common] !== query[start + common])
      return decided(tokens[common], query[start + common], common);
    common++;
  }
  while (common < length) {
    const index = Math.floor((position + common) / LEAF_TOKENS);
    const leaf = text(index, entry, pattern);
    for (let at = position + common - index * LEAF_TOKENS; at < LEAF_TOKENS && common < length; at++) {
      const token = leaf[at];
      const asked = query[start + common];
      if (token !== asked) return decided(token, asked, common);
      common++;
    }
  }
  return { common, order: 0 };
}

/** The end of the text is smaller than every token. */
function decided(token: number | undefined, asked: number | undefined, common: number): Standing {
  return { common, order: (token ?? -1) < (asked ?? -1) ? -1 : 1 };
}

/** How the suffixes that a statement rests on have to stand, in the order in which they are looked at. */
export interface Demand {
  readonly rank: number;
  readonly order: -1 | 0 | 1;
}

/**
 * What a statement demands. Ranks between `lo` and `hi` − 1 follow from the order of the ranks, which fraud
 * proofs keep true.
 */
export function demandsOf({ kind, lo, hi }: ShardStatement, tokens: number): readonly Demand[] {
  if (kind === 'occurrence') return [{ rank: lo, order: 0 }];
  const demands: Demand[] = lo > 0 ? [{ rank: lo - 1, order: -1 }] : [];
  if (lo < hi) demands.push({ rank: lo, order: 0 });
  if (lo + 1 < hi) demands.push({ rank: hi - 1, order: 0 });
  if (hi < tokens) demands.push({ rank: hi, order: 1 });
  return demands;
}
