/**
 * Whether some bytes of a text are as long as its tokens and words, told from these bytes and the four on
 * each side: what a dispute opens of an answer. Tokens are told from their start on; so all that is to be
 * shown of the start is that a token begins there.
 */
import { TOKEN_BYTES_MAX, tokenise, tokenLengthAt } from '../tokenise.ts';
import { isBoundary, isSentenceEnd, isWideLead, isWordByte } from './rules.ts';

/** Bytes before a passage and behind it that tell where it begins and ends. */
export const MARGIN_BYTES: number = TOKEN_BYTES_MAX;

/** Bytes of a text, among them a passage, with `MARGIN_BYTES` on each side as far as the text goes. */
export interface OpenedPassage {
  readonly bytes: Uint8Array;
  /** Where the passage begins in `bytes`; 0: it begins the text. */
  readonly at: number;
  readonly length: number;
}

/**
 * Tokens of a passage, the same as it has in its text and by itself. Undefined when it does not begin where a
 * word begins, does not end with a token where a word may be cut, or goes beyond a sentence.
 */
export function passageTokens({ bytes, at, length }: OpenedPassage): Uint32Array | undefined {
  const end = at + length;
  if (!beginsWord(bytes, at)) return undefined;
  let reached = at;
  while (reached < end) reached += tokenLengthAt(bytes, reached);
  if (reached !== end) return undefined;
  const tokens = tokenise(bytes.subarray(at, end));
  const next = bytes[end];
  // Of the token behind only the first byte is looked at.
  const around = next === undefined ? tokens.slice(-1) : Uint32Array.of(tokens.at(-1) ?? 0, next * 2 ** 24);
  return isBoundary(around, 1) && !tokens.subarray(0, -1).some(isSentenceEnd) ? tokens : undefined;
}

/**
 * `isWordStart` of a place in bytes. Of the tokens that hold a letter, digit or byte beyond ASCII none has
 * anything else before it, and a lead byte of a wide character begins a token wherever it stands. Behind
 * another such byte a word begins only where a wide character ends.
 */
function beginsWord(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at] ?? 0;
  const before = bytes[at - 1];
  if (!isWordByte(byte)) return false;
  if (before === undefined || !isWordByte(before) || isWideLead(byte)) return true;
  for (let lead = Math.max(0, at - TOKEN_BYTES_MAX); lead < at; lead++)
    if (isWideLead(bytes[lead] ?? 0) && lead + tokenLengthAt(bytes, lead) === at) return true;
  return false;
}
