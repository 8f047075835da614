import { expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
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
  /** By lane, the fee of the most that was given and paid for: links were shown, and more was given. */
  readonly earned: Map<number, bigint>;
}

/** Three pieces of ten tokens, others each time. */
const parts: GatewayWorld['parts'] = function* (prompt, inference) {
  for (let i = 0; i < 3; i++) yield { kind: 'piece', text: `${prompt} ${inference}.${i} `, tokens: 10 };
  yield { kind: 'end', tokens: 30, claimId: 0n };
};

/** Buys streams on two lanes, stops paying in the midst of one, and settles; once, in one process. */
async function live(gateway: GatewayWorld, { receipts, earned }: Seen): Promise<void> {
  const { streams, settler } = await gateway.process();
  await settler.observe();
  for (const lane of [0, 1]) {
    let shown = 0n;
    const isPaid = ({ tokens, due }: BoughtStream['given'][number]): boolean => {
      // What comes ten tokens after what was paid for: the link before it was on the disk.
      if (shown > 0n) earned.set(lane, shown);
      if (lane === 1 && tokens > 10) return false;
      if (tokens > 0) shown = due;
      return true;
    };
    if (receipts.has(`lane ${lane}`)) continue;
    const { opened, ending } = await gateway.buyStream(streams, lane, { prompt: `${lane}`, isPaid });
    const paid = opened.kind === 'answered' ? opened : ending?.paid;
    if (paid === undefined) throw new RangeError(`lane ${lane} was not answered`);
    const known = receipts.get(receiptKey(paid.receipt));
    expect(known ?? toHex(paid.receipt)).toBe(toHex(paid.receipt));
    receipts.set(receiptKey(paid.receipt), toHex(paid.receipt));
    receipts.set(`lane ${lane}`, toHex(paid.receipt));
    if (lane === 0) await settler.round();
  }
  await settler.round();
}

async function liveThrough(gateway: GatewayWorld, cutAt: number): Promise<Seen> {
  const seen: Seen = { receipts: new Map(), earned: new Map() };
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
    const { receipts, earned } = await liveThrough(gateway, cutAt);
    const { epochs, settler } = await gateway.process();
    await settler.round();
    const stated = await statedReceipts(epochs);
    const got = [...receipts].filter(([key]) => !key.startsWith('lane'));
    expect(got).toHaveLength(2);
    expect(stated.size, `cut ${cutAt}`).toBe(2);
    let charged = 0n;
    for (const [key, receipt] of got) {
      expect(stated.get(key), `cut ${cutAt}`).toBe(receipt);
      const { lane, before, after, tokensOut } = decodeReceipt(Buffer.from(receipt, 'hex')) ?? {
        ...{ lane: -1, before: 0n, after: 0n, tokensOut: 0 },
      };
      charged += after - before;
      if (tokensOut !== (lane === 1 ? 10 : 30)) cuts++;
      expect(after - before, `cut ${cutAt}, lane ${lane}`).toBeGreaterThanOrEqual(earned.get(lane) ?? 0n);
    }
    expect(gateway.payer.charged).toBe(charged);
    expect(gateway.alarms, `cut ${cutAt}`).toEqual([]);
  }
  // Some were cut in the midst, and charged for what had been paid.
  expect(cuts).toBeGreaterThan(5);
});
