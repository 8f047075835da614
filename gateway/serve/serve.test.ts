import { expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { encodeAttribution, NO_ATTRIBUTION } from '../../modules/settlement/proof/attribution.ts';
import { decodeReceipt } from '../../modules/settlement/proof/leaves.ts';
import { receiptStatement } from '../../modules/settlement/proof/receipt-statement.ts';
import { verifyEd25519 } from '../../node/crypto/ed25519.ts';
import { EpochOpening, EpochTree, PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { MsgRequestEpochPiece } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { EpochState, type Params } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { sessionSigner } from '../../test/support/channels.ts';
import { answered, GatewayWorld, statedReceipts } from '../../test/support/gateway-world.ts';
import { openRun } from '../epochs/published.ts';
import { lanesOfEpoch } from './kept-epochs.ts';
import { serveEpoch } from './serve-epoch.ts';

/** 10 tokens in and 50 out of model 1: 100 · 10 + 300 · 50, in thousandths, rounded up, and 1,000. */
const FEE = 1_016n;

test('a request is answered once for its voucher, with a receipt that the gateway has signed', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler } = await gateway.process();
  await settler.observe();
  const first = answered(await gateway.buy(desk, 0, 'why?'));
  expect(first).toMatchObject({ charged: FEE, again: false });
  const receipt = decodeReceipt(first.receipt);
  expect(receipt).toMatchObject({ before: 0n, after: FEE, modelId: 1n, tokensIn: 10, tokensOut: 50 });
  expect(receipt?.requestHash).toEqual(Uint8Array.from(sha256(utf8('why?'))));
  const { chainId } = gateway.world.chain;
  const statement = receiptStatement(chainId, gateway.world.gateway.address, first.receipt);
  expect(verifyEd25519(sessionSigner('receipts').key.key, statement, first.signature)).toBe(true);
  const second = answered(await gateway.buy(desk, 0, 'and then?'));
  expect(decodeReceipt(second.receipt)).toMatchObject({ before: FEE, after: 2n * FEE });
  expect(gateway.inferences).toBe(2);
});

test('the same voucher gets the same answer and receipt again, in this process and in the next', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler } = await gateway.process();
  await settler.observe();
  const request = { modelId: 1n, prompt: utf8('why?'), tokensOutMax: 100 };
  const resource = sha256(request.prompt);
  const voucher = await gateway.payer.sign(0, { resource, ceiling: 1_500n });
  const first = answered(await desk.answer({ ...request, resource, voucher }));
  expect(await desk.answer({ ...request, resource, voucher })).toEqual({ ...first, again: true });
  const next = await gateway.process();
  await next.settler.observe();
  expect(await next.desk.answer({ ...request, resource, voucher })).toEqual({ ...first, again: true });
  expect(gateway.inferences).toBe(1);
});

test('what is not paid for, or not offered, is refused and costs nothing', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler, payee } = await gateway.process();
  await settler.observe();
  const request = { modelId: 1n, prompt: utf8('why?'), tokensOutMax: 100 };
  const resource = sha256(request.prompt);
  const low = await gateway.payer.sign(0, { resource, ceiling: 1_030n });
  const ask = async (change: object) => await desk.answer({ ...request, resource, voucher: low, ...change });
  expect(await ask({})).toEqual({ kind: 'refused', reason: 'ceiling_too_low' });
  expect(await desk.priceOf(request)).toBe(1_031n);
  expect(await ask({ modelId: 2n })).toEqual({ kind: 'refused', reason: 'unknown_model' });
  expect(await ask({ prompt: new Uint8Array(1_001) })).toEqual({
    kind: 'refused',
    reason: 'prompt_too_long',
  });
  expect(await ask({ resource: sha256(resource) })).toEqual({ kind: 'refused', reason: 'wrong_resource' });
  const stream = { unit: 10n, links: 100 };
  const streamed = await gateway.payer.sign(1, { resource, ceiling: 1_500n, stream });
  expect(await ask({ voucher: streamed })).toEqual({ kind: 'refused', reason: 'streams_not_served' });
  const forged = { ...low, signature: low.signature.map((byte) => byte ^ 1) };
  expect(await ask({ voucher: forged, tokensOutMax: 1 })).toEqual({
    kind: 'refused',
    reason: 'invalid_signature',
  });
  expect(gateway.inferences).toBe(0);
  expect(payee.claims()).toEqual([]);
  // The model says more than was paid for: nothing is charged, and the voucher can be used again.
  const short = { tokensOutMax: 1, voucher: await gateway.payer.sign(2, { resource, ceiling: 1_010n }) };
  await expect(ask(short)).rejects.toThrow('not what the voucher pays for');
  await expect(ask(short)).rejects.toThrow('not what the voucher pays for');
  expect(payee.claims()).toEqual([]);
});

