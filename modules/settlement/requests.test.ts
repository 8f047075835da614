import { expect, test } from 'vitest';
import { concatBytes } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { openLeaves, openRun, type PublishedEpoch } from '../../gateway/epochs/published.ts';
import { buildSumTree } from '../../gateway/epochs/sum-tree.ts';
import { EpochOpening, EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { EpochState, type Params } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { BOND, SettlementWorld, WINDOW } from '../../test/support/settlement-world.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { settlementErrors as errors } from './errors.ts';
import { ATTRIBUTION_BYTES_MAX } from './proof/attribution.ts';
import { RECEIPTS as RECEIPT_TREE } from './proof/kinds.ts';
import { encodeReceipt, RECEIPT_BYTES } from './proof/leaves.ts';
import { settlementState } from './state.ts';

const BLOCKS = 3;
const REQUEST_BOND = 101n;
const STATE = settlementState();
const RECEIPTS = EpochTree.EPOCH_TREE_RECEIPTS;

interface Settled {
  readonly world: SettlementWorld;
  readonly epoch: PublishedEpoch;
}

/** A pending epoch of seven receipts. */
function settled(params: Partial<Params> = {}, epochOf = (w: SettlementWorld) => w.published()): Settled {
  const requests = {
    requestBlocks: BLOCKS,
    requestBond: REQUEST_BOND,
    epochRequestsMax: 3,
    answerBps: 1_000,
  };
  const world = new SettlementWorld({ ...requests, accountRequestsMax: 2, ...params });
  world.register();
  world.claim([0, 2_620n], [1, 2_520n]);
  const epoch = epochOf(world);
  world.settle(epoch);
  return { world, epoch };
}

function requestOf(world: SettlementWorld, change: Partial<wire.MsgRequestEpochPiece> = {}): Any {
  const bond = { denom: 'uopen', amount: `${REQUEST_BOND}` };
  const message = { requester: world.watcher.address, epochId: 1n, tree: RECEIPTS, index: 0, bond };
  return anyOf(wire.MsgRequestEpochPiece, wire.MsgRequestEpochPiece.create({ ...message, ...change }));
}

function answerOf(world: SettlementWorld, change: Partial<wire.MsgServeEpochPiece>): Any {
  const message = { sender: world.gateway.address, requestId: 1n, ...change };
  return anyOf(wire.MsgServeEpochPiece, wire.MsgServeEpochPiece.create(message));
}

function wholeOf(tree: PublishedEpoch['receipts']): EpochOpening {
  return openRun(tree, { first: 0, end: tree.tree.leaves });
}

function openRequests(world: SettlementWorld): number {
  return [...STATE.requests.iterate(world.chain.app.contextAt(world.chain.app.height))].length;
}

test('an answer in the last block closes the request: the gateway gets its part, the pool the rest', () => {
  const { world, epoch } = settled();
  const { chain, watcher, gateway } = world;
  const before = chain.balance(watcher.address);
  world.sendOk(watcher, requestOf(world, { index: 3 }));
  expect(chain.balance(watcher.address)).toBe(before - REQUEST_BOND);
  expect(world.epoch()?.openRequests).toBe(1);
  world.sound();
  const deadline = chain.height + BigInt(BLOCKS);
  while (chain.height + 1n < deadline) chain.block();
  const [paid, pool] = [chain.balance(gateway.address), world.moduleBalance('distribution')];
  // Whoever sends it.
  world.sendOk(watcher, answerOf(world, { sender: watcher.address, opening: wholeOf(epoch.receipts) }));
  expect(chain.height).toBe(deadline);
  expect(chain.balance(gateway.address)).toBe(paid + 10n);
  expect(world.moduleBalance('distribution')).toBe(pool + REQUEST_BOND - 10n);
  expect([openRequests(world), world.epoch()?.openRequests]).toEqual([0, 0]);
  world.refused(gateway, answerOf(world, { opening: wholeOf(epoch.receipts) }), errors['unknown-request']);
  world.sound();
});

test('silence convicts: the bond goes back, the reward on top, and the round waits for a right epoch', () => {
  const { world } = settled();
  const { chain, watcher } = world;
  const before = chain.balance(watcher.address);
  world.sendOk(watcher, requestOf(world));
  const other = requestOf(world, {
    requester: world.loop.payer.address,
    tree: EpochTree.EPOCH_TREE_ALLOCATIONS,
    bond: { denom: 'uopen', amount: `${2n * REQUEST_BOND}` },
  });
  const payer = chain.balance(world.loop.payer.address);
  world.sendOk(world.loop.payer, other);
  while (chain.height < (world.epoch()?.height ?? 0n) + 1n + BigInt(BLOCKS)) {
    expect(world.epoch()).toBeDefined();
    chain.block();
  }
  expect(world.epoch()).toBeUndefined();
  expect(chain.balance(watcher.address)).toBe(before + BOND / 2n);
  expect(world.round()).toMatchObject({ epochId: 0n, closed: true });
  world.sound();
  // The epoch is gone: no answer helps, and who asked later has the bond back.
  world.refused(world.gateway, answerOf(world, { requestId: 2n }), errors['unknown-epoch']);
  chain.block();
  expect(openRequests(world)).toBe(0);
  expect(chain.balance(world.loop.payer.address)).toBe(payer);
  world.sound();
  world.settle(world.published());
  world.waitWindow();
  expect(world.epoch(2n)?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  world.sound();
});

test('what is asked in the last block of the window is waited for, and so is a dispute of what it shows', () => {
  const { world, epoch } = settled();
  const { chain, watcher } = world;
  const end = world.epoch()?.finalHeight ?? 0n;
  while (chain.height + 1n < end) chain.block();
  world.sendOk(watcher, requestOf(world));
  expect(chain.height).toBe(end);
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_PENDING);
  expect(world.epoch()?.finalHeight).toBe(end + 2n * BigInt(BLOCKS));
  world.sendOk(world.gateway, answerOf(world, { opening: wholeOf(epoch.receipts) }));
  while (chain.height + 1n < end + 2n * BigInt(BLOCKS)) chain.block();
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_PENDING);
  chain.block();
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  world.refused(watcher, requestOf(world), errors['window-over']);
  world.sound();
});

