import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyFraud } from '../../modules/attribution/proof/shard/fraud.ts';
import { suffixArray } from '../index/sais.ts';
import type { ShardArrays, SourceDocument } from '../shard.ts';
import { naiveShard, sortedShard, textDocument } from '../testing/naive-shard.ts';
import { convict } from './convict.ts';
import { shardInMemory } from './memory.ts';
import type { ProvableShard } from './prove.ts';
import { wrongOrder } from './wrong-order.ts';

const OPTIONS = { datanetId: 1n };

type Order = readonly number[];

/** Ranks and positions of an order; a position that it leaves out has rank 0. */
function ordered(order: Order): Pick<ShardArrays, 'suffix' | 'rank'> {
  const ranks = new Map(order.map((position, rank) => [position, rank]));
  return { suffix: (rank) => order[rank] ?? 0, rank: (position) => ranks.get(position) ?? 0 };
}

const letters = fc.string({ unit: fc.constantFrom('aaaa', 'bbbb', 'c c '), maxLength: 24 });

test('whatever the arrays are, a statement is found that does not hold in them', () => {
  const numbers = fc.array(fc.nat(), { minLength: 24, maxLength: 24 });
  const isSorted = fc.boolean();
  fc.assert(
    fc.property(
      fc.array(letters, { minLength: 1, maxLength: 3 }),
      numbers,
      numbers,
      isSorted,
      (texts, sa, isa, consistent) => {
        const honest = naiveShard(texts.map((text, i) => textDocument(i, text)));
        const { tokens } = honest;
        const order = Array.from({ length: tokens }, (_, i) =>
          (sa[i] ?? 0) % 3 === 0 ? (sa[i] ?? 0) % tokens : honest.suffix(i),
        );
        const wrong = { ...honest, ...ordered(order) };
        if (!consistent) wrong.rank = (position) => (isa[position] ?? 0) % tokens;
        const rank = order.findIndex((position, i) => position !== honest.suffix(i));
        if (rank < 0) return;
        const published = {
          positionAt: wrong.suffix,
          rankAt: (position: number) => (position === tokens ? -1 : wrong.rank(position)),
        };
        const { kind, at } = wrongOrder(honest, published, rank);
        const [a, b] = [wrong.suffix(at), wrong.suffix(at + 1)];
        if (kind === 'permutation') expect(wrong.suffix(wrong.rank(at))).not.toBe(at);
        else if (kind === 'token-order') expect(honest.token(a)).toBeGreaterThan(honest.token(b));
        else {
          expect([kind, honest.token(a)]).toEqual(['suffix-order', honest.token(b)]);
          expect(published.rankAt(a + 1)).toBeGreaterThanOrEqual(published.rankAt(b + 1));
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

const TOKENS = 2 ** 16;
const LOG2 = 16;

/** Text of so many tokens, with its separators, in documents of these shares. */
const TEXTS: Readonly<Record<string, readonly SourceDocument[]>> = {
  'of one repeated token': [textDocument(1, 'aaaa'.repeat(TOKENS - 1))],
  'of one phrase in two documents': [1, 2].map((id) =>
    textDocument(id, 'abcdefghijkl'.repeat((TOKENS - 2) / 6)),
  ),
  'of all kinds': [textDocument(1, noise(TOKENS - 1))],
};

/** Words without a pattern, of four bytes each. */
function noise(words: number): string {
  let state = 1;
  const word = (): string => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return `${String.fromCharCode(97 + ((state >>> 16) % 26))}${String.fromCharCode(97 + ((state >>> 21) % 26))}. `;
  };
  return Array.from({ length: words }, word).join('');
}

const LIES: Readonly<Record<string, (order: Order) => Order>> = {
  rotated: (order) => [...order.slice(1), ...order.slice(0, 1)],
  'halves swapped': (order) => [...order.slice(order.length / 2), ...order.slice(0, order.length / 2)],
  backwards: (order) => order.toReversed(),
  'runs of 100 reversed': (order) =>
    order.map((_, i) => order[i - (i % 100) + 99 - (i % 100)] ?? order[i] ?? 0),
  'the first half shifted': (order) => [
    ...order.slice(1, TOKENS / 2),
    order[0] ?? 0,
    ...order.slice(TOKENS / 2),
  ],
  'one suffix everywhere': (order) => order.map(() => order[77] ?? 0),
  'the order of positions': (order) => order.map((_, i) => i),
};

describe.each(Object.entries(TEXTS))('a text %s', (_, sources) => {
  const honest = sortedShard(sources, (tokens) => suffixArray(Uint32Array.from(tokens)));
  const right = shardInMemory(honest, OPTIONS);
  const order = Array.from({ length: honest.tokens }, (__, rank) => honest.suffix(rank));

  test.each(Object.entries(LIES))('suffixes %s are convicted by few leaves', (___, change) => {
    const wrong = shardInMemory({ ...honest, ...ordered(change(order)) }, OPTIONS);
    expect(leavesRead(right, wrong, sources)).toBeLessThanOrEqual(4 * LOG2);
  });
});

test('arrays of another text, a shifted inverse and shifted documents are convicted by few leaves', () => {
  const sources = [textDocument(1, noise(TOKENS / 2)), textDocument(2, noise(TOKENS / 2 - 2))];
  const sort = (tokens: readonly number[]): Uint32Array => suffixArray(Uint32Array.from(tokens));
  const honest = sortedShard(sources, sort);
  const other = sortedShard(
    [sources[0], textDocument(2, 'aaaa'.repeat(TOKENS / 2 - 2))].filter(isThere),
    sort,
  );
  const longer = sortedShard([textDocument(1, noise(TOKENS / 2 + 1)), ...sources.slice(1)], sort);
  const right = shardInMemory(honest, OPTIONS);
  for (const arrays of [
    { ...other, document: honest.document },
    { ...longer, document: (i: number) => ({ ...longer.document(i), root: honest.document(i).root }) },
    { ...honest, rank: (position: number) => honest.rank((position + 1) % honest.tokens) },
  ])
    expect(leavesRead(right, shardInMemory(arrays, OPTIONS), sources)).toBeLessThanOrEqual(LOG2);
});

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** How many leaves of a wrong shard it takes to find a proof, which has to convict. */
function leavesRead(
  right: ShardArrays & ProvableShard,
  wrong: ProvableShard,
  sources: readonly SourceDocument[],
): number {
  const read = new Set<string>();
  const accused: ProvableShard = {
    ...wrong,
    leaf(tree, index) {
      read.add(`${tree} ${index}`);
      return wrong.leaf(tree, index);
    },
  };
  const content = (document: number): Uint8Array => sources[document]?.content ?? new Uint8Array(0);
  const fraud = convict({ honest: right, accused, content });
  if (fraud === undefined) throw new Error('no fraud found');
  const recordAt = (_: bigint, position: bigint) => {
    const source = sources[Number(position)];
    return source && { ...source, byteLength: BigInt(source.byteLength), accepted: true };
  };
  verifyFraud(wrong.commitment, fraud, { recordAt });
  return read.size;
}
