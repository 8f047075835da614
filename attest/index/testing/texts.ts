/** Texts that are hard to sort, and the plain sort. */

/** Suffixes sorted by comparing them token by token; the end of the text is before every token. */
export function naiveSuffixArray(text: Uint32Array): Uint32Array {
  return Uint32Array.from(text.keys()).sort((a, b) => {
    while (a < text.length && b < text.length) {
      const difference = (text[a++] ?? 0) - (text[b++] ?? 0);
      if (difference !== 0) return difference;
    }
    return b - a;
  });
}

/** Its suffixes share the longest prefixes: 0 → 01, 1 → 0. */
export function fibonacciWord(length: number): Uint32Array {
  let word = [0];
  while (word.length < length) word = word.flatMap((token) => (token === 0 ? [0, 1] : [0]));
  return Uint32Array.from(word.slice(0, length));
}

/** Has no run of three, and no square overlaps: parities of the binary digits. */
export function thueMorseWord(length: number): Uint32Array {
  return Uint32Array.from({ length }, (_, i) => {
    let parity = 0;
    for (let rest = i; rest > 0; rest >>= 1) parity ^= rest & 1;
    return parity;
  });
}
