import { expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { event } from '../../framework/events.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import { Payout, Receipt } from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { ChangeSet } from '../../store/change-set.ts';
import { InferenceBook, paidFees } from './inference.ts';

const KEY = Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 1);

function receipt(fee: string, ...payouts: readonly Partial<Payout>[]): Receipt {
  return Receipt.create({
    id: 1n,
    fee: { denom: 'uopen', amount: fee },
    payouts: payouts.map((payout) => Payout.create(payout)),
  });
}

function changes(value: Uint8Array | undefined, key = KEY): ChangeSet {
  return {
    version: 2n,
    previous: 1n,
    hash: new Uint8Array(32),
    stores: [{ name: 'payments', writes: [{ key, value }] }],
  };
}

const before = (...pairs: readonly (readonly [Uint8Array, Uint8Array])[]) => ({
  get: (key: Uint8Array) => pairs.find(([own]) => toHex(own) === toHex(key))?.[1],
});

test('a receipt whose claim is decided replaces itself: what waited goes to contributors, named or not', () => {
  const paid = { party: Party.PARTY_PLATFORM, amount: '3' };
  const waiting = receipt('10', paid, { party: Party.PARTY_CONTRIBUTORS, amount: '7', claimId: 4n });
  const decided = receipt(
    '10',
    paid,
    { party: Party.PARTY_CONTRIBUTORS, amount: '5', contributionId: 1n },
    { party: Party.PARTY_CONTRIBUTORS, amount: '2', datanetId: 1n },
  );
  const book = new InferenceBook();
  expect(book.record(changes(Receipt.encode(waiting)), before())).toBeUndefined();
  expect(book.fees()[0]?.parties).toMatchObject({ platform: 3n, escrow: 7n, contributors: 0n });
  const old = before([KEY, Receipt.encode(waiting)]);
  expect(book.record(changes(Receipt.encode(decided)), old)).toBeUndefined();
  expect(book.fees()).toEqual([
    {
      denom: 'uopen',
      receipts: 1,
      fee: 10n,
      parties: { platform: 3n, model: 0n, stakers: 0n, contributors: 5n, unattributed: 2n, escrow: 0n },
    },
  ]);
  // A range that begins between the two sees only the second.
  const later = new InferenceBook();
  later.record(changes(Receipt.encode(decided)), old);
  expect(later.fees()).toMatchObject([{ receipts: 0, fee: 0n, parties: { escrow: -7n, contributors: 5n } }]);
});

test('a receipt whose payouts are not its fee is told', () => {
  const wrong = Receipt.encode(receipt('10', { party: Party.PARTY_MODEL, amount: '9' }));
  expect(new InferenceBook().record(changes(wrong), before())).toEqual({ receipt: 1n, fee: 10n, paid: 9n });
});

test('receipts that are removed or written as they were, and other records, count for nothing', () => {
  const same = Receipt.encode(receipt('10', { party: Party.PARTY_STAKERS, amount: '10' }));
  const book = new InferenceBook();
  book.record(changes(same), before([KEY, same]));
  book.record(changes(Uint8Array.of(1), Uint8Array.of(3)), before());
  expect(book.fees()).toEqual([]);
  book.record(changes(undefined), before([KEY, same]));
  expect(book.fees()).toMatchObject([{ receipts: -1, fee: -10n }]);
});

test('fees are told by events of payments, by denomination', () => {
  const events = ['3uopen', '2uusd', '4uopen'].map((fee) => event('pay_inference', { fee }));
  expect(paidFees([...events, event('tx', { fee: '9uopen' })])).toEqual(
    new Map([
      ['uopen', 7n],
      ['uusd', 2n],
    ]),
  );
});
