/**
 * The demo's model: extractive, deterministic, a hundred lines. It answers with sentences of the documents
 * that share most words with the question, one sentence a document, and knows where it took each from.
 */
import { concatBytes, fromUtf8, utf8 } from '../../core/bytes.ts';
import type { ProvableContent } from '../../client/index.ts';

/** A document that the model was made of. */
export interface ModelDocument {
  readonly contributionId: bigint;
  /** The first contribution on the chain with its content: the one that is paid. */
  readonly canonicalId: bigint;
  readonly title: string;
  readonly content: ProvableContent;
}

/** A sentence in an answer and where it comes from; offsets and length in bytes. */
export interface Passage {
  readonly document: ModelDocument;
  readonly text: string;
  readonly sourceOffset: number;
  readonly answerOffset: number;
  readonly length: number;
}

/** What the model says. */
export interface ModelAnswer {
  readonly content: Uint8Array;
  readonly passages: readonly Passage[];
  readonly tokensIn: bigint;
  readonly tokensOut: bigint;
}

interface Sentence {
  readonly document: ModelDocument;
  readonly text: string;
  readonly offset: number;
  readonly length: number;
  readonly words: ReadonlySet<string>;
}

const SENTENCE = /[^.!?]+[.!?]/g;
/** A sentence begins with a capital; what does not is the rest of one that was cut at an abbreviation. */
const BEGINNING = /^[A-Z][A-Za-z']* /;
const SENTENCE_BYTES_MIN = 50;
const SENTENCE_BYTES_MAX = 260;
const STEM_LENGTH = 6;
const WORD_LENGTH_MIN = 4;
const BYTES_PER_TOKEN = 4;
const STOP_WORDS: ReadonlySet<string> = new Set(
  'about been does from have into more most nation said should than that their them they this time what when which will with'.split(
    ' ',
  ),
);

/** An index of sentences. */
export class ExtractiveModel {
  readonly #sentences: readonly Sentence[];

  constructor(documents: readonly ModelDocument[]) {
    this.#sentences = documents.flatMap(sentencesOf);
  }

  /** Answers with at most `most` sentences, each of another document. */
  answer(question: string, most: number): ModelAnswer {
    const wanted = wordsOf(question);
    const ranked = this.#sentences
      .map((sentence) => ({ sentence, score: overlap(sentence.words, wanted) }))
      .filter(({ score }) => score > 0)
      .sort(
        (a, b) => b.score - a.score || a.sentence.length - b.sentence.length || order(a.sentence, b.sentence),
      );
    const chosen: Sentence[] = [];
    const best = ranked[0]?.score ?? 0;
    for (const { sentence, score } of ranked) {
      if (chosen.length === most || score * 2 < best) break;
      if (!chosen.some(({ document }) => document === sentence.document)) chosen.push(sentence);
    }
    return compose(question, chosen);
  }
}

function compose(question: string, sentences: readonly Sentence[]): ModelAnswer {
  const parts: Uint8Array[] = [];
  let length = 0;
  const append = (bytes: Uint8Array): number => {
    parts.push(bytes);
    length += bytes.length;
    return length - bytes.length;
  };
  const passages = sentences.map((sentence): Passage => {
    append(utf8(`${parts.length === 0 ? '' : '\n'}${sentence.document.title}: "`));
    const answerOffset = append(utf8(sentence.text));
    append(utf8('"'));
    const { document, text, offset: sourceOffset } = sentence;
    return { document, text, sourceOffset, answerOffset, length: sentence.length };
  });
  const content = concatBytes(...parts);
  return { content, passages, tokensIn: tokens(utf8(question).length), tokensOut: tokens(content.length) };
}

/** A rough count, as sellers of inference estimate it: four bytes a token. */
function tokens(bytes: number): bigint {
  return BigInt(Math.ceil(bytes / BYTES_PER_TOKEN));
}

function sentencesOf(document: ModelDocument): readonly Sentence[] {
  const whole = fromUtf8(document.content.content);
  const sentences: Sentence[] = [];
  let textAt = 0;
  let bytesAt = 0;
  for (const match of whole.matchAll(SENTENCE)) {
    const text = match[0].trimStart();
    const start = match.index + match[0].length - text.length;
    bytesAt += utf8(whole.slice(textAt, start)).length;
    textAt = start;
    const { length } = utf8(text);
    if (length < SENTENCE_BYTES_MIN || length > SENTENCE_BYTES_MAX || text.includes('\n')) continue;
    if (!BEGINNING.test(text)) continue;
    sentences.push({ document, text, offset: bytesAt, length, words: wordsOf(text) });
  }
  return sentences;
}

function wordsOf(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().match(/[a-z]+/g) ?? [];
  const kept = words.filter((word) => word.length >= WORD_LENGTH_MIN && !STOP_WORDS.has(word));
  return new Set(kept.map((word) => word.slice(0, STEM_LENGTH)));
}

function overlap(words: ReadonlySet<string>, wanted: ReadonlySet<string>): number {
  let count = 0;
  for (const word of wanted) if (words.has(word)) count++;
  return count;
}

function order(a: Sentence, b: Sentence): number {
  const ids = a.document.contributionId - b.document.contributionId;
  return ids === 0n ? a.offset - b.offset : Number(ids);
}
