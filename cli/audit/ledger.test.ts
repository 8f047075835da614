import fc from 'fast-check';
import { expect, test } from 'vitest';
import { event } from '../../framework/events.ts';
import { coinBurned, coinMinted, coinReceived, coinSpent } from '../../modules/bank/events.ts';
import { Books, wrongRows } from './books.ts';
import { imbalanceOf, Ledger, movementsOf } from './ledger.ts';

const ACCOUNTS = ['a', 'b', 'c', 'm'];
const DENOMS = ['uopen', 'uusd'];

/** One thing that bank does. */
interface Act {
  readonly kind: 'send' | 'mint' | 'burn';
  readonly from: string;
  readonly to: string;
  readonly denom: string;
  readonly amount: bigint;
}

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom('send', 'mint', 'burn'),
  from: fc.constantFrom(...ACCOUNTS),
  to: fc.constantFrom(...ACCOUNTS),
  denom: fc.constantFrom(...DENOMS),
  amount: fc.bigInt({ min: 1n, max: 1n << 90n }),
});

function eventsOf({ kind, from, to, denom, amount }: Act): readonly ReturnType<typeof event>[] {
  const coins = `${amount}${denom}`;
  if (kind === 'mint') return [coinReceived(to, coins), coinMinted(to, coins)];
  if (kind === 'burn') return [coinSpent(from, coins), coinBurned(from, coins)];
  return [coinSpent(from, coins), coinReceived(to, coins), event('transfer', { amount: coins })];
}

test('balances add up to the supply and books to the ledger, whatever is moved, minted and burned', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), fc.nat(40), (acts, cut) => {
      const ledger = new Ledger();
      ledger.open('a', [{ denom: 'uopen', amount: 1n << 100n }]);
      const books = new Books(new Map([['m', 'module']]));
      for (const [i, one] of acts.entries()) {
        if (i === cut) books.open(ledger);
        const movements = movementsOf(eventsOf(one));
        expect(imbalanceOf(movements)).toBeUndefined();
        ledger.record(movements);
        if (i >= cut) books.record(movements);
      }
      if (cut >= acts.length) books.open(ledger);
      const entries = [...ledger.entries()];
      expect(entries.length).toBe(ledger.size);
      expect(entries.every(({ amount }) => amount !== 0n)).toBe(true);
      const rows = books.rows(ledger);
      expect(wrongRows(rows)).toEqual([]);
      for (const denom of DENOMS) {
        const held = entries.reduce((sum, entry) => (entry.denom === denom ? sum + entry.amount : sum), 0n);
        expect(held).toBe(ledger.supply(denom));
        const own = rows.filter((row) => row.denom === denom);
        expect(own.reduce((sum, row) => sum + row.in - row.out, 0n)).toBe(0n);
        expect(own.reduce((sum, { closing }) => sum + closing, 0n)).toBe(held);
      }
    }),
  );
});

test.each([
  ['received and not spent', [coinReceived('a', '3uopen')], { gained: 3n, made: 0n }],
  ['spent and not received', [coinSpent('a', '3uopen')], { gained: -3n, made: 0n }],
  ['minted and not received', [coinMinted('m', '3uopen')], { gained: 0n, made: 3n }],
  ['burned and not spent', [coinBurned('m', '3uopen')], { gained: 0n, made: -3n }],
  ['another amount', [coinSpent('a', '3uopen'), coinReceived('b', '2uopen')], { gained: -1n, made: 0n }],
])('coins that are %s are an imbalance', (_, events, sums) => {
  expect(imbalanceOf(movementsOf(events))).toEqual({ denom: 'uopen', ...sums });
});

test('what is touched is told once, with what it was before', () => {
  const ledger = new Ledger();
  ledger.open('a', [{ denom: 'uopen', amount: 5n }]);
  expect(ledger.takeTouched()).toEqual([]);
  ledger.record(movementsOf([coinSpent('a', '5uopen'), coinReceived('b', '5uopen')]));
  expect(ledger.takeTouched()).toEqual([
    { account: 'a', denom: 'uopen', amount: 5n },
    { account: 'b', denom: 'uopen', amount: 0n },
  ]);
  expect([ledger.size, ledger.takeTouched()]).toEqual([1, []]);
});

test('an event without its attributes is an error that names it', () => {
  expect(() => movementsOf([event('coin_spent', { amount: '1uopen' })])).toThrow(
    'coin_spent has no attribute spender',
  );
  expect(() => movementsOf([event('coin_received', { receiver: 'a', amount: 'many' })])).toThrow('many');
});

test('books that do not add up are told', () => {
  const ledger = new Ledger();
  const books = new Books(new Map());
  books.open(ledger);
  books.record(movementsOf([coinReceived('a', '3uopen')]));
  expect(wrongRows(books.rows(ledger))).toMatchObject([{ row: 'accounts', in: 3n, closing: 0n }]);
});
