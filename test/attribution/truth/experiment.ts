/** Outputs that quote speeches, traced: who was named, and who should have been. */
import { Corpus } from '../../../attest/query/corpus.ts';
import { arrayShard } from '../../../attest/testing/array-shard.ts';
import { traceOutput } from '../../../attest/trace/trace.ts';
import { TRACE_RULES, type TraceRules } from '../../../modules/attribution/proof/trace/rules.ts';
import { Random } from '../../fuzz/random.ts';
import { editWords, HAND_MADE, PARAPHRASES, wordsOf } from './edits.ts';
import { type Speech, type Split, speechDocument } from './speeches.ts';

/** Words of a held-out speech before a quotation, and after it. */
const CARRIER_WORDS = 60;

/** The corpus of an experiment and what outputs are made of. */
export interface Material {
  readonly corpus: Corpus;
  readonly indexed: readonly Speech[];
  /** Words of indexed speeches, and of those that are not. */
  readonly words: ReadonlyMap<number, readonly string[]>;
  readonly carriers: readonly (readonly string[])[];
  readonly vocabulary: readonly string[];
}

/** Indexes the speeches. */
export function prepare({ indexed, heldOut }: Split): Material {
  const carriers = heldOut
    .map(({ text }) => wordsOf(text))
    .filter(({ length }) => length > 2 * CARRIER_WORDS);
  return {
    corpus: new Corpus([arrayShard(indexed.map(speechDocument))]),
    indexed,
    words: new Map(indexed.map(({ id, text }) => [id, wordsOf(text)])),
    carriers,
    vocabulary: carriers.flatMap((words) => words.slice(0, 500)),
  };
}

/** What the traces of one row of a table said. */
export interface Score {
  readonly outputs: number;
  /** Outputs whose trace names a speech that holds the quotation. */
  readonly recalled: number;
  /** Contributions named over all outputs, and how many of them hold the quotation. */
  readonly named: number;
  readonly right: number;
  /** Outputs where the highest weight is right. */
  readonly first: number;
  /** Part of the weight that is right: the mean over outputs that name anybody. */
  readonly weightShare: number;
}

/** One output: what it says, and the speeches that hold what is quoted in it. */
interface Output {
  readonly text: string;
  readonly holders: ReadonlySet<bigint>;
}

/** A quotation: neighbouring words of an indexed speech, drawn so that each speech is as likely. */
function drawQuotation(
  { indexed, words }: Material,
  length: number,
  random: Random,
): { readonly speech: Speech; readonly words: readonly string[] } {
  for (;;) {
    const speech = indexed[random.below(indexed.length)];
    const all = speech === undefined ? [] : (words.get(speech.id) ?? []);
    if (speech === undefined || all.length <= length) continue;
    const start = random.below(all.length - length);
    return { speech, words: all.slice(start, start + length) };
  }
}

/** Speeches that hold the quotation as it was before any edit. */
function holdersOf({ indexed }: Material, speech: Speech, quotation: string): ReadonlySet<bigint> {
  const exact = indexed.filter(({ text }) => text.includes(quotation.trimEnd()));
  return new Set([BigInt(speech.id), ...exact.map(({ id }) => BigInt(id))]);
}

/** The quotation between words of a speech that is not indexed. */
function embed({ carriers }: Material, quotation: string, random: Random): string {
  const carrier = carriers[random.below(carriers.length)] ?? [];
  const start = random.below(carrier.length - 2 * CARRIER_WORDS);
  const before = carrier.slice(start, start + CARRIER_WORDS).join('');
  const after = carrier.slice(start + CARRIER_WORDS, start + 2 * CARRIER_WORDS).join('');
  return `${before.trimEnd()} ${quotation.trimEnd()} ${after}`;
}

