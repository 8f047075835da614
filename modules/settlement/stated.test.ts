/** What a gateway states of its own model, and single places that epochs pay. */
import { expect, test } from 'vitest';
import { sha256 } from '../../core/hash.ts';
import { buildEpoch } from '../../gateway/epochs/build-epoch.ts';
import { openEpochFraud } from '../../gateway/epochs/open-fraud.ts';
import { openLeaves, type PublishedEpoch } from '../../gateway/epochs/published.ts';
import { PoolKind } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { MsgClaim } from '../../proto/gen/openledger/pools/v1/tx.ts';
import { EpochRule, PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { creditedTo, rowsPaid, wealthOf } from '../../test/support/earnings.ts';
import { registerModel, withdraw } from '../../test/support/economic-loop.ts';
import { registerRetrieval, SettlementWorld } from '../../test/support/settlement-world.ts';
import { anyOf, type TestAccount } from '../../test/support/test-chain.ts';
import { settlementErrors as errors } from './errors.ts';
import { encodeAttribution } from './proof/attribution.ts';
import type { WeightedPlace } from './proof/chain.ts';
import { encodeReceipt, RECEIPT_BYTES } from './proof/leaves.ts';

const CONTRIBUTORS = 630n;

/** A position of a Datanet's log, and its weight. */
function entry(index: number, weight: bigint, id = 1n): WeightedPlace {
  return { place: { kind: PlaceKind.PLACE_KIND_DATANET, id, level: 0, index }, weight };
}

/** A world in which model 2 is a retrieving one, of the gateway or of somebody else, and one call was claimed. */
function retrievalWorld(owner?: (world: SettlementWorld) => TestAccount): SettlementWorld {
  const world = new SettlementWorld();
  const account = owner?.(world) ?? world.gateway;
  world.sendOk(account, registerRetrieval(account));
  world.register();
  world.claim([0, 1_260n]);
  return world;
}

/** An epoch of one call of model 2, of which the gateway states so much of 10,000. */
function statedEpoch(
  world: SettlementWorld,
  entries: readonly WeightedPlace[],
  rowsMax = 100,
): PublishedEpoch {
  const stated = entries.reduce((sum, { weight }) => sum + weight, 0n);
  const bytes = encodeAttribution({ claimId: 0n, entries, unattributed: 10_000n - stated });
  const [bare] = world.receipts({ modelId: 2n, tokensIn: 500, tokensOut: 700 });
  if (bare === undefined) throw new RangeError('no receipt');
  return buildEpoch({
    receipts: {
      bytes: encodeReceipt({ ...bare, attribution: sha256(bytes) }),
      width: RECEIPT_BYTES,
      count: 1,
    },
    attribution: () => bytes,
    chain: world.watched(),
    rowsMax,
  });
}

/** The message that says that the attribution may not be stated. */
function disputeOf(world: SettlementWorld, epoch: PublishedEpoch) {
  const fraud = openEpochFraud(epoch, EpochRule.EPOCH_RULE_ATTRIBUTION, { index: 0 });
  return anyOf(wire.MsgDisputeEpoch, { challenger: world.watcher.address, epochId: 1n, fraud });
}

test('an owner states as much as the model’s retrieval part, and each position is paid its own', () => {
  const world = retrievalWorld();
  const epoch = statedEpoch(world, [entry(0, 500n), entry(1, 1_500n)]);
  world.settle(epoch);
  world.refused(world.watcher, disputeOf(world, epoch), errors['not-convicted']);
  world.waitWindow();
  expect(rowsPaid(world.chain, 1n)).toEqual([0, 1, 2, 3]);
  // 5 % and 15 % of 630 with largest remainders: the tie is the lower place's.
  expect([creditedTo(world.chain, 1n, 0n), creditedTo(world.chain, 1n, 1n)]).toEqual([32n, 94n]);
  expect(world.moduleBalance('settlement')).toBe(0n);
  world.sound();
});

test('who has withdrawn a contribution is paid whole for its position, and nothing of the Datanet', () => {
  const world = retrievalWorld();
  const { chain, loop } = world;
  world.sendOk(loop.first, withdraw(loop.first, 1n));
  // Weights change at the end of the pools' epoch.
  chain.block();
  const [first, second] = [wealthOf(chain, loop.first.address), wealthOf(chain, loop.second.address)];
  world.settle(statedEpoch(world, [entry(0, 2_000n)]));
  world.waitWindow();
  const stated = CONTRIBUTORS / 5n;
  expect(wealthOf(chain, loop.first.address)).toBe(first + stated);
  // 504 by a weight of 700 is no whole amount for each: the pool carries what is left of a unit.
  expect(wealthOf(chain, loop.second.address)).toBe(second + CONTRIBUTORS - stated - 1n);
  world.sound();
});

test.each([
  ['one above the limit', undefined, [entry(0, 2_001n)]],
  ['one above it over two positions', undefined, [entry(0, 1_000n), entry(1, 1_001n)]],
  ['a position that nobody has', undefined, [entry(2, 1n)]],
  ['a Datanet that the model does not draw on', undefined, [entry(0, 1n, 9n)]],
  ['the least, of a model of somebody else', (world: SettlementWorld) => world.watcher, [entry(0, 1n)]],
])('convicted is who states %s', (_, owner, entries) => {
  const world = retrievalWorld(owner);
  // No row is listed, so that places are not looked at at once.
  const epoch = statedEpoch(world, entries, 0);
  world.settle(epoch);
  world.sendOk(world.watcher, disputeOf(world, epoch));
  expect(world.epoch()).toBeUndefined();
  world.sound();
});

test('an entitlement of nobody is not paid, even when the epoch was not disputed', () => {
  const world = retrievalWorld();
  // Weighty enough for a unit.
  const epoch = statedEpoch(world, [entry(2, 100n)], 0);
  world.settle(epoch);
  world.waitWindow();
  const held = world.moduleBalance('settlement');
  const claim = (index: number) => {
    const opening = openLeaves(epoch.entitlements, [index]);
    const message = { sender: world.watcher.address, epochId: 1n, index, opening };
    return anyOf(wire.MsgClaimEntitlement, message);
  };
  // Places rise: the model, the position, the whole Datanet.
  world.refused(world.watcher, claim(1), errors['unknown-place']);
  world.sendOk(world.watcher, [claim(0), claim(2)]);
  expect([held, world.moduleBalance('settlement')]).toEqual([882n, 6n]);
  world.sound();
});

test('the row of a model pays its ancestors their basis points, which they claim', () => {
  const world = new SettlementWorld();
  const { chain } = world;
  const { first, second, owner } = world.loop;
  world.sendOk(first, registerModel(first, { royaltyBps: 1000 }));
  world.sendOk(second, registerModel(second, { parentIds: [2n], royaltyBps: 500 }));
  world.sendOk(owner, registerModel(owner, { parentIds: [2n, 3n] }));
  world.register();
  // 625 calls: 157,500 are the model's, as much for each basis point as the pool's scale can say.
  world.claim([0, 787_500n]);
  world.settle(world.published(world.receipts({ modelId: 4n, tokensIn: 500, tokensOut: 700 })));
  world.waitWindow();
  // 85 %; of model 3's 5 % a tenth is model 2's. Of ancestors' halves of a unit the pool keeps account.
  const shares = [
    [owner, 133_875n],
    [first, 16_537n],
    [second, 7_087n],
  ] as const;
  for (const [slot, [account, amount]] of shares.entries()) {
    const before = chain.balance(account.address);
    const pool = { kind: PoolKind.POOL_KIND_MODEL, subject: 4n };
    const pools = [{ pool, slots: [BigInt(slot)] }];
    world.sendOk(account, anyOf(MsgClaim, { owner: account.address, pools }));
    expect(chain.balance(account.address) - before).toBe(amount);
  }
  world.sound();
});
