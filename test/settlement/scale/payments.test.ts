import { expect, test } from 'vitest';
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { PaymentThreads } from './payment-threads.ts';
import { PAYMENT_BYTES, type Payment, PaymentDesk, payerSigner, writePayment } from './payments.ts';

const CHAIN = 'test-chain-1';
const CHANNELS = 26;

function idOf(channel: number): Uint8Array {
  return sha256(utf8(`channel ${channel}`));
}

/** One after another on lane 0, each 10 more than before. */
function payments(channel: number, count: number): readonly Payment[] {
  return Array.from({ length: count }, (_, i) => {
    const resource = sha256(utf8(`${channel} ${i}`));
    return { channel, lane: 0, cumulative: 10n * BigInt(i + 1), ceiling: 10n, resource };
  });
}

function packed(list: readonly Payment[]): Uint8Array {
  const records = new Uint8Array(list.length * PAYMENT_BYTES);
  for (const [i, payment] of list.entries()) writePayment(payment, records, i * PAYMENT_BYTES);
  return records;
}

/** Where the gateway takes keys for those of other channels. */
function desk(keyOf: (channel: number) => number = (channel) => channel): PaymentDesk {
  return new PaymentDesk(CHAIN, (number) => {
    return { id: idOf(number), signer: payerSigner(number), key: payerSigner(keyOf(number)).key };
  });
}

test.each([0, 1])('payments of channel %i are signed and verified, and added up', (channel) => {
  const tally = desk().pay(packed(payments(channel, 5)));
  expect(tally).toMatchObject({ vouchers: 5, amount: 50n });
});

test('session keys are of both kinds', () => {
  const sizes = new Set(Array.from({ length: CHANNELS }, (_, i) => payerSigner(i).key.key.length));
  expect(sizes).toEqual(new Set([32, 33]));
});

test.each([
  [1, 2],
  [0, 25],
  [0, 1],
])('a voucher of payer %i is not taken for one of payer %i', (channel, other) => {
  expect(() => desk(() => other).pay(packed(payments(channel, 1)))).toThrow('not signed by its payer');
});

test('a voucher that comes again, leaves one out or pays less than was charged is not taken', () => {
  const [first, second, third] = payments(1, 3);
  if (first === undefined || second === undefined || third === undefined) throw new Error('three are made');
  for (const [list, problem] of [
    [[first, first], 'begins at 0, not at 10'],
    [[first, third], 'begins at 20, not at 10'],
    [[first, { ...second, ceiling: 11n }], 'begins at 9, not at 10'],
  ] as const)
    expect(() => desk().pay(packed(list))).toThrow(problem);
});

test('threads take what they are given in its order, however many they are, and say what is wrong', async () => {
  const ids = Array.from({ length: CHANNELS }, (_, i) => idOf(i));
  for (const count of [1, 3]) {
    const threads = new PaymentThreads(count, { chainId: CHAIN, ids });
    try {
      for (const channel of ids.keys()) for (const payment of payments(channel, 4)) threads.add(payment);
      await threads.finished();
      expect(threads.tally).toMatchObject({ vouchers: 4 * CHANNELS, amount: 40n * BigInt(CHANNELS) });
      for (const payment of payments(3, 1)) threads.add(payment);
      await expect(threads.finished()).rejects.toThrow('begins at 0, not at 40');
    } finally {
      await threads.stop();
    }
  }
}, 120_000);
