/** Suffix arrays by the WebAssembly twin of attest/index/sais.ts. */
import { compressAlphabet } from '../index/alphabet.ts';
import type { OnSortProgress, SortProgress } from '../index/sais.ts';
import { instantiate, isOutOfMemory, type Tell } from './module.ts';

const ENTRY_BYTES = 4;

const STAGES: readonly SortProgress['stage'][] = ['alphabet', 'substrings', 'names', 'suffixes'];

/**
 * Positions of all suffixes of a text of tokens, smallest suffix first; undefined where WebAssembly cannot do
 * it. The memory is that of attest/index/sais.ts, and 4 bytes a token for the copy that is returned.
 */
export function wasmSuffixArray(text: Uint32Array, progress?: OnSortProgress): Uint32Array | undefined {
  const tell: Tell = (stage, level, tokens) =>
    progress?.({ stage: STAGES[stage] ?? 'suffixes', level, tokens });
  const module = instantiate(tell);
  if (module === undefined) return undefined;
  tell(0, 0, text.length);
  const bytes = ENTRY_BYTES * text.length;
  const sa = module.base + bytes;
  const free = sa + bytes;
  try {
    const ranks = new Int32Array(module.memoryTo(free), module.base, text.length);
    const { symbols } = compressAlphabet(text, ranks);
    module.sortSuffixes({ text: module.base, sa, length: text.length, symbols: symbols.length, free });
  } catch (error) {
    if (isOutOfMemory(error)) return undefined;
    throw error;
  }
  return new Uint32Array(module.memoryTo(free), sa, text.length).slice();
}
