/**
 * Suffix arrays by induced sorting (SA-IS; Nong, Zhang and Chan, "Linear Suffix Array Construction by Almost
 * Pure Induced-Sorting", DCC 2009). The end of the text sorts before every token; no sentinel is stored.
 *
 * A suffix is S when it is smaller than the one behind it, else L; the last is L. An S suffix with an L
 * before it is LMS. From sorted LMS suffixes one pass to the right places all L, one pass to the left all S.
 *
 * | step | what `sa` holds |
 * | --- | --- |
 * | seed | LMS positions at the ends of their buckets, 0 elsewhere |
 * | sort substrings | sorted LMS substrings, complemented, where they fall; then at the front |
 * | name | lengths, then names, of the substring at p in `sa[m + p/2]`: LMS positions are two or more apart |
 * | recurse | if names repeat: the text of names in the last m places, its suffix array in the first m |
 * | induce | the LMS suffixes in order at the ends of their buckets, then all suffixes |
 *
 * A sign says what a pass need not look up again: a position whose predecessor is of the other type is
 * written complemented, which the pass skips and the next one starts from.
 *
 * Memory: the ranks of the text and the array itself, 4 bytes a token each, and 8 for each symbol of a level.
 * The text of the next level lives in the array; it has at most half as many tokens, so there are at most
 * log2 n levels.
 */
import { compressAlphabet } from './alphabet.ts';

/** What a build of a suffix array is at. */
export interface SortProgress {
  readonly stage: 'alphabet' | 'substrings' | 'names' | 'suffixes';
  /** 0 for the text itself, 1 for the text of its names, and so on. */
  readonly level: number;
  /** Length of the text at that level. */
  readonly tokens: number;
}

/** Is told each stage as it begins. */
export type OnSortProgress = (progress: SortProgress) => void;

/**
 * One level: text of ranks, the places of its suffix array, and bucket tables of as many entries as symbols.
 */
interface Level {
  readonly text: Int32Array;
  readonly sa: Int32Array;
  readonly counts: Int32Array;
  readonly next: Int32Array;
  readonly depth: number;
  readonly progress: OnSortProgress | undefined;
}

/** Positions of all suffixes of a text of tokens, smallest suffix first. */
export function suffixArray(text: Uint32Array, progress?: OnSortProgress): Uint32Array {
  progress?.({ stage: 'alphabet', level: 0, tokens: text.length });
  const { ranks, symbols } = compressAlphabet(text);
  const sa = new Int32Array(text.length);
  sortLevel({ text: ranks, sa, ...bucketsOf(symbols.length), depth: 0, progress });
  return new Uint32Array(sa.buffer);
}

/** Rank of the suffix at each position: the inverse of a permutation. */
export function inverseOf(sa: Uint32Array): Uint32Array {
  const isa = new Uint32Array(sa.length);
  for (let rank = 0; rank < sa.length; rank++) isa[sa[rank] ?? 0] = rank;
  return isa;
}

function bucketsOf(symbols: number): Pick<Level, 'counts' | 'next'> {
  return { counts: new Int32Array(symbols), next: new Int32Array(symbols) };
}

function sortLevel(level: Level): void {
  const { text, sa, counts } = level;
  if (text.length < 2) return void sa.fill(0);
  for (let i = 0; i < text.length; i++) counts[text[i] ?? 0] = (counts[text[i] ?? 0] ?? 0) + 1;
  tell(level, 'substrings');
  const lms = seedLms(level);
  if (lms > 1) {
    sortSubstrings(level);
    gatherSubstrings(sa);
    tell(level, 'names');
    const names = nameSubstrings(level, lms);
    if (names < lms) sortNames(level, lms, names);
  } else if (lms === 1) {
    sa[0] = onlySeed(sa);
  }
  tell(level, 'suffixes');
  placeLms(level, lms);
  induceLarge(level);
  induceSmall(level);
}

function tell({ text, depth, progress }: Level, stage: SortProgress['stage']): void {
  progress?.({ stage, level: depth, tokens: text.length });
}

/** Sets `next` to the first place of each bucket. */
function bucketHeads({ counts, next }: Level): void {
  let sum = 0;
  for (let c = 0; c < counts.length; c++) {
    next[c] = sum;
    sum += counts[c] ?? 0;
  }
}

/** Sets `next` to the place behind each bucket. */
function bucketTails({ counts, next }: Level): void {
  let sum = 0;
  for (let c = 0; c < counts.length; c++) {
    sum += counts[c] ?? 0;
    next[c] = sum;
  }
}

/** Puts the LMS positions at the ends of their buckets, in any order; how many there are. */
function seedLms(level: Level): number {
  const { text, sa, next } = level;
  sa.fill(0);
  bucketTails(level);
  let count = 0;
  let small = false;
  let after = text[text.length - 1] ?? 0;
  for (let i = text.length - 2; i >= 0; i--) {
    const c = text[i] ?? 0;
    if (c < after) {
      small = true;
    } else if (c > after) {
      if (small) {
        const place = (next[after] ?? 0) - 1;
        next[after] = place;
        sa[place] = i + 1;
        count++;
      }
      small = false;
    }
    after = c;
  }
  return count;
}

/** The one position of a seeded array. */
function onlySeed(sa: Int32Array): number {
  return sa.find((position) => position > 0) ?? 0;
}

