import { expect, test } from 'vitest';
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { encodeReceipt, type Receipt } from '../../../modules/settlement/proof/leaves.ts';
import type { TestSigner } from '../../support/channels.ts';
import { PaymentThreads } from './payment-threads.ts';
import {
  type PaidInference,
  PaymentDesk,
  payerSigner,
  RECORD_BYTES,
  receiptSigner,
  writeInference,
} from './payments.ts';

const GATEWAY = { chainId: 'test-chain-1', gateway: 'open1gateway', receiptsEvery: 1 };
const CHANNELS = 26;

function idOf(channel: number): Uint8Array {
  return sha256(utf8(`channel ${channel}`));
}

/** One after another on lane 0, each 10 more than before, and a receipt for each. */
function inferences(channel: number, count: number, change: Partial<Receipt> = {}): readonly PaidInference[] {
  return Array.from({ length: count }, (_, i) => {
    const resource = sha256(utf8(`${channel} ${i}`));
    const [before, after] = [10n * BigInt(i), 10n * BigInt(i + 1)];
    const receipt = encodeReceipt({
      channel: idOf(channel),
      lane: 0,
      before,
      after,
      modelId: 7n,
      tokensIn: 1,
      tokensOut: 1,
      requestHash: resource,
      responseHash: resource,
      attribution: resource,
      parts: { platform: 1n, model: 2n, stakers: 3n, contributors: 4n },
      ...change,
    });
    return { channel, lane: 0, cumulative: after, ceiling: 10n, modelId: 7n, resource, receipt };
  });
}

function packed(list: readonly PaidInference[]): Uint8Array {
  const records = new Uint8Array(list.length * RECORD_BYTES);
  for (const [i, inference] of list.entries()) writeInference(inference, records, i * RECORD_BYTES);
  return records;
}

/** Where the gateway takes keys for those of other channels. */
function desk(
  keyOf: (channel: number) => number = (channel) => channel,
  { receiptsEvery = 1, signer = receiptSigner() }: { receiptsEvery?: number; signer?: TestSigner } = {},
): PaymentDesk {
  const channel = (number: number) => {
    return { id: idOf(number), signer: payerSigner(number), key: payerSigner(keyOf(number)).key };
  };
  return new PaymentDesk({ ...GATEWAY, receiptsEvery }, channel, signer);
}

test.each([0, 1])('payments of channel %i are signed and verified, and added up', (channel) => {
  const tally = desk().pay(packed(inferences(channel, 5)));
  expect(tally).toMatchObject({ vouchers: 5, amount: 50n, receipts: 5 });
});

test('of receipts one in so many is signed and checked', () => {
  const some = desk(undefined, { receiptsEvery: 2 });
  expect(some.pay(packed(inferences(1, 3))).receipts).toBe(2);
  expect(some.pay(packed(inferences(2, 3))).receipts).toBe(1);
});

test.each([
  ['of another channel', { channel: idOf(2) }, 'states another channel'],
  ['of another lane', { lane: 1 }, 'states another lane'],
  ['that begins and ends higher', { before: 1n, after: 11n }, 'states another charge'],
  ['of another model', { modelId: 8n }, 'states another model'],
  ['of another request', { requestHash: idOf(1) }, 'states another request'],
])('a receipt %s is not what the payer asked for', (_, change, problem) => {
  expect(() => desk().pay(packed(inferences(1, 1, change)))).toThrow(problem);
});

test('a receipt that another key signed is not the gateway’s', () => {
  const forger = desk(undefined, { signer: payerSigner(0) });
  expect(() => forger.pay(packed(inferences(1, 1)))).toThrow('not by the key of the gateway');
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
  expect(() => desk(() => other).pay(packed(inferences(channel, 1)))).toThrow('not signed by its payer');
});

test('a voucher that comes again, leaves one out or pays less than was charged is not taken', () => {
  const [first, second, third] = inferences(1, 3);
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
    const threads = new PaymentThreads(count, { gateway: GATEWAY, ids });
    try {
      for (const channel of ids.keys()) for (const one of inferences(channel, 4)) threads.add(one);
      await threads.finished();
      expect(threads.tally).toMatchObject({ vouchers: 4 * CHANNELS, amount: 40n * BigInt(CHANNELS) });
      for (const one of inferences(3, 1)) threads.add(one);
      await expect(threads.finished()).rejects.toThrow('begins at 0, not at 40');
    } finally {
      await threads.stop();
    }
  }
}, 120_000);