test('a voucher that failed once asks for no dearer answer than it pays for', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, streams, settler } = await gateway.process();
  await settler.observe();
  const resource = sha256(utf8('a'));
  const request = { modelId: 1n, prompt: utf8('a'), tokensOutMax: 50, resource };
  const voucher = await gateway.payer.sign(0, { resource, ceiling: FEE });
  gateway.answerTokens = 51;
  await expect(desk.answer({ ...request, voucher })).rejects.toThrow('51 tokens');
  const tooLow = { kind: 'refused', reason: 'ceiling_too_low' };
  expect(await desk.answer({ ...request, voucher, tokensOutMax: 2 ** 24 })).toEqual(tooLow);
  expect(await streams.open({ ...request, voucher, tokensOutMax: 2 ** 24 })).toEqual(tooLow);
  expect(gateway.inferences).toBe(1);
  gateway.answerTokens = 50;
  expect(answered(await desk.answer({ ...request, voucher }))).toMatchObject({ charged: FEE });
});

test('what was charged is claimed, stated and final, with the very receipts that payers have', async () => {
  const gateway = await GatewayWorld.start();
  const { world } = gateway;
  const { desk, settler, epochs, receipts } = await gateway.process();
  await settler.observe();
  const bought: string[] = [];
  for (const [lane, prompt] of [
    [0, 'a'],
    [1, 'b'],
    [0, 'c'],
    [2, 'd'],
  ] as const)
    bought.push(toHex(answered(await gateway.buy(desk, lane, prompt)).receipt));
  expect(settler.unclaimed).toBe(4n * FEE);
  await settler.round();
  expect(settler.unclaimed).toBe(0n);
  expect(world.epoch()).toMatchObject({ state: EpochState.EPOCH_STATE_PENDING });
  expect([...(await statedReceipts(epochs)).values()].sort()).toEqual([...bought].sort());
  const kept = await epochs.ofRound(1n);
  expect(kept.commitment).toEqual(world.epoch()?.commitment);
  expect((await lanesOfEpoch(kept)).map(({ lane, to }) => [lane, to])).toEqual([
    [0, 2n * FEE],
    [1, FEE],
    [2, FEE],
  ]);
  // The last of each lane stays, whose answer may be asked for again.
  expect(receipts.count).toBe(3);
  await gateway.buy(desk, 0, 'e');
  await settler.round();
  world.waitWindow(12);
  expect([1n, 2n].map((id) => world.epoch(id)?.state)).toEqual([
    EpochState.EPOCH_STATE_FINAL,
    EpochState.EPOCH_STATE_FINAL,
  ]);
  const next = await gateway.process();
  expect((await next.epochs.served(2n))?.receipts.tree.leaves).toBe(1);
  expect(await next.epochs.served(3n)).toBeUndefined();
  expect(gateway.alarms).toEqual([]);
  world.sound();
});

test('an answer that rests on a claim is divided by the chain’s weights of it, also in the next process', async () => {
  const gateway = await GatewayWorld.start();
  const { world } = gateway;
  const place = { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index: 1 };
  const weights = { entries: [{ place, weight: 3n }], unattributed: 1n };
  gateway.claim = { modelId: 1n, answerRoot: sha256(utf8('answer')), weights };
  const { desk, settler } = await gateway.process();
  await settler.observe();
  const { receipt } = answered(await gateway.buy(desk, 0, 'a'));
  const named = sha256(encodeAttribution({ claimId: 1n, ...weights }));
  expect(decodeReceipt(receipt)?.attribution).toEqual(Uint8Array.from(named));
  const { contributors = 0n } = decodeReceipt(receipt)?.parts ?? {};
  const next = await gateway.process();
  await next.settler.round();
  const rows = world.epoch()?.commitment.rows.filter((row) => row.place.kind === place.kind);
  expect(rows?.map(({ amount }) => amount)).toEqual([(contributors * 3n) / 4n, (contributors + 3n) / 4n]);
  const { epochs } = await gateway.process();
  expect((await epochs.served(1n))?.attribution(named)).toEqual(
    encodeAttribution({ claimId: 1n, ...weights }),
  );
  expect(gateway.alarms).toEqual([]);
});

