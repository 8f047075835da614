/** Edges of windows, of words of entitlements and of receivers, and the events that tell of money. */
import { expect, test } from 'vitest';
import { concatBytes } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { openLeaves, openRun } from '../../gateway/epochs/published.ts';
import { buildSumTree } from '../../gateway/epochs/sum-tree.ts';
import { ReceiverKind } from '../../proto/gen/openledger/channels/v1/channels.ts';
import * as channels from '../../proto/gen/openledger/channels/v1/tx.ts';
import { EpochTree, PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { QueryRoundsRequest, QueryRoundsResponse } from '../../proto/gen/openledger/settlement/v1/query.ts';
import { EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { Event } from '../../framework/events.ts';
import { rowFor, sessionSigner, voucherFor } from '../../test/support/channels.ts';
import { rowsPaid, wealthOf } from '../../test/support/earnings.ts';
import { BOND, SettlementWorld } from '../../test/support/settlement-world.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { settlementErrors as errors } from './errors.ts';
import { ENTITLEMENTS } from './proof/kinds.ts';
import { ALLOCATION_BYTES, encodeEntitlement } from './proof/leaves.ts';

function eventsOf(events: readonly Event[], type: string): readonly Record<string, string>[] {
  return events
    .filter((event) => event.type === type)
    .map(({ attributes }) => Object.fromEntries(attributes.map(({ key, value }) => [key, value])));
}

function requestOf({ watcher }: SettlementWorld): Any {
  const bond = { denom: 'uopen', amount: '10' };
  const tree = EpochTree.EPOCH_TREE_RECEIPTS;
  const message = { requester: watcher.address, epochId: 1n, tree, index: 0, bond };
  return anyOf(wire.MsgRequestEpochPiece, wire.MsgRequestEpochPiece.create(message));
}

test('what is asked early makes a window no shorter', () => {
  const world = new SettlementWorld({ windowBlocks: 40, requestBond: 10n, requestBlocks: 3 });
  world.register();
  world.claim([0, 1_260n]);
  const epoch = world.published();
  world.settle(epoch);
  const { finalHeight: end = 0n } = world.epoch() ?? {};
  world.sendOk(world.watcher, requestOf(world));
  const opening = openRun(epoch.receipts, { first: 0, end: epoch.receipts.tree.leaves });
  const answer = wire.MsgServeEpochPiece.create({ sender: world.gateway.address, requestId: 1n, opening });
  world.sendOk(world.gateway, anyOf(wire.MsgServeEpochPiece, answer));
  expect(world.epoch()?.finalHeight).toBe(end);
  while (world.chain.height + 1n < end) world.chain.block();
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_PENDING);
  const { events } = world.chain.block();
  expect(eventsOf(events, 'final_epoch')).toEqual([
    expect.objectContaining({ epoch_id: '1', gateway: world.gateway.address, entitled: '0uopen' }),
  ]);
  const paid = eventsOf(events, 'pay_row').map(({ amount }) => amount);
  expect(paid).toEqual(epoch.commitment.rows.map(({ amount }) => `${amount}uopen`));
  world.sound();
});

test('a conviction tells who was paid how much of which bond', () => {
  const world = new SettlementWorld({ requestBond: 10n, requestBlocks: 3 });
  world.register();
  world.claim([0, 1_260n]);
  world.settle(world.published());
  world.sendOk(world.watcher, requestOf(world));
  for (let i = 0; i < 2; i++) world.chain.block();
  const { events } = world.chain.block();
  const bond = `${BOND}uopen`;
  const told = { epoch_id: '1', round_id: '1', bond, reward: `${BOND / 2n}uopen` };
  expect(eventsOf(events, 'convict_epoch')).toEqual([
    expect.objectContaining({ ...told, gateway: world.gateway.address, challenger: world.watcher.address }),
  ]);
});

test('each of many entitlements is paid once, whatever others were paid before', () => {
  const count = 70;
  const world = new SettlementWorld({ rowsMax: 1_024 });
  const { gateway, watcher, loop, chain } = world;
  world.register();
  world.claim([0, BigInt(count)]);
  const honest = world.published();
  const place = { kind: PlaceKind.PLACE_KIND_MODEL, id: 1n, level: 0, index: 0 };
  const leaves = Array.from({ length: count }, (_, i) =>
    encodeEntitlement({ place, end: i + 1, amount: 1n }),
  );
  const packed = { bytes: concatBytes(...leaves), width: ALLOCATION_BYTES, count };
  const entitlements = buildSumTree(ENTITLEMENTS, packed);
  const commitment = {
    receipts: { ...honest.commitment.receipts, sums: [0n, BigInt(count), 0n, 0n] },
    allocations: { root: sha256(packed.bytes), leaves: count, sums: [BigInt(count)] },
    rows: [],
    entitlements: entitlements.tree,
  };
  // A lie that nobody disputes here.
  world.sendOk(gateway, world.settlement({ ...honest, commitment }));
  world.waitWindow();
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  const claim = (index: number): Any => {
    const opening = openLeaves(entitlements, [index]);
    return anyOf(wire.MsgClaimEntitlement, { sender: watcher.address, epochId: 1n, index, opening });
  };
  const before = wealthOf(chain, loop.seller.address);
  const indices = [1, 33, 63, 0, 64, 65, 32];
  for (const index of indices) world.sendOk(watcher, claim(index));
  for (const index of indices) world.refused(watcher, claim(index), errors['already-claimed']);
  expect(rowsPaid(chain, 1n)).toEqual(indices);
  expect(wealthOf(chain, loop.seller.address)).toBe(before + BigInt(indices.length));
  expect(world.epoch()?.unclaimed).toBe(`${count - indices.length}`);
  world.sound();
});

test('one message claims for the account and for the router: each gets its own', () => {
  for (const first of ['account', 'router'] as const) {
    const world = new SettlementWorld();
    const { gateway, chain, loop } = world;
    const account = world.open(world.configTo(ReceiverKind.RECEIVER_KIND_ACCOUNT));
    const signer = sessionSigner(loop.payer.address);
    const row = (channelId: Uint8Array, cumulative: bigint) =>
      rowFor(voucherFor(channelId, { cumulative, ceiling: 0n }), { signer });
    const rows = [row(account, 30n), row(world.channel, 500n)];
    const had = chain.balance(gateway.address);
    const message = { claimer: gateway.address, rows: first === 'account' ? rows : rows.toReversed() };
    world.sendOk(gateway, anyOf(channels.MsgClaimVouchers, message));
    expect(chain.balance(gateway.address) - had).toBe(30n);
    expect([world.moduleBalance('settlement'), world.round()?.claimed]).toEqual([500n, '500']);
    world.sound();
  }
});

test('a round that is forgotten is in no list of its gateway', () => {
  const world = new SettlementWorld();
  world.register();
  world.claim([0, 1_260n]);
  world.settle(world.published());
  world.waitWindow();
  world.claim([0, 1_261n]);
  expect(world.round()).toBeUndefined();
  const types = { request: QueryRoundsRequest, response: QueryRoundsResponse };
  const gateway = world.gateway.address;
  const { rounds } = world.chain.query('/openledger.settlement.v1.Query/Rounds', types, { gateway });
  expect(rounds.map(({ id }) => id)).toEqual([2n]);
});
