/** What happens to a quotation on its way into an output. */
import type { Random } from '../../fuzz/random.ts';

/** Words of a text, each with the space behind it. */
export function wordsOf(text: string): readonly string[] {
  return text.match(/\S+\s*/g) ?? [];
}

/**
 * The words with a part of them edited: exactly ⌊share · words + ½⌋, at places chosen at random; of three
 * edited ones one is replaced, one is left out, one has another word put before it.
 */
export function editWords(
  words: readonly string[],
  {
    share,
    vocabulary,
    random,
  }: { readonly share: number; readonly vocabulary: readonly string[]; readonly random: Random },
): readonly string[] {
  const chosen = new Set<number>();
  const count = Math.floor(share * words.length + 0.5);
  while (chosen.size < count) chosen.add(random.below(words.length));
  let kind = random.below(3);
  return words.flatMap((word, i) => {
    if (!chosen.has(i)) return [word];
    const other = vocabulary[random.below(vocabulary.length)] ?? 'x ';
    kind = (kind + 1) % 3;
    return kind === 0 ? [other] : kind === 1 ? [] : [other, word];
  });
}

/** Common words of the speeches, and others for them. */
const SYNONYMS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{
      the: 'this',
      of: 'from',
      and: 'plus',
      to: 'toward',
      in: 'within',
      our: 'the',
      which: 'that',
      has: 'had',
    },
    ...{
      have: 'hold',
      is: 'remains',
      are: 'remain',
      was: 'became',
      were: 'became',
      by: 'through',
      for: 'on behalf of',
    },
    ...{
      with: 'alongside',
      be: 'become',
      been: 'become',
      will: 'shall',
      it: 'this',
      we: 'all of us',
      not: 'hardly',
    },
    ...{
      government: 'state',
      states: 'provinces',
      people: 'citizens',
      country: 'nation',
      congress: 'the houses',
    },
    ...{
      great: 'large',
      public: 'common',
      law: 'statute',
      laws: 'statutes',
      year: 'twelvemonth',
      war: 'conflict',
    },
    ...{
      peace: 'concord',
      good: 'sound',
      new: 'recent',
      more: 'further',
      must: 'ought to',
      can: 'may',
      i: 'your president',
    },
  }),
);

/** How a quotation is said otherwise by rule. */
export const PARAPHRASES: Readonly<Record<string, (words: readonly string[]) => string>> = {
  'common words replaced': (words) =>
    words
      .map((word) => {
        const [, core = '', rest = ''] = /^(\w*)(.*)$/su.exec(word) ?? [];
        const other = SYNONYMS.get(core.toLowerCase());
        return other === undefined ? word : other + rest;
      })
      .join(''),
  'every second pair of words turned': (words) =>
    words
      .map((word, i) => (i % 4 === 0 ? (words[i + 1] ?? word) : i % 4 === 1 ? (words[i - 1] ?? word) : word))
      .join(''),
  'lower case': (words) => words.join('').toLowerCase(),
  CAPITALS: (words) => words.join('').toUpperCase(),
  'new lines every six words': (words) =>
    words.map((word, i) => (i % 6 === 5 ? `${word.trimEnd()}\n` : word)).join(''),
  'two spaces for one': (words) => words.join('').replaceAll(' ', '  '),
  'in curly quotation marks': (words) => `“${words.join('').trimEnd()}” `,
};

/** A passage of a speech and what a person made of it. */
export interface HandMade {
  readonly year: number;
  /** Words of the speech that tell which one it is. */
  readonly original: string;
  readonly paraphrase: string;
}

/** Written for this test. */
export const HAND_MADE: readonly HandMade[] = [
  {
    year: 1823,
    original: 'are henceforth not to be considered as subjects for future colonization',
    paraphrase:
      'The two American continents are free and mean to stay so; from now on no power of Europe may look at them as land for new colonies. ',
  },
  {
    year: 1862,
    original: 'The dogmas of the quiet past are inadequate to the stormy present',
    paraphrase:
      'What we believed in calmer days does not serve us in this storm. The task is new, and so our thoughts and deeds have to be new, if the nation is to live. ',
  },
  {
    year: 1941,
    original: 'we look forward to a world founded upon four essential human freedoms',
    paraphrase:
      'For the time to come we hope for an order on earth that rests on four liberties nobody should go without: of speech, of faith, from need and from dread. ',
  },
  {
    year: 1964,
    original: 'declares unconditional war on poverty in America',
    paraphrase:
      'From this day the administration fights want among our own citizens without reserve, and will not stop. ',
  },
  {
    year: 2002,
    original: 'axis of evil',
    paraphrase:
      'Regimes like these and the terrorists they shelter are a wicked alliance that arms itself against everyone. ',
  },
];