test('requests delay an epoch by two windows and what their answers take, and no further', () => {
  const { world, epoch } = settled();
  const { chain, watcher } = world;
  const { finalHeight: end = 0n, requestHeight } = world.epoch() ?? {};
  expect(requestHeight).toBe(end + 2n * BigInt(WINDOW));
  for (let id = 1n; chain.height < end + 2n * BigInt(WINDOW); id++) {
    world.sendOk(watcher, requestOf(world));
    if (chain.height < end + 2n * BigInt(WINDOW))
      world.sendOk(world.gateway, answerOf(world, { requestId: id, opening: wholeOf(epoch.receipts) }));
  }
  world.refused(watcher, requestOf(world, { index: 1 }), errors['window-over']);
  const last = world.epoch();
  expect(last?.state).toBe(EpochState.EPOCH_STATE_PENDING);
  expect((last?.finalHeight ?? 0n) <= end + 2n * BigInt(WINDOW) + 2n * BigInt(BLOCKS)).toBe(true);
});

test('what is no answer is refused: other leaves, too few, another tree, nothing', () => {
  const { world, epoch } = settled({ requestBlocks: 11 });
  const { gateway } = world;
  world.sendOk(world.watcher, requestOf(world));
  const right = wholeOf(epoch.receipts);
  const bent = right.leaves.map((leaf, i) => (i === 2 ? leaf.with(70, 9) : leaf));
  const wrong: readonly Partial<wire.MsgServeEpochPiece>[] = [
    {},
    { opening: wholeOf(epoch.allocations) },
    { opening: { ...right, leaves: right.leaves.slice(1) } },
    { opening: { ...right, leaves: bent } },
    { opening: { ...right, leaves: right.leaves.with(1, new Uint8Array(RECEIPT_BYTES)) } },
    { opening: { ...right, siblings: new Uint8Array(64) } },
    { opening: openLeaves(epoch.receipts, [0]) },
    { opening: right, attribution: Uint8Array.of(1) },
    { attribution: Uint8Array.of(1) },
  ];
  for (const change of wrong) world.refused(gateway, answerOf(world, change), errors['wrong-answer']);
  world.refused(gateway, answerOf(world, { requestId: 9n, opening: right }), errors['unknown-request']);
  expect(world.epoch()).toBeDefined();
  world.waitWindow(1);
  expect(world.epoch()).toBeUndefined();
});

test('bonds grow with open requests; pieces are asked for once; places are bounded', () => {
  const { world } = settled({ requestBlocks: 50 });
  const { watcher, loop } = world;
  const bond = (times: bigint) => ({ denom: 'uopen', amount: `${times * REQUEST_BOND}` });
  world.refused(watcher, requestOf(world, { bond: { denom: 'uopen', amount: '100' } }), errors['wrong-bond']);
  world.refused(watcher, requestOf(world, { bond: { denom: 'x', amount: '999' } }), errors['wrong-bond']);
  world.refused(watcher, requestOf(world, { bond: { denom: 'uopen', amount: '0' } }), errors['wrong-bond']);
  world.sendOk(watcher, requestOf(world));
  const allocations = { tree: EpochTree.EPOCH_TREE_ALLOCATIONS };
  world.refused(watcher, requestOf(world, allocations), errors['wrong-bond']);
  // Any leaf of the run names it.
  world.refused(watcher, requestOf(world, { index: 2, bond: bond(2n) }), errors['already-requested']);
  world.sendOk(watcher, requestOf(world, { ...allocations, bond: bond(2n) }));
  world.refused(watcher, requestOf(world, { index: 0, bond: bond(3n) }), errors['too-many-requests']);
  const other = { requester: loop.payer.address };
  world.refused(loop.payer, requestOf(world, { ...other, bond: bond(3n) }), errors['already-requested']);
  world.sound();
});

