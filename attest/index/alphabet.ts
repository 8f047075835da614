/**
 * Compresses tokens to their ranks among the distinct tokens, so that buckets of a sort are as many as the
 * symbols that occur and not 2^32. One lookup in a hash table for each token; memory is 4 bytes a token for
 * the ranks and about 20 for each distinct token.
 */

/** Tokens by their rank. */
export interface Alphabet {
  /** One for each token of the text: its index in `symbols`. */
  readonly ranks: Int32Array;
  /** The distinct tokens, rising. */
  readonly symbols: Uint32Array;
}

/** Slots of the first table; it doubles when half of it is taken. */
const FIRST_SLOTS = 1 << 12;

/** 2^32 divided by the golden ratio: spreads neighbouring tokens over the table (Knuth, vol. 3, 6.4). */
const SPREAD = 0x9e3779b1;

/** Open addressing: `ids[slot]` is the number of a token by first occurrence plus one, 0 for a free slot. */
class TokenTable {
  tokens: Uint32Array = new Uint32Array(FIRST_SLOTS / 2);
  count = 0;
  #ids: Int32Array = new Int32Array(FIRST_SLOTS);
  #shift = 32 - Math.log2(FIRST_SLOTS);

  /** Number of a token, a new one for a token not seen before. */
  idOf(token: number): number {
    const ids = this.#ids;
    const mask = ids.length - 1;
    let slot = Math.imul(token, SPREAD) >>> this.#shift;
    for (let id = ids[slot] ?? 0; id !== 0; id = ids[slot] ?? 0) {
      if (this.tokens[id - 1] === token) return id - 1;
      slot = (slot + 1) & mask;
    }
    if (this.count === this.tokens.length) {
      this.#grow();
      return this.idOf(token);
    }
    this.tokens[this.count++] = token;
    ids[slot] = this.count;
    return this.count - 1;
  }

  #grow(): void {
    const tokens = new Uint32Array(2 * this.tokens.length);
    tokens.set(this.tokens);
    this.tokens = tokens;
    this.#shift--;
    const ids = new Int32Array(2 * this.#ids.length);
    const mask = ids.length - 1;
    for (let id = 0; id < this.count; id++) {
      let slot = Math.imul(tokens[id] ?? 0, SPREAD) >>> this.#shift;
      while (ids[slot] !== 0) slot = (slot + 1) & mask;
      ids[slot] = id + 1;
    }
    this.#ids = ids;
  }
}

/** Ranks of tokens among the distinct ones; written to `ranks`, which is as long as the text. */
export function compressAlphabet(
  text: Uint32Array,
  ranks: Int32Array = new Int32Array(text.length),
): Alphabet {
  const table = new TokenTable();
  for (let i = 0; i < text.length; i++) ranks[i] = table.idOf(text[i] ?? 0);
  const symbols = table.tokens.slice(0, table.count).sort();
  const rankOf = new Int32Array(table.count);
  for (let rank = 0; rank < symbols.length; rank++) rankOf[table.idOf(symbols[rank] ?? 0)] = rank;
  for (let i = 0; i < ranks.length; i++) ranks[i] = rankOf[ranks[i] ?? 0] ?? 0;
  return { ranks, symbols };
}