test('an answer rests on no claim of another model or another answer', async () => {
  const place = { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index: 1 };
  const weights = { entries: [{ place, weight: 3n }], unattributed: 1n };
  const answerRoot = sha256(utf8('answer'));
  for (const change of [{ modelId: 2n }, { answerRoot: sha256(utf8('another')) }]) {
    const gateway = await GatewayWorld.start();
    gateway.claim = { modelId: 1n, answerRoot, weights, ...change };
    gateway.answerRoot = answerRoot;
    const { desk, settler } = await gateway.process();
    await settler.observe();
    const { receipt } = answered(await gateway.buy(desk, 1, 'b'));
    expect(decodeReceipt(receipt)?.responseHash).toEqual(Uint8Array.from(answerRoot));
    expect(decodeReceipt(receipt)?.attribution).toEqual(NO_ATTRIBUTION);
    expect(gateway.alarms).toEqual(['an answer cannot rest on its claim']);
  }
});

test('an answer that a crash kept from being charged is, and who gives up on it is told so', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler } = await gateway.process();
  await settler.observe();
  await gateway.buy(desk, 0, 'a');
  const resource = sha256(utf8('b'));
  const voucher = await gateway.payer.sign(0, { resource, ceiling: 1_500n });
  const request = { modelId: 1n, prompt: utf8('b'), tokensOutMax: 100, resource };
  // Writes of the second answer: voucher, receipt, charge; each is an append and its sync.
  gateway.power.on(6);
  await expect(desk.answer({ ...request, voucher })).rejects.toThrow('power went');
  gateway.power.on();
  const next = await gateway.process();
  await next.settler.observe();
  const kept = defined(next.receipts.last(gateway.world.channel, 0), 'receipt');
  expect([kept.receipt.before, kept.receipt.after]).toEqual([FEE, 2n * FEE]);
  // The payer asks for something else, from where it was.
  await gateway.payer.corrected(voucher, { charged: FEE, last: undefined, linkIndex: 0 });
  const early = await gateway.buy(next.desk, 0, 'c');
  const lane = { charged: 2n * FEE, last: voucher, linkIndex: 0 };
  expect(early).toEqual({ kind: 'corrective', lane });
  // What it was charged for is here for it.
  const again = answered(await next.desk.answer({ ...request, voucher }));
  expect([again.again, again.charged, again.answer]).toEqual([true, 2n * FEE, kept.answer]);
  await next.settler.round();
  const stated = await next.epochs.ofRound(1n);
  expect([stated.receipts.tree.leaves, stated.receipts.leaf(1)]).toEqual([2, again.receipt]);
  expect(gateway.alarms).toEqual([]);
});

test('what is charged while an epoch is stated stays for the next one', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler, receipts } = await gateway.process();
  await settler.observe();
  await gateway.buy(desk, 0, 'a');
  await settler.claim();
  for (const prompt of ['b', 'c', 'd']) await gateway.buy(desk, 0, prompt);
  await settler.settle(1n);
  expect(receipts.count).toBe(3);
  const next = await gateway.process();
  expect(next.receipts.count).toBe(3);
  await next.settler.round();
  expect(gateway.world.epoch(2n)?.commitment.receipts.leaves).toBe(3);
  expect(next.receipts.count).toBe(1);
  expect(gateway.alarms).toEqual([]);
});

test('an epoch is served by its paths, and pieces that are asked for on the chain are shown there', async () => {
  const gateway = await GatewayWorld.start();
  const { world } = gateway;
  const first = await gateway.process();
  await first.settler.observe();
  for (const [lane, prompt] of ['a', 'b', 'c'].entries()) await gateway.buy(first.desk, lane, prompt);
  await first.settler.round();
  const { settler, epochs } = await gateway.process();
  const published = await epochs.ofRound(1n);
  const leaves = await serveEpoch(epochs, '/v1/epochs/1/receipts?from=1&count=4096');
  const whole = { first: 1, end: 3 };
  expect(leaves).toEqual({ status: 200, body: EpochOpening.encode(openRun(published.receipts, whole)) });
  for (const [path, status] of [
    ['/v1/epochs/1/receipts?from=3&count=1', 404],
    ['/v1/epochs/2/receipts?from=0&count=1', 404],
    [`/v1/epochs/1/attributions/${'ab'.repeat(32)}`, 404],
    ['/v1/epochs/1/receipts?from=0&count=4097', 400],
    ['/v1/epochs', 400],
  ] as const)
    expect(await serveEpoch(epochs, path), path).toMatchObject({ status });
  const { requestBond, bondDenom } = gateway.params();
  const request = (tree: EpochTree, index: number, bond: bigint) =>
    anyOf(MsgRequestEpochPiece, {
      ...{ requester: world.watcher.address, epochId: 1n, tree, index },
      receipt: EpochOpening.create(),
      bond: { denom: bondDenom, amount: `${bond}` },
    });
  world.sendOk(world.watcher, request(EpochTree.EPOCH_TREE_RECEIPTS, 2, requestBond));
  world.sendOk(world.watcher, request(EpochTree.EPOCH_TREE_ALLOCATIONS, 0, 4n * requestBond));
  expect(world.epoch()?.openRequests).toBe(2);
  await settler.round();
  expect(world.epoch()?.openRequests).toBe(0);
  expect(gateway.sent.filter((what) => what === 'answers')).toHaveLength(1);
  expect(gateway.alarms).toEqual([]);
  gateway.disks.files.clear();
  world.sendOk(world.watcher, request(EpochTree.EPOCH_TREE_RECEIPTS, 0, 4n * requestBond));
  await (await gateway.process()).settler.round();
  expect(gateway.alarms).toEqual([expect.stringContaining('was not answered')]);
  world.sound();
});

