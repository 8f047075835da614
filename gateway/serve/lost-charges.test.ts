import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { signVoucher } from '../../client/vouchers/signatures.ts';
import { librarySigner } from '../../test/channels/parties.ts';
import { sessionSigner, voucherFor } from '../../test/support/channels.ts';
import { answered, GatewayWorld, statedReceipts } from '../../test/support/gateway-world.ts';
import { findSignedFraud } from '../epochs/find-fraud.ts';
import type { PaidRequest } from './desk.ts';
import type { GivenPiece } from './stream-desk.ts';

/** What each answer costs: see serve.test.ts. */
const FEE = 1_016n;
const ALARM = expect.stringContaining('put it back if it is there');

/** A request with a voucher that begins at so much, whatever the payer knows. */
async function signedFrom(
  { world }: GatewayWorld,
  base: bigint,
  {
    lane,
    prompt,
    ceiling = 1_500n,
  }: { readonly lane: number; readonly prompt: string; readonly ceiling?: bigint },
): Promise<PaidRequest> {
  const resource = sha256(utf8(prompt));
  const content = voucherFor(world.channel, { lane, resource, ceiling, cumulative: base + ceiling });
  const domain = { chainId: world.chain.chainId, denom: 'uopen' };
  const signer = librarySigner(sessionSigner(world.loop.payer.address));
  const voucher = await signVoucher(content, domain, signer);
  return { modelId: 1n, prompt: utf8(prompt), tokensOutMax: 100, resource, voucher };
}

/** A gateway that has served two requests of lane 0 and one of lane 1, and kept its journal after the first. */
async function withOldJournal() {
  const gateway = await GatewayWorld.start();
  const { desk, settler } = await gateway.process();
  await settler.observe();
  const first = answered(await gateway.buy(desk, 0, 'a'));
  const old = await gateway.disks.vouchers.read();
  const second = answered(await gateway.buy(desk, 0, 'b'));
  answered(await gateway.buy(desk, 1, 'c'));
  return { gateway, old, first, second };
}

test.each(['lost', 'older'] as const)(
  'with a journal that is %s a lane goes on where its receipts end, and nobody can convict',
  async (how) => {
    const { gateway, old, first, second } = await withOldJournal();
    await gateway.disks.vouchers.replace(how === 'lost' ? new Uint8Array(0) : old);
    const { desk, settler, epochs } = await gateway.process();
    await settler.observe();
    await settler.observe();
    expect(gateway.alarms).toEqual([ALARM]);
    expect(settler.lostLanes).toBe(2);
    const third = answered(await gateway.buy(desk, 0, 'd'));
    expect([third.charged, settler.lostLanes]).toEqual([3n * FEE, 1]);
    await settler.round();
    const { world } = gateway;
    const round = defined(world.round(1n), 'round');
    const epoch = await epochs.ofRound(1n);
    expect([round.claimed, (await statedReceipts(epochs)).size]).toEqual([`${3n * FEE}`, 3]);
    for (const signed of [first, second, third])
      expect(findSignedFraud(epoch, world.watched(round), signed)).toBeUndefined();
    expect(gateway.alarms).toEqual([ALARM]);
  },
);

test('a voucher that begins before the receipts of its lane gets no second answer, however it comes', async () => {
  const { gateway, second } = await withOldJournal();
  await gateway.disks.vouchers.replace(new Uint8Array(0));
  const { desk, streams, settler, receipts, payee } = await gateway.process();
  await settler.observe();
  const corrective = { kind: 'corrective', lane: { charged: 2n * FEE, last: undefined, linkIndex: 0 } };
  const early = await signedFrom(gateway, 0n, { lane: 0, prompt: 'e' });
  expect(await desk.answer(early)).toEqual(corrective);
  expect(await streams.open(early)).toEqual(corrective);
  expect(receipts.last(gateway.world.channel, 0)?.receipt.after).toBe(second.charged);
  expect(payee.claims()).toEqual([]);
});

test('a voucher that an older journal has unfinished gets no second answer either', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler, payee } = await gateway.process();
  await settler.observe();
  // It failed once, and its payer went on with another from the same charge, and with one more.
  const failed = await signedFrom(gateway, 0n, { lane: 0, prompt: 'failed' });
  await payee.accept(failed.voucher, { resource: failed.resource, ceilingMin: 1n });
  payee.abandon(gateway.world.channel, 0);
  const old = await gateway.disks.vouchers.read();
  answered(await desk.answer(await signedFrom(gateway, 0n, { lane: 0, prompt: 'a' })));
  answered(await desk.answer(await signedFrom(gateway, FEE, { lane: 0, prompt: 'b' })));
  await gateway.disks.vouchers.replace(old);
  const next = await gateway.process();
  await next.settler.observe();
  expect(gateway.alarms).toEqual([ALARM]);
  expect(await next.desk.answer(failed)).toMatchObject({ kind: 'corrective', lane: { charged: 2n * FEE } });
  expect(gateway.inferences).toBe(2);
});

