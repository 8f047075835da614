import { expect, test } from 'vitest';
import * as channels from '../../proto/gen/openledger/channels/v1/tx.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { channelErrors } from '../channels/errors.ts';
import { openLeaves, type PublishedEpoch } from '../../gateway/epochs/published.ts';
import { restoreChain } from '../../test/support/restore.ts';
import { BOND, SettlementWorld, WINDOW } from '../../test/support/settlement-world.ts';
import { rowsPaid, wealthOf } from '../../test/support/earnings.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { settlementErrors as errors } from './errors.ts';

/** A call of model 1 with 500 tokens in and 700 out costs 1,260: 126, 252, 252 and 630. */
const CALLS = 4n;
const CLAIMED = 5_140n;

/** Two lanes were claimed: four calls, and a hundred that nobody was served for. */
function claimedWorld(rowsMax?: number): SettlementWorld {
  const world = new SettlementWorld(rowsMax === undefined ? {} : { rowsMax });
  world.register();
  world.claim([0, 2_620n], [1, 2_520n]);
  return world;
}

test('what is claimed to the router waits under the gateway’s name, by lane, until an epoch is final', () => {
  const world = claimedWorld();
  const { chain, gateway } = world;
  expect(world.round()).toMatchObject({ gateway: gateway.address, denom: 'uopen', claimed: '5140' });
  world.claim([0, 2_621n]);
  expect(world.round()?.claimed).toBe('5141');
  expect(world.moduleBalance('settlement')).toBe(5_141n);
  world.sound();
  const [seller, before] = [wealthOf(chain, world.loop.seller.address), chain.balance(gateway.address)];
  const pools = world.moduleBalance('pools');
  const stakers = world.moduleBalance('fee_collector');
  world.settle(world.published());
  expect(chain.balance(gateway.address)).toBe(before - BOND);
  expect(world.epoch()).toMatchObject({ state: EpochState.EPOCH_STATE_PENDING, roundId: 1n });
  world.claim([0, 2_700n]);
  expect(world.round(2n)).toMatchObject({ claimed: '79', closed: false });
  world.waitWindow(WINDOW - 2);
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_PENDING);
  world.sound();
  const payout = chain.block();
  const rows = payout.events.filter(({ type }) => type === 'pay_row');
  expect(rows.map(({ attributes }) => attributes.slice(0, 3).map(({ value }) => value))).toEqual([
    ['1', '1/1/0/0', '1008uopen'],
    ['1', '2/1/255/2', '2520uopen'],
  ]);
  const credits = payout.events.filter(({ type }) => type === 'pool_credit');
  const told = (key: string) =>
    credits.map(({ attributes }) => attributes.find((pair) => pair.key === key)?.value);
  expect(told('pool')).toEqual(['model/1', 'datanet/1']);
  expect([told('receipt_id'), told('epoch_id'), told('epoch_row')]).toEqual([
    ['0', '0'],
    ['1', '1'],
    ['0', '1'],
  ]);
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  expect(chain.balance(gateway.address)).toBe(before);
  expect(wealthOf(chain, world.loop.seller.address)).toBe(seller + CALLS * 252n);
  expect(world.moduleBalance('pools')).toBe(pools + CALLS * (252n + 630n));
  expect(world.moduleBalance('fee_collector')).toBe(stakers + CALLS * 252n);
  expect(world.moduleBalance('settlement')).toBe(79n);
  expect(world.round()).toBeUndefined();
  world.sound();
});

test('a gateway registers once, with an ed25519 key; its endpoint can change', () => {
  const world = new SettlementWorld({ endpointBytesMax: 30 });
  const { gateway } = world;
  const long = `https://${'a'.repeat(30)}`;
  for (const change of [{ receiptKey: new Uint8Array(31) }, { endpoint: 'ftp://x' }, { endpoint: long }])
    world.refused(gateway, world.registration(change), errors.malformed);
  const update = { gateway: gateway.address, endpoint: 'http://b.example' };
  world.refused(gateway, anyOf(wire.MsgUpdateGateway, update), errors['unknown-gateway']);
  world.register();
  world.refused(gateway, world.registration(), errors['gateway-exists']);
  world.sendOk(gateway, anyOf(wire.MsgUpdateGateway, update));
  world.refused(gateway, anyOf(wire.MsgUpdateGateway, { ...update, endpoint: long }), errors.malformed);
});