function score({ corpus }: Material, outputs: readonly Output[], rules: TraceRules): Score {
  let [recalled, named, right, first, share, naming] = [0, 0, 0, 0, 0, 0];
  for (const { text, holders } of outputs) {
    const { contributions, weight } = traceOutput(new TextEncoder().encode(text), corpus, rules);
    const found = contributions.filter(({ contributionId }) => holders.has(contributionId));
    named += contributions.length;
    right += found.length;
    if (found.length > 0) recalled++;
    if (weight === 0n) continue;
    naming++;
    const highest = contributions.reduce((best, each) => (each.weight > best.weight ? each : best));
    if (holders.has(highest.contributionId)) first++;
    share += Number(found.reduce((sum, each) => sum + each.weight, 0n)) / Number(weight);
  }
  return {
    outputs: outputs.length,
    recalled,
    named,
    right,
    first,
    weightShare: naming === 0 ? 0 : share / naming,
  };
}

/** Outputs of one row. */
export interface RowOptions {
  readonly outputs: number;
  readonly seed: number;
  readonly rules?: TraceRules;
}

/** Quotations of so many words, of which a share is edited. */
export function plantedRow(
  material: Material,
  { length, share }: { readonly length: number; readonly share: number },
  { outputs, seed, rules = TRACE_RULES }: RowOptions,
): Score {
  const random = new Random(seed);
  const made = Array.from({ length: outputs }, (): Output => {
    const { speech, words } = drawQuotation(material, length, random);
    const edited = editWords(words, { share, vocabulary: material.vocabulary, random });
    return {
      text: embed(material, edited.join(''), random),
      holders: holdersOf(material, speech, words.join('')),
    };
  });
  return score(material, made, rules);
}

/** Outputs that quote nothing: whoever is named, is so by chance. */
export function controlRow(material: Material, { outputs, seed, rules = TRACE_RULES }: RowOptions): Score {
  const random = new Random(seed);
  const made = Array.from({ length: outputs }, () => ({
    text: embed(material, '', random),
    holders: new Set<bigint>(),
  }));
  return score(material, made, rules);
}

/** Passages of 40 words said otherwise by each rule, and by hand. */
export function paraphraseRows(
  material: Material,
  { outputs, seed, rules = TRACE_RULES }: RowOptions,
): readonly { readonly name: string; readonly score: Score }[] {
  const byRule = Object.entries(PARAPHRASES).map(([name, paraphrase]) => {
    const random = new Random(seed);
    const made = Array.from({ length: outputs }, (): Output => {
      const { speech, words } = drawQuotation(material, 40, random);
      return {
        text: embed(material, paraphrase(words), random),
        holders: holdersOf(material, speech, words.join('')),
      };
    });
    return { name, score: score(material, made, rules) };
  });
  const random = new Random(seed);
  const byHand = HAND_MADE.flatMap(({ year, original, paraphrase }): readonly Output[] => {
    const speech = material.indexed.find((each) => each.year === year && each.text.includes(original));
    return speech === undefined
      ? []
      : [{ text: embed(material, paraphrase, random), holders: new Set([BigInt(speech.id)]) }];
  });
  return [...byRule, { name: 'said otherwise by a person', score: score(material, byHand, rules) }];
}

/**
 * Random runs of tokens, half of them from the corpus: how many the index counts as a search everywhere does.
 */
export function countsAgree(
  material: Material,
  { outputs, seed }: RowOptions,
): { readonly agree: number; readonly present: number } {
  const random = new Random(seed);
  const shard = material.corpus.shard(0);
  const text = Uint32Array.from({ length: shard.tokens }, (_, position) => shard.token(position));
  let [agree, present] = [0, 0];
  for (let i = 0; i < outputs; i++) {
    const length = 1 + random.below(6);
    const start = random.below(text.length - length);
    const pattern = text.slice(start, start + length);
    if (i % 2 === 1) pattern[random.below(length)] = text[random.below(text.length)] ?? 0;
    const counted = material.corpus.count(pattern);
    if (counted === occurrences(text, pattern)) agree++;
    if (counted > 0) present++;
  }
  return { agree, present };
}

function occurrences(text: Uint32Array, pattern: Uint32Array): number {
  const [first = 0] = pattern;
  let count = 0;
  for (let at = text.indexOf(first); at >= 0; at = text.indexOf(first, at + 1)) {
    let shared = 1;
    while (shared < pattern.length && text[at + shared] === pattern[shared]) shared++;
    if (shared === pattern.length) count++;
  }
  return count;
}