test('a voucher that failed, and an older journal has unfinished where a receipt begins, is told of it', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler, payee } = await gateway.process();
  await settler.observe();
  const failed = await signedFrom(gateway, 0n, { lane: 0, prompt: 'failed' });
  await payee.accept(failed.voucher, { resource: failed.resource, ceilingMin: 1n });
  payee.abandon(gateway.world.channel, 0);
  const old = await gateway.disks.vouchers.read();
  const first = answered(await desk.answer(await signedFrom(gateway, 0n, { lane: 0, prompt: 'a' })));
  await gateway.disks.vouchers.replace(old);
  const next = await gateway.process();
  await next.settler.observe();
  expect([gateway.alarms, next.settler.lostLanes]).toEqual([[ALARM], 1]);
  const corrective = { kind: 'corrective', lane: { charged: FEE } };
  expect(await next.desk.answer(failed)).toMatchObject(corrective);
  const other = await signedFrom(gateway, 0n, { lane: 0, prompt: 'b' });
  for (const outcome of [await next.desk.answer(other), await next.streams.open(other)])
    expect(outcome).toMatchObject(corrective);
  expect(next.receipts.last(gateway.world.channel, 0)?.receipt.after).toBe(first.charged);
  expect(gateway.inferences).toBe(1);
});

test('a journal that was copied in the midst of a request is whole: its receipt says what it was charged', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler, payee } = await gateway.process();
  await settler.observe();
  const request = await signedFrom(gateway, 0n, { lane: 0, prompt: 'a' });
  await payee.accept(request.voucher, { resource: request.resource, ceilingMin: 1n });
  payee.abandon(gateway.world.channel, 0);
  const old = await gateway.disks.vouchers.read();
  const first = answered(await desk.answer(request));
  await gateway.disks.vouchers.replace(old);
  const next = await gateway.process();
  await next.settler.observe();
  expect([gateway.alarms, next.settler.lostLanes]).toEqual([[], 0]);
  const other = await signedFrom(gateway, 0n, { lane: 0, prompt: 'b' });
  expect(await next.desk.answer(other)).toMatchObject({ kind: 'corrective', lane: { charged: FEE } });
  expect(answered(await next.desk.answer(request)).receipt).toEqual(first.receipt);
});

test('a journal that has fewer links than the receipt of its stream goes on where that ends', async () => {
  const gateway = await GatewayWorld.start();
  const { streams, settler } = await gateway.process();
  await settler.observe();
  let old = new Uint8Array(0);
  const isPaid = async ({ tokens }: GivenPiece): Promise<boolean> => {
    if (tokens === 20) old = Uint8Array.from(await gateway.disks.vouchers.read());
    return true;
  };
  const { ending } = await gateway.buyStream(streams, 0, { prompt: 'a', isPaid });
  expect([ending?.paid?.charged, old.length > 0]).toEqual([FEE, true]);
  await gateway.disks.vouchers.replace(old);
  const next = await gateway.process();
  await next.settler.observe();
  expect([gateway.alarms, next.settler.lostLanes]).toEqual([[ALARM], 1]);
  const other = await signedFrom(gateway, 0n, { lane: 0, prompt: 'b' });
  for (const opened of [await next.streams.open(other), await next.desk.answer(other)])
    expect(opened).toMatchObject({ kind: 'corrective', lane: { charged: FEE } });
  expect(answered(await gateway.buy(next.desk, 0, 'c')).charged).toBe(2n * FEE);
  expect(next.settler.lostLanes).toBe(0);
});

test('what was claimed is not missing, and a crash between receipt and charge is no loss', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler } = await gateway.process();
  await settler.observe();
  answered(await gateway.buy(desk, 0, 'a'));
  await settler.claim();
  await gateway.disks.vouchers.replace(new Uint8Array(0));
  const next = await gateway.process();
  await next.settler.observe();
  expect([gateway.alarms, next.settler.lostLanes]).toEqual([[], 0]);
  const request = await signedFrom(gateway, FEE, { lane: 0, prompt: 'b' });
  next.payee.settle = () => Promise.reject(new Error('power went'));
  await expect(next.desk.answer(request)).rejects.toThrow('power went');
  const last = await gateway.process();
  await last.settler.observe();
  expect(last.receipts.last(gateway.world.channel, 0)?.receipt.after).toBe(2n * FEE);
  expect([gateway.alarms, last.settler.lostLanes]).toEqual([[], 0]);
  expect(answered(await last.desk.answer(request))).toMatchObject({ charged: 2n * FEE, again: true });
});