test('an epoch that could not be right is refused at once', () => {
  const world = claimedWorld(2);
  const { gateway, watcher } = world;
  const honest = world.published();
  const { commitment } = honest;
  const settle = (change: Partial<wire.MsgSettleEpoch>) => world.settlement(honest, change);
  const changed = (change: Partial<PublishedEpoch['commitment']>) =>
    settle({ commitment: { ...commitment, ...change } });
  const [row] = commitment.rows;
  if (row === undefined) throw new RangeError('no row');
  const other = { gateway: watcher.address };
  world.refused(watcher, settle(other), errors['unknown-gateway']);
  world.sendOk(watcher, world.registration(other));
  world.refused(watcher, settle(other), errors['not-owner']);
  world.refused(gateway, settle({ roundId: 9n }), errors['unknown-round']);
  for (const bond of [
    { denom: 'uopen', amount: `${BOND - 1n}` },
    { denom: 'uusd', amount: `${BOND}` },
    { denom: 'uopen', amount: '-1' },
  ])
    world.refused(gateway, settle({ bond }), errors['wrong-bond']);
  world.refused(gateway, changed({ rows: [row, row, row] }), errors['too-many-rows']);
  world.refused(gateway, changed({ rows: [row] }), errors['does-not-add-up']);
  for (const place of [
    { kind: PlaceKind.PLACE_KIND_MODEL, id: 7n, level: 0, index: 0 },
    { kind: PlaceKind.PLACE_KIND_DATANET, id: 7n, level: 255, index: 1 },
    // As many positions as there are not.
    { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 255, index: 3 },
    { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index: 2 },
  ]) {
    const rows = commitment.rows.map((one, i) => (i === 1 ? { ...one, place } : one));
    world.refused(gateway, changed({ rows }), errors['unknown-place']);
  }
  world.claim([0, 2_630n]);
  world.refused(gateway, settle({}), errors['does-not-add-up']);
  world.settle(world.published());
  world.refused(gateway, settle({ roundId: 1n, commitment }), errors['round-settled']);
  world.sound();
});

test('credits tell entitlements from listed rows by their numbers', () => {
  const world = claimedWorld();
  const epoch = world.published(world.receipts(), 1);
  world.settle(epoch);
  world.waitWindow();
  expect(rowsPaid(world.chain, 1n)).toEqual([0]);
  const opening = openLeaves(epoch.entitlements, [0]);
  const claim = { sender: world.watcher.address, epochId: 1n, index: 0, opening };
  world.sendOk(world.watcher, anyOf(wire.MsgClaimEntitlement, claim));
  expect(rowsPaid(world.chain, 1n)).toEqual([0, 1]);
  world.sound();
});

test('rows that an epoch does not list are paid when they are shown, each once, and only then', () => {
  const world = claimedWorld();
  const { watcher, chain } = world;
  const epoch = world.published(world.receipts(), 0);
  const claim = (index: number, opened = index, epochId = 1n) =>
    anyOf(wire.MsgClaimEntitlement, {
      sender: watcher.address,
      epochId,
      index,
      opening: openLeaves(epoch.entitlements, [opened]),
    });
  world.settle(epoch);
  world.refused(watcher, claim(0), errors['not-final']);
  world.refused(watcher, claim(0, 0, 2n), errors['unknown-epoch']);
  world.waitWindow();
  expect(world.moduleBalance('settlement')).toBe(CALLS * (252n + 630n));
  const before = wealthOf(chain, world.loop.seller.address);
  world.refused(watcher, claim(0, 1), errors['wrong-opening']);
  world.refused(watcher, claim(2, 1), errors['wrong-opening']);
  world.sendOk(watcher, claim(0));
  expect(wealthOf(chain, world.loop.seller.address)).toBe(before + CALLS * 252n);
  world.refused(watcher, claim(0), errors['already-claimed']);
  world.sound();
  const pools = world.moduleBalance('pools');
  world.sendOk(watcher, claim(1));
  expect(world.moduleBalance('pools')).toBe(pools + CALLS * 630n);
  expect(world.epoch()?.unclaimed).toBe('0');
  expect(world.moduleBalance('settlement')).toBe(0n);
  world.sound();
});

test('a closing pays the router nothing: what it gets is of lanes', () => {
  const world = claimedWorld();
  const { gateway } = world;
  const closeBefore = world.chain.time + 100n;
  const close = (total: bigint) =>
    anyOf(channels.MsgCloseChannel, {
      sender: gateway.address,
      channelId: world.channel,
      total: `${total}`,
      closeBefore,
      consent: undefined,
    });
  const log = world.refused(gateway, close(CLAIMED + 1n), channelErrors.invalidAgreement);
  expect(log).toContain('claim by vouchers first');
  world.sendOk(gateway, close(CLAIMED));
  expect(world.moduleBalance('channels')).toBe(0n);
  // The receipts of a channel that is closed are settled all the same.
  world.settle(world.published());
  world.waitWindow();
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  world.sound();
});

test('a chain goes on from its export: rounds that wait, epochs in their window, entitlements', () => {
  const world = claimedWorld();
  world.settle(world.published(world.receipts(), 1));
  world.claim([3, 77n]);
  const app = restoreChain(world.chain);
  expect(app.brokenInvariants()).toEqual([]);
  const { settlement } = world.chain.app.exportState({}).appState;
  expect(app.exportState({}).appState['settlement']).toEqual(settlement);
});