/** A gateway that has stated an epoch, and what its round was before. */
async function withEpoch(params: Partial<Params> = {}) {
  const gateway = await GatewayWorld.start(1, params);
  const process = await gateway.process();
  await process.settler.observe();
  await gateway.buy(process.desk, 0, 'a');
  await process.settler.claim();
  const before = gateway.world.round(1n);
  await process.settler.settle(1n);
  return { gateway, before, ...process };
}

test('a round whose epoch was convicted is not stated again by itself', async () => {
  const { gateway, settler, epochs } = await withEpoch({ requestBlocks: 2, requestBond: 20n });
  const { world } = gateway;
  const request = anyOf(MsgRequestEpochPiece, {
    ...{ requester: world.watcher.address, epochId: 1n, tree: EpochTree.EPOCH_TREE_RECEIPTS, index: 0 },
    receipt: EpochOpening.create(),
    bond: { denom: 'uopen', amount: '20' },
  });
  world.sendOk(world.watcher, request);
  world.waitWindow(4);
  expect([world.epoch(1n), world.round(1n)?.epochId]).toEqual([undefined, 0n]);
  for (let i = 0; i < 3; i++) await settler.round();
  expect(epochs.round(1n)).toMatchObject({ epochId: 1n, state: 'convicted' });
  expect(world.round(1n)?.epochId).toBe(0n);
  expect(world.epoch(2n)).toBeUndefined();
  expect(gateway.alarms).toEqual([expect.stringContaining('was convicted')]);
  expect(await epochs.served(1n)).toBeUndefined();
});

test('an old round, from a node that has seen its epoch, does not give the epoch up', async () => {
  const { gateway, before, settler, epochs } = await withEpoch();
  const { world } = gateway;
  const round = world.round.bind(world);
  world.round = (id) => (id === 1n ? before : round(id));
  await settler.reconcile();
  expect(epochs.round(1n)).toMatchObject({ state: 'dropped' });
  expect(gateway.alarms).toEqual([]);
  expect(await epochs.served(1n)).toBeDefined();
});

test('an epoch that a node had not seen yet is served again when the chain shows it', async () => {
  const { gateway, before, settler, epochs } = await withEpoch();
  const { world } = gateway;
  const [round, epoch] = [world.round.bind(world), world.epoch.bind(world)];
  world.round = (id) => (id === 1n ? before : round(id));
  world.epoch = () => undefined;
  await settler.reconcile();
  expect(await epochs.served(1n)).toBeUndefined();
  [world.round, world.epoch] = [round, epoch];
  await settler.reconcile();
  expect(epochs.round(1n)).toMatchObject({ epochId: 1n, state: 'dropped' });
  expect(await epochs.served(1n)).toBeDefined();
});

test('an epoch whose file was changed is not served', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler } = await gateway.process();
  await settler.observe();
  await gateway.buy(desk, 0, 'a');
  await settler.round();
  const { files } = gateway.disks;
  const file = files.get('round-1.epoch') ?? new Uint8Array(0);
  for (let at = 0; at < file.length; at += 7) {
    files.set(
      'round-1.epoch',
      file.map((byte, i) => (i === at ? byte ^ 1 : byte)),
    );
    const { epochs } = await gateway.process();
    await expect(epochs.served(1n), `byte ${at}`).rejects.toThrow(LedgerError);
  }
  files.delete('round-1.epoch');
  await expect((await gateway.process()).epochs.served(1n)).rejects.toThrow('is missing');
});