test('an epoch has so many open requests, whoever asks', () => {
  const { world } = settled({ requestBlocks: 50, epochRequestsMax: 1 });
  world.sendOk(world.watcher, requestOf(world));
  const other = { requester: world.loop.payer.address, tree: EpochTree.EPOCH_TREE_ALLOCATIONS };
  const bond = { denom: 'uopen', amount: '9999' };
  world.refused(world.loop.payer, requestOf(world, { ...other, bond }), errors['too-many-requests']);
});

test('there are pieces only where leaves are, of epochs that are there', () => {
  const { world, epoch } = settled({ windowBlocks: 20 });
  const { watcher } = world;
  const { leaves } = epoch.receipts.tree;
  const opening = openLeaves(epoch.receipts, [0]);
  const none = { leaves: [], siblings: new Uint8Array(0) };
  const malformed: readonly Partial<wire.MsgRequestEpochPiece>[] = [
    { index: leaves },
    { tree: EpochTree.EPOCH_TREE_ENTITLEMENTS },
    { tree: 4 },
    { receipt: opening },
    // These receipts name no attribution; nothing is opened; another one is.
    { tree: EpochTree.EPOCH_TREE_UNSPECIFIED, receipt: opening },
    { tree: EpochTree.EPOCH_TREE_UNSPECIFIED, receipt: none },
    { tree: EpochTree.EPOCH_TREE_UNSPECIFIED, index: 1, receipt: opening },
  ];
  for (const change of malformed)
    world.refused(watcher, requestOf(world, change), errors['malformed-request']);
  world.refused(watcher, requestOf(world, { epochId: 2n }), errors['unknown-epoch']);
});

/** An epoch whose receipts name bytes by their hash, whatever these are. */
function named(bytes: Uint8Array): (world: SettlementWorld) => PublishedEpoch {
  return (world) => {
    const attribution = sha256(bytes);
    const leaves = world.receipts().map((receipt) => encodeReceipt({ ...receipt, attribution }));
    const packed = { bytes: concatBytes(...leaves), width: RECEIPT_BYTES, count: leaves.length };
    const receipts = buildSumTree(RECEIPT_TREE, packed);
    const epoch = world.published();
    return { ...epoch, receipts, commitment: { ...epoch.commitment, receipts: receipts.tree } };
  };
}

test('an attribution is asked for by a receipt that names it, and answered by its bytes', () => {
  const bytes = new Uint8Array(ATTRIBUTION_BYTES_MAX).fill(36);
  const { world, epoch } = settled({ requestBlocks: 9 }, named(bytes));
  const { watcher, gateway } = world;
  const asked = {
    tree: EpochTree.EPOCH_TREE_UNSPECIFIED,
    receipt: openLeaves(epoch.receipts, [2]),
    index: 2,
  };
  world.sendOk(watcher, requestOf(world, asked));
  const again = { ...asked, receipt: openLeaves(epoch.receipts, [0]), index: 0 };
  const bond = { denom: 'uopen', amount: '9999' };
  world.refused(watcher, requestOf(world, { ...again, bond }), errors['already-requested']);
  world.refused(gateway, answerOf(world, { attribution: bytes.slice(1) }), errors['wrong-answer']);
  world.refused(gateway, answerOf(world, { opening: wholeOf(epoch.receipts) }), errors['wrong-answer']);
  const both = { attribution: bytes, opening: wholeOf(epoch.receipts) };
  world.refused(gateway, answerOf(world, both), errors['wrong-answer']);
  world.sendOk(gateway, answerOf(world, { attribution: bytes }));
  expect(openRequests(world)).toBe(0);
  world.sound();
});

test('what is longer than any attribution answers for none: whoever named it loses the epoch', () => {
  const bytes = new Uint8Array(ATTRIBUTION_BYTES_MAX + 1);
  const { world, epoch } = settled({}, named(bytes));
  const asked = { tree: EpochTree.EPOCH_TREE_UNSPECIFIED, receipt: openLeaves(epoch.receipts, [0]) };
  world.sendOk(world.watcher, requestOf(world, asked));
  world.refused(world.gateway, answerOf(world, { attribution: bytes }), errors['wrong-answer']);
  world.waitWindow(BLOCKS);
  expect(world.epoch()).toBeUndefined();
  world.sound();
});

test('a request costs gas by what it opens, an answer by its size, before it is looked at', () => {
  const { world, epoch } = settled({ gasPerByte: 50, gasPerHash: 100 });
  world.sendOk(world.watcher, requestOf(world));
  const opening = wholeOf(epoch.receipts);
  const bytes = EpochOpening.encode(opening).length;
  const right = world.send(world.gateway, answerOf(world, { opening }));
  expect(right.code).toBe(0);
  expect(right.gasUsed).toBeGreaterThan(50n * BigInt(bytes));
});
