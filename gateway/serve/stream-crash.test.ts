import { expect, test } from 'vitest';
import { setImmediate as turn } from 'node:timers/promises';
import { fromUtf8, toHex } from '../../core/bytes.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import { decodeReceipt } from '../../modules/settlement/proof/leaves.ts';
import {
  type BoughtStream,
  GatewayWorld,
  receiptKey,
  statedReceipts,
} from '../../test/support/gateway-world.ts';

interface Seen {
  /** Receipts that the payer got, by what they are of. */
  readonly receipts: Map<string, string>;
  /** By lane, the fee of the most that was given and then paid for: the link was on the disk. */
  readonly earned: Map<number, bigint>;
  /** What was given, by its words for an answer: `prompt inference`. */
  readonly given: Map<string, string>;
}

/** What may be given and not paid for in all: `tokensAhead`. */
const AHEAD = 10;
const wordsOf = (inference: string): readonly string[] => [0, 1, 2].map((i) => `${inference}.${i} `);
const inferenceOf = (text: string): string => text.slice(0, text.indexOf('.'));

/** What a payer has of what it paid. */
type Paid = NonNullable<NonNullable<BoughtStream['ending']>['paid']>;
type Piece = BoughtStream['given'][number];

/** What is charged is the words that the receipt's hash and tokens are of, each once, and those that were given. */
function requireGiven({ receipt, answer }: Paid, given: Map<string, string>): void {
  const { tokensOut, responseHash } = decodeReceipt(receipt) ?? {};
  const text = fromUtf8(answer);
  const inference = inferenceOf(text);
  expect(tokensOut).toBeGreaterThan(0);
  const words = wordsOf(inference)
    .slice(0, (tokensOut ?? 0) / 10)
    .join('');
  expect(text).toBe(words);
  expect(responseHash).toEqual(Uint8Array.from(contentRoot(answer)));
  const before = given.get(inference) ?? '';
  expect(before.startsWith(text) || text.startsWith(before)).toBe(true);
  // Who sends the voucher again has all of it.
  if (before.length < text.length) given.set(inference, text);
}

/** Three pieces of ten tokens, others each time. */
const parts: GatewayWorld['parts'] = function* (prompt, inference) {
  for (let i = 0; i < 3; i++) yield { kind: 'piece', text: `${prompt} ${inference}.${i} `, tokens: 10 };
  yield { kind: 'end', tokens: 30, claimId: 0n };
};

/** Buys streams on two lanes, stops paying in the midst of one, and settles; once, in one process. */
async function live(gateway: GatewayWorld, { receipts, earned, given }: Seen): Promise<void> {
  const { streams, settler, receipts: log } = await gateway.process();
  await settler.observe();
  gateway.disks.receipts.isSlow = true;
  for (const lane of [0, 1]) {
    const isPaid = ({ text, tokens }: Piece): boolean => {
      const inference = inferenceOf(text);
      if (text !== '') given.set(inference, `${given.get(inference) ?? ''}${text}`);
      // The log is written anew twice, the second time with the next piece.
      if (lane === 0 && text !== '' && tokens === 10)
        for (const rewrite of [log.forget([]), turn().then(() => log.forget([]))])
          rewrite.catch(() => undefined);
      return lane === 0 || tokens <= 10;
    };
    const onPaid = ({ text, due }: Piece): void => {
      if (text !== '') earned.set(lane, due);
    };
    if (receipts.has(`lane ${lane}`)) continue;
    const { opened, ending } = await gateway.buyStream(streams, lane, {
      ...{ prompt: `${lane}`, isPaid, onPaid },
    });
    const paid = opened.kind === 'answered' ? opened : ending?.paid;
    if (paid === undefined) throw new RangeError(`lane ${lane} was not answered`);
    const known = receipts.get(receiptKey(paid.receipt));
    expect(known ?? toHex(paid.receipt)).toBe(toHex(paid.receipt));
    receipts.set(receiptKey(paid.receipt), toHex(paid.receipt));
    requireGiven(paid, given);
    receipts.set(`lane ${lane}`, toHex(paid.receipt));
    if (lane === 0) await settler.round();
  }
  await settler.round();
}

async function liveThrough(gateway: GatewayWorld, cutAt: number): Promise<Seen> {
  const seen: Seen = { receipts: new Map(), earned: new Map(), given: new Map() };
  gateway.power.on(cutAt);
  for (let lives = 0; lives < 3; lives++)
    try {
      await live(gateway, seen);
      return seen;
    } catch (error) {
      if (!gateway.power.isOff) throw error;
      gateway.power.on();
    }
  throw new RangeError('it never ended');
}

test('power goes at any write of streams: what was paid for and given has one receipt, which is stated', {
  timeout: 120_000,
}, async () => {
  const whole = await GatewayWorld.start();
  whole.parts = parts;
  await liveThrough(whole, Number.POSITIVE_INFINITY);
  const { writes } = whole.power;
  expect(writes).toBeGreaterThan(50);
  let cuts = 0;
  for (let cutAt = 1; cutAt <= writes + 2; cutAt++) {
    const gateway = await GatewayWorld.start(cutAt);
    gateway.parts = parts;
    const { receipts, earned, given } = await liveThrough(gateway, cutAt);
    const { epochs, settler } = await gateway.process();
    await settler.round();
    const stated = await statedReceipts(epochs);
    const got = [...receipts].filter(([key]) => !key.startsWith('lane'));
    expect(got).toHaveLength(2);
    expect(stated.size, `cut ${cutAt}`).toBe(2);
    let charged = 0n;
    let paidWords = 0;
    for (const [key, receipt] of got) {
      expect(stated.get(key), `cut ${cutAt}`).toBe(receipt);
      const { lane, before, after, tokensOut } = decodeReceipt(Buffer.from(receipt, 'hex')) ?? {
        ...{ lane: -1, before: 0n, after: 0n, tokensOut: 0 },
      };
      charged += after - before;
      paidWords += tokensOut / 10;
      if (tokensOut !== (lane === 1 ? 10 : 30)) cuts++;
      expect(after - before, `cut ${cutAt}, lane ${lane}`).toBeGreaterThanOrEqual(earned.get(lane) ?? 0n);
    }
    // Each that was charged was given, if not before the crash then for its voucher (`requireGiven`).
    const givenWords = [...given.values()].reduce((sum, text) => sum + text.split('.').length - 1, 0);
    expect(10 * (givenWords - paidWords), `cut ${cutAt}`).toBeLessThanOrEqual(AHEAD);
    expect(gateway.payer.charged).toBe(charged);
    expect(gateway.alarms, `cut ${cutAt}`).toEqual([]);
  }
  // Some were cut in the midst, and charged for what had been paid.
  expect(cuts).toBeGreaterThan(5);
});
