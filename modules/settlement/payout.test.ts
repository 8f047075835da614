import { expect, test } from 'vitest';
import { sha256 } from '../../core/hash.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { SettlementWorld, WINDOW } from '../../test/support/settlement-world.ts';
import { FORGOTTEN_PER_BLOCK_MAX } from './end-block.ts';
import { settlementErrors as errors } from './errors.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { EpochFraud } from '../../proto/gen/openledger/settlement/v1/epoch.ts';

test('an epoch of many rows is paid in portions; what is not paid is still held', () => {
  const world = new SettlementWorld();
  world.register();
  world.claim([0, 500n]);
  const honest = world.published();
  const place = { kind: PlaceKind.PLACE_KIND_MODEL, id: 1n, level: 0, index: 0 };
  const rows = Array.from({ length: 100 }, (_, i) => ({ place, end: i + 1, amount: 5n }));
  const root = sha256(Uint8Array.of(1));
  const commitment = {
    receipts: { ...honest.commitment.receipts, sums: [0n, 500n, 0n, 0n] },
    allocations: { root, leaves: 100, sums: [500n] },
    rows,
    entitlements: { root: new Uint8Array(0), leaves: 0, sums: [] },
  };
  // Nobody disputes it here: it is a lie.
  world.settle({ ...honest, commitment });
  const before = world.chain.balance(world.loop.seller.address);
  world.waitWindow();
  // 8 units for the epoch, 32 for each row of a model, until 2,000 are done.
  expect(world.epoch()).toMatchObject({ state: EpochState.EPOCH_STATE_PAYING, paidRows: 63 });
  expect(world.chain.balance(world.loop.seller.address)).toBe(before + 63n * 5n);
  world.sound();
  const dispute = { challenger: world.watcher.address, epochId: 1n, fraud: EpochFraud.create({}) };
  world.refused(world.watcher, anyOf(wire.MsgDisputeEpoch, dispute), errors['window-over']);
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  expect(world.chain.balance(world.loop.seller.address)).toBe(before + 500n);
  expect(world.moduleBalance('settlement')).toBe(0n);
  world.sound();
});

test('lanes of a round that was paid are forgotten in portions, then the round', () => {
  const world = new SettlementWorld();
  world.register();
  const lanes = FORGOTTEN_PER_BLOCK_MAX + 5;
  world.claim(...Array.from({ length: lanes }, (_, lane) => [lane, 1n] as const));
  world.settle(world.published());
  world.waitWindow(WINDOW);
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  expect(world.round()).toBeDefined();
  world.sound();
  world.chain.block();
  expect(world.round()).toBeUndefined();
  world.sound();
});