/** Orders LMS substrings: leaves them complemented in `sa`, 0 or a positive number elsewhere. */
function sortSubstrings(level: Level): void {
  const { text, sa, next } = level;
  const n = text.length;
  bucketHeads(level);
  putLast(level);
  for (let i = 0; i < n; i++) {
    const position = sa[i] ?? 0;
    if (position <= 0) {
      if (position < 0) sa[i] = ~position;
      continue;
    }
    sa[i] = 0;
    const j = position - 1;
    const c = text[j] ?? 0;
    const place = next[c] ?? 0;
    next[c] = place + 1;
    sa[place] = j > 0 && (text[j - 1] ?? 0) < c ? ~j : j;
  }
  bucketTails(level);
  for (let i = n - 1; i >= 0; i--) {
    const position = sa[i] ?? 0;
    if (position <= 0) continue;
    sa[i] = 0;
    const j = position - 1;
    const c = text[j] ?? 0;
    const place = (next[c] ?? 0) - 1;
    next[c] = place;
    sa[place] = j > 0 && (text[j - 1] ?? 0) > c ? ~j : j;
  }
}

/** Places the last suffix, which the end of the text induces. */
function putLast({ text, sa, next }: Level): void {
  const last = text.length - 1;
  const c = text[last] ?? 0;
  const place = next[c] ?? 0;
  next[c] = place + 1;
  sa[place] = (text[last - 1] ?? 0) < c ? ~last : last;
}

/** Moves the complemented entries to the front. */
function gatherSubstrings(sa: Int32Array): void {
  let count = 0;
  for (let i = 0; i < sa.length; i++) {
    const position = sa[i] ?? 0;
    if (position < 0) sa[count++] = ~position;
  }
  sa.fill(0, count);
}

/** Writes the name, from 1, of the substring at p to `sa[lms + p/2]`; how many different names there are. */
function nameSubstrings({ text, sa }: Level, lms: number): number {
  const n = text.length;
  writeLengths(text, sa, lms);
  let names = 0;
  let before = n;
  let beforeLength = 0;
  for (let i = 0; i < lms; i++) {
    const position = sa[i] ?? 0;
    const at = lms + (position >> 1);
    const length = sa[at] ?? 0;
    // The last substring ends with the end of the text, which no other has.
    let same = length === beforeLength && position + length <= n && before + length <= n;
    for (let k = 0; same && k < length; k++) same = text[position + k] === text[before + k];
    if (!same) names++;
    sa[at] = names;
    before = position;
    beforeLength = length;
  }
  return names;
}

/** Length of each LMS substring with the first token of the next one, or the end of the text. */
function writeLengths(text: Int32Array, sa: Int32Array, lms: number): void {
  let end = text.length;
  let small = false;
  let after = text[end - 1] ?? 0;
  for (let i = text.length - 2; i >= 0; i--) {
    const c = text[i] ?? 0;
    if (c < after) {
      small = true;
    } else if (c > after) {
      if (small) {
        sa[lms + ((i + 1) >> 1)] = end - i;
        end = i + 1;
      }
      small = false;
    }
    after = c;
  }
}

/**
 * Sorts the suffixes of the text of names: `sa` begins with the LMS positions in the order of their suffixes.
 */
function sortNames(level: Level, lms: number, names: number): void {
  const { text, sa } = level;
  const n = text.length;
  let place = n;
  for (let i = n - 1; i >= lms; i--) {
    const name = sa[i] ?? 0;
    if (name > 0) sa[--place] = name - 1;
  }
  sortLevel({
    text: sa.subarray(n - lms, n),
    sa: sa.subarray(0, lms),
    ...bucketsOf(names),
    depth: level.depth + 1,
    progress: level.progress,
  });
  place = n;
  let small = false;
  let after = text[n - 1] ?? 0;
  for (let i = n - 2; i >= 0; i--) {
    const c = text[i] ?? 0;
    if (c < after) {
      small = true;
    } else if (c > after) {
      if (small) sa[--place] = i + 1;
      small = false;
    }
    after = c;
  }
  for (let i = 0; i < lms; i++) sa[i] = sa[n - lms + (sa[i] ?? 0)] ?? 0;
}

/** Moves the sorted LMS positions from the front to the ends of their buckets. */
function placeLms(level: Level, lms: number): void {
  const { text, sa, next } = level;
  sa.fill(0, lms);
  bucketTails(level);
  for (let i = lms - 1; i >= 0; i--) {
    const position = sa[i] ?? 0;
    sa[i] = 0;
    const c = text[position] ?? 0;
    const place = (next[c] ?? 0) - 1;
    next[c] = place;
    sa[place] = position;
  }
}

/** Places all L suffixes. What the other pass starts from is left positive, all else complemented. */
function induceLarge(level: Level): void {
  const { text, sa, next } = level;
  bucketHeads(level);
  putLast(level);
  for (let i = 0; i < text.length; i++) {
    const position = sa[i] ?? 0;
    sa[i] = ~position;
    if (position <= 0) continue;
    const j = position - 1;
    const c = text[j] ?? 0;
    const place = next[c] ?? 0;
    next[c] = place + 1;
    sa[place] = j > 0 && (text[j - 1] ?? 0) < c ? ~j : j;
  }
}

/** Places all S suffixes, over the seeds, and takes the complements back. */
function induceSmall(level: Level): void {
  const { text, sa, next } = level;
  bucketTails(level);
  for (let i = text.length - 1; i >= 0; i--) {
    const position = sa[i] ?? 0;
    if (position <= 0) {
      sa[i] = ~position;
      continue;
    }
    const j = position - 1;
    const c = text[j] ?? 0;
    const place = (next[c] ?? 0) - 1;
    next[c] = place;
    sa[place] = j === 0 || (text[j - 1] ?? 0) > c ? ~j : j;
  }
}
