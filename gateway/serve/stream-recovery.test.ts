import { expect, test } from 'vitest';
import { EMPTY_BYTES, fromUtf8, newBytes, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { decodeReceipt, type Receipt } from '../../modules/settlement/proof/leaves.ts';
import type { SignedVoucher } from '../../client/vouchers/signatures.ts';
import { GatewayWorld, Power, PoweredDisk } from '../../test/support/gateway-world.ts';
import { Random } from '../../test/operations/random.ts';
import { ReceiptLog } from './receipt-log.ts';
import type { GivenPiece } from './stream-desk.ts';

const PROMPT = utf8('a');
const RESOURCE = sha256(PROMPT);
const STREAM = { unit: 100n, links: 15 };
const REQUEST = { modelId: 1n, prompt: PROMPT, tokensOutMax: 100, resource: RESOURCE };

async function serve(gateway: GatewayWorld) {
  const process = await gateway.process();
  await process.settler.observe();
  return process;
}

/** A receipt of so many tokens for the request, of a channel's lane 0. */
function receiptOf(
  channel: Uint8Array,
  tokensOut: number,
  { before = 0n, requestHash = RESOURCE }: Partial<Receipt> = {},
): Receipt {
  const fee = 1_001n + (BigInt(tokensOut) * 3n) / 10n;
  return {
    ...{ channel, lane: 0, before, after: before + fee, modelId: 1n, tokensIn: 10, tokensOut },
    ...{ requestHash, responseHash: newBytes(32), attribution: newBytes(32) },
    parts: { platform: fee, model: 0n, stakers: 0n, contributors: 0n },
  };
}

test('an answer that was kept is charged at the start: a stream from where it began is not opened', async () => {
  let found = 0;
  for (let cut = 1; cut < 12; cut++) {
    const gateway = await GatewayWorld.start(cut);
    const { desk } = await serve(gateway);
    const voucher = await gateway.payer.sign(0, { resource: RESOURCE, ceiling: 1_500n });
    gateway.power.on(cut);
    await desk.answer({ ...REQUEST, voucher }).catch(() => undefined);
    gateway.power.on();
    const next = await serve(gateway);
    if (next.receipts.last(gateway.world.channel, 0) !== undefined)
      expect([next.payee.unfinished(), next.payee.claims().length]).toEqual([[], 1]);
    if (next.payee.claims().length === 0) continue;
    found++;
    const other = await gateway.payer.sign(0, { resource: RESOURCE, ceiling: 1_500n, stream: STREAM });
    const opened = await next.streams.open({ ...REQUEST, voucher: other });
    expect(opened).toMatchObject({ kind: 'corrective', lane: { charged: 1_016n, last: voucher } });
    const again = await next.streams.open({ ...REQUEST, voucher });
    expect(again).toMatchObject({ kind: 'answered', again: true, charged: 1_016n });
  }
  expect(found).toBeGreaterThan(2);
});

/** A stream that is paid in advance: nothing is shown while it is given. */
async function streamOf(gateway: GatewayWorld, voucher: SignedVoucher, given: string[]) {
  const { streams } = await serve(gateway);
  const opened = await streams.open({ ...REQUEST, voucher });
  if (opened.kind !== 'stream') return opened;
  const give = async ({ text }: GivenPiece): Promise<void> => void given.push(text);
  return (await opened.run(give, new AbortController().signal)).paid;
}

test('power goes at any write of a stream that is paid in advance: what was given is charged once', async () => {
  let cuts = 0;
  for (let cut = 1; cut < 40; cut++) {
    const gateway = await GatewayWorld.start(cut);
    const voucher = await gateway.payer.sign(0, { resource: RESOURCE, ceiling: 1_500n });
    const given: string[] = [];
    gateway.power.on(cut);
    await streamOf(gateway, voucher, given).catch(() => undefined);
    const wasCut = gateway.power.isOff;
    gateway.power.on();
    const { payee, receipts } = await serve(gateway);
    const charged = payee.claims().reduce((sum, { total }) => sum + BigInt(total), 0n);
    const kept = receipts.last(gateway.world.channel, 0);
    expect(charged, `cut ${cut}`).toBe(kept?.receipt.after ?? 0n);
    const text = given.join('');
    if (wasCut) cuts++;
    else expect(charged).toBe(1_016n);
    // Who has got a piece is charged for it, and has all that he is charged for when he asks again.
    if (text !== '') expect(fromUtf8(kept?.answer ?? EMPTY_BYTES).startsWith(text), `cut ${cut}`).toBe(true);
    if (charged === 0n) continue;
    const again = await streamOf(gateway, voucher, []);
    expect([again?.kind, again?.kind === 'answered' && again.answer]).toEqual(['answered', kept?.answer]);
    if (!wasCut) break;
  }
  expect(cuts).toBeGreaterThan(10);
});

/** Nobody pays for a word of it, or for some, or for all. */
const MANNERS = {
  whole: () => true,
  left: () => false,
  halfway: ({ tokens }: GivenPiece) => tokens < 20,
};

test.each(Object.entries(MANNERS))(
  'a gateway starts again after a stream whose call costs nothing: %s',
  async (_, isPaid) => {
    for (let cut = 1; cut < 60; cut++) {
      const gateway = await GatewayWorld.start(cut);
      gateway.isCallFree = true;
      const { streams } = await serve(gateway);
      gateway.power.on(cut);
      const bought = gateway.buyStream(streams, 0, {
        prompt: 'a',
        isPaid,
        stream: { unit: 1n, links: 1_031 },
      });
      const { ending } = await bought.catch(() => ({ ending: undefined }));
      const wasCut = gateway.power.isOff;
      gateway.power.on();
      const { payee, receipts } = await serve(gateway);
      const charged = payee.claims().reduce((sum, { total }) => sum + BigInt(total), 0n);
      const kept = receipts.last(gateway.world.channel, 0);
      expect(charged).toBe(kept?.receipt.after ?? 0n);
      expect(receipts.unpaid(gateway.world.channel)).toBe(0);
      if (wasCut) continue;
      expect([charged, cut > 2]).toEqual([ending?.paid?.charged ?? 0n, true]);
      return;
    }
    throw new RangeError('it never ended');
  },
);

test('of pieces that cost nothing yet, the text is kept with the first that costs something', async () => {
  const gateway = await GatewayWorld.start();
  gateway.isCallFree = true;
  gateway.freeTokens = 25;
  const { streams } = await serve(gateway);
  const stream = { unit: 1n, links: 1_031 };
  const whole = await gateway.buyStream(streams, 0, { prompt: 'a', stream });
  const text = whole.given.map((piece) => piece.text).join('');
  expect([whole.ending?.ended, fromUtf8(whole.ending?.paid?.answer ?? EMPTY_BYTES)]).toEqual(['whole', text]);
  // Cut behind the first piece that costs something.
  const kept = await serve(gateway);
  const isPaid = ({ tokens, due }: GivenPiece): boolean => {
    if (tokens === 30) expect(due).toBeGreaterThan(0n);
    if (tokens === 30) gateway.power.on(1);
    return true;
  };
  await gateway.buyStream(kept.streams, 1, { prompt: 'b', isPaid, stream }).catch(() => undefined);
  gateway.power.on();
  const { receipts, payee } = await serve(gateway);
  const last = receipts.last(gateway.world.channel, 1);
  expect([last?.receipt.tokensOut, fromUtf8(last?.answer ?? EMPTY_BYTES)]).toEqual([
    30,
    '62 1.0 62 1.1 62 1.2 ',
  ]);
  expect(payee.claims()).toHaveLength(2);
});

test('a stream of a model that costs nothing leaves nothing on the disk', async () => {
  const gateway = await GatewayWorld.start();
  gateway.isCallFree = true;
  gateway.freeTokens = 1_000;
  const { streams, payee } = await serve(gateway);
  const { ending, given } = await gateway.buyStream(streams, 0, { prompt: 'a' });
  expect([ending, given.length]).toEqual([{ ended: 'whole', paid: undefined }, 6]);
  expect([payee.claims(), (await gateway.disks.receipts.read()).length]).toEqual([[], 0]);
});

test.each([
  ['another request', { requestHash: sha256(utf8('b')) }],
  ['another beginning', { before: 1n }],
])('pieces of %s are not charged for', async (_, change) => {
  const gateway = await GatewayWorld.start();
  const { receipts, payee } = await serve(gateway);
  const { channel } = gateway.world;
  const voucher = await gateway.payer.sign(0, { resource: RESOURCE, ceiling: 1_500n });
  await payee.accept(voucher, { resource: RESOURCE, ceilingMin: 0n });
  const pieces = [0, 10].map((tokens) => ({ receipt: receiptOf(channel, tokens, change), text: utf8('x') }));
  await receipts.appendPieces(pieces, true);
  const next = await serve(gateway);
  expect([next.payee.claims(), next.receipts.last(channel, 0)]).toEqual([[], undefined]);
});

test('the request alone is not charged for after a crash, and what may have been given is counted once', async () => {
  const gateway = await GatewayWorld.start();
  const { receipts, payee } = await serve(gateway);
  const { channel } = gateway.world;
  const stream = { unit: 2n, links: 15 };
  const voucher = await gateway.payer.sign(0, { resource: RESOURCE, ceiling: 1_031n, stream });
  await payee.accept(voucher, { resource: RESOURCE, ceilingMin: 0n });
  const pieces = [0, 7].map((tokens) => ({ receipt: receiptOf(channel, tokens), text: EMPTY_BYTES }));
  await receipts.appendPieces(pieces, true);
  for (let starts = 0; starts < 3; starts++) {
    const next = await serve(gateway);
    expect([next.payee.claims(), next.receipts.last(channel, 0)]).toEqual([[], undefined]);
    expect([next.receipts.unpaid(channel), next.receipts.pieces(channel, 0)]).toEqual([7, []]);
  }
  const next = await serve(gateway);
  const { ending } = await gateway.buyStream(next.streams, 0, { prompt: 'a' });
  expect(decodeReceipt(ending?.paid?.receipt ?? EMPTY_BYTES)?.tokensOut).toBe(50);
});

test('what was given ahead of a crash and not paid for is counted with the receipt, to a window at most', async () => {
  const gateway = await GatewayWorld.start();
  const { receipts, payee } = await serve(gateway);
  const { channel } = gateway.world;
  const stream = { unit: 3n, links: 10 };
  const voucher = await gateway.payer.sign(0, { resource: RESOURCE, ceiling: 1_031n, stream });
  await payee.accept(voucher, { resource: RESOURCE, ceilingMin: 0n });
  const link = gateway.payer.linkFor(0, 1_004n);
  if (link === undefined) throw new RangeError('no link');
  await payee.link(channel, 0, link);
  const pieces = [0, 10, 16].map((tokens) => ({ receipt: receiptOf(channel, tokens), text: EMPTY_BYTES }));
  await receipts.appendPieces(pieces, true);
  await receipts.dropPieces({ channel, lane: 1 }, 2);
  const next = await serve(gateway);
  expect(next.receipts.last(channel, 0)?.receipt.tokensOut).toBe(10);
  expect(next.receipts.unpaid(channel)).toBe(8);
  expect((await serve(gateway)).receipts.unpaid(channel)).toBe(8);
  // A second one that is cut: two of its seven tokens were of the window.
  const other = await gateway.payer.sign(1, { resource: RESOURCE, ceiling: 1_031n, stream });
  await payee.accept(other, { resource: RESOURCE, ceilingMin: 0n });
  const second = [0, 7].map((tokens) => ({
    receipt: { ...receiptOf(channel, tokens), lane: 1 },
    text: EMPTY_BYTES,
  }));
  const third = await serve(gateway);
  await third.receipts.appendPieces(second, true);
  expect((await serve(gateway)).receipts.unpaid(channel)).toBe(10);
});

test('a log that is written anew while a piece or a loss waits has it once', async () => {
  const disk = new PoweredDisk(new Power(), new Random(1));
  const log = await ReceiptLog.open(disk);
  const channel = newBytes(32);
  const piece = (tokens: number) => ({ receipt: receiptOf(channel, tokens), text: utf8(`${tokens} `) });
  await log.appendPieces([piece(0), piece(1)], true);
  await Promise.all([log.forget([]), log.appendPieces([piece(2)], false)]);
  await Promise.all([log.forget([]), log.dropPieces({ channel, lane: 1 }, 3)]);
  for (const each of [log, await ReceiptLog.open(disk)]) {
    expect(each.pieces(channel, 0).map(({ text }) => fromUtf8(text))).toEqual(['0 ', '1 ', '2 ']);
    expect(each.unpaid(channel)).toBe(3);
  }
  await log.forget([]);
  const again = await ReceiptLog.open(disk);
  expect([again.pieces(channel, 0).length, again.unpaid(channel)]).toEqual([3, 3]);
  await again.append({ receipt: receiptOf(channel, 1), answer: utf8('1 ') }, EMPTY_BYTES, 1);
  const last = await ReceiptLog.open(disk);
  expect([last.pieces(channel, 0), last.unpaid(channel)]).toEqual([[], 4]);
});

const LARGE = newBytes(3 << 20);
/** What is written again and again, of which only the last is needed. */
const DYING: Record<string, (log: ReceiptLog, receipt: Receipt, i: number) => Promise<void>> = {
  pieces: (log, receipt) => log.appendPieces([{ receipt, text: LARGE }], true),
  answers: (log, receipt) => log.append({ receipt, answer: LARGE }, EMPTY_BYTES),
  losses: async (log, receipt, i) => {
    await log.appendPieces([{ receipt, text: LARGE }], true);
    if (i < 23) await log.dropPieces(receipt, 1);
  },
};

test.each(Object.entries(DYING))(
  '%s that nothing needs any more leave the log when they are most of it',
  async (_, write) => {
    const disk = new PoweredDisk(new Power(), new Random(1));
    const log = await ReceiptLog.open(disk);
    const channel = newBytes(32);
    let most = 0;
    for (let i = 0; i < 24; i++) {
      await write(log, receiptOf(channel, 0, { before: 1_001n * BigInt(i) }), i);
      most = Math.max(most, (await disk.read()).length);
    }
    expect(most).toBeGreaterThan(16 << 20);
    expect(most).toBeLessThan(32 << 20);
    const again = await ReceiptLog.open(disk);
    for (const each of [log, again])
      expect([
        each.unpaid(channel),
        each.pieces(channel, 0).length,
        each.last(channel, 0)?.receipt.before,
      ]).toEqual([log.unpaid(channel), log.pieces(channel, 0).length, log.last(channel, 0)?.receipt.before]);
  },
);
