import { expect, test } from 'vitest';
import { sha256 } from '../../core/hash.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { SettlementWorld, WINDOW } from '../../test/support/settlement-world.ts';
import { FORGOTTEN_PER_BLOCK_MAX } from './end-block.ts';
import { settlementErrors as errors } from './errors.ts';
import { rowsPaid, wealthOf } from '../../test/support/earnings.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { EpochFraud } from '../../proto/gen/openledger/settlement/v1/epoch.ts';

test('epochs of many rows that are due at once are paid in portions; what is not paid is still held', () => {
  const rowsMax = 1_024;
  const world = new SettlementWorld({ rowsMax });
  world.register();
  world.claim([0, 1_024n]);
  const honest = world.published();
  const place = { kind: PlaceKind.PLACE_KIND_MODEL, id: 1n, level: 0, index: 0 };
  const root = sha256(Uint8Array.of(1));
  const commitment = {
    receipts: { ...honest.commitment.receipts, sums: [0n, 1_024n, 0n, 0n] },
    allocations: { root, leaves: rowsMax, sums: [1_024n] },
    rows: Array.from({ length: rowsMax }, (_, i) => ({ place, end: i + 1, amount: 1n })),
    entitlements: { root: new Uint8Array(0), leaves: 0, sums: [] },
  };
  const lie = (roundId: bigint) => world.settlement({ ...honest, commitment }, { roundId });
  const before = wealthOf(world.chain, world.loop.seller.address);
  // Nobody disputes them here: they are lies, of two rounds, in one transaction.
  world.sendOk(world.gateway, [lie(1n), world.claiming([0, 2_048n]), lie(2n)], 20_000_000n);
  world.waitWindow();
  // 8 units for each epoch and 1 for each row, until 2,000 are done.
  expect(world.epoch(1n)?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  expect(world.epoch(2n)).toMatchObject({ state: EpochState.EPOCH_STATE_PAYING, paidRows: 960 });
  expect(wealthOf(world.chain, world.loop.seller.address)).toBe(before + 1_024n + 960n);
  world.sound();
  const dispute = { challenger: world.watcher.address, epochId: 2n, fraud: EpochFraud.create({}) };
  world.refused(world.watcher, anyOf(wire.MsgDisputeEpoch, dispute), errors['window-over']);
  expect(world.epoch(2n)?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  expect(rowsPaid(world.chain, 2n)).toEqual(commitment.rows.map((_, i) => i));
  expect(wealthOf(world.chain, world.loop.seller.address)).toBe(before + 2_048n);
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
