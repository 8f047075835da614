import { expect, test } from 'vitest';
import { EMPTY_BYTES, fromUtf8, newBytes, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { decodeReceipt, type Receipt } from '../../modules/settlement/proof/leaves.ts';
import { GatewayWorld, Power, PoweredDisk } from '../../test/support/gateway-world.ts';
import { Random } from '../../test/operations/random.ts';
import { ReceiptLog } from './receipt-log.ts';

const PROMPT = utf8('a');
const RESOURCE = sha256(PROMPT);
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

test('a voucher that does not pay for a kept answer gets a stream, and no start fails for it', async () => {
  let found = 0;
  for (let cut = 1; cut < 12; cut++) {
    const gateway = await GatewayWorld.start(cut);
    const { desk } = await serve(gateway);
    const voucher = await gateway.payer.sign(0, { resource: RESOURCE, ceiling: 1_500n });
    gateway.power.on(cut);
    await desk.answer({ ...REQUEST, voucher }).catch(() => undefined);
    gateway.power.on();
    const next = await serve(gateway);
    const kept = next.receipts.last(gateway.world.channel, 0);
    if (kept === undefined || next.payee.unfinished().length === 0) continue;
    found++;
    const stream = { unit: 100n, links: 15 };
    const other = await gateway.payer.sign(0, { resource: RESOURCE, ceiling: 1_500n, stream });
    const opened = await next.streams.open({ ...REQUEST, voucher: other });
    expect(opened.kind).toBe('stream');
    // The process ends here: what is on the disks is a kept answer and a voucher that pays for nothing yet.
    const last = await serve(gateway);
    expect(last.payee.claims()).toEqual([]);
    const { ending } = await gateway.buyStream(last.streams, 0, { prompt: 'a' });
    expect(ending?.ended).toBe('whole');
    // A piece that is kept is of a later try than the answer.
    expect(fromUtf8(ending?.paid?.answer ?? EMPTY_BYTES)).toBe('61 1.0 61 1.1 61 1.2 61 1.3 61 1.4 ');
  }
  expect(found).toBeGreaterThan(0);
});

test('what is kept of a stream that a crash cut is charged, not an answer that was kept before it', async () => {
  const gateway = await GatewayWorld.start();
  const { receipts, payee } = await serve(gateway);
  const { channel } = gateway.world;
  const voucher = await gateway.payer.sign(0, { resource: RESOURCE, ceiling: 1_500n });
  await payee.accept(voucher, { resource: RESOURCE, ceilingMin: 0n });
  await receipts.append({ receipt: receiptOf(channel, 50), answer: utf8('whole') }, EMPTY_BYTES);
  const pieces = [0, 10].map((tokens) => ({ receipt: receiptOf(channel, tokens), text: utf8(`${tokens} `) }));
  await receipts.appendPieces(pieces, true);
  const next = await serve(gateway);
  const opened = await next.streams.open({ ...REQUEST, voucher });
  if (opened.kind !== 'answered') throw new RangeError(opened.kind);
  expect([fromUtf8(opened.answer), opened.charged]).toEqual(['0 10 ', 1_004n]);
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
