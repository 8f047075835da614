import { expect, test } from 'vitest';
import { findEpochFraud, findSignedFraud } from '../../gateway/epochs/find-fraud.ts';
import { openEpochFraud } from '../../gateway/epochs/open-fraud.ts';
import type { PublishedEpoch } from '../../gateway/epochs/published.ts';
import { type EpochFraud, EpochRule } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { EpochState, type Params } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { sessionSigner } from '../../test/support/channels.ts';
import { BOND, SettlementWorld, WINDOW } from '../../test/support/settlement-world.ts';
import { wealthOf } from '../../test/support/earnings.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { receiptStatement } from './proof/receipt-statement.ts';
import { settlementErrors as errors } from './errors.ts';
import { encodeReceipt, type Receipt } from './proof/leaves.ts';

function claimedWorld(params: Partial<Params> = {}): SettlementWorld {
  const world = new SettlementWorld(params);
  world.register();
  world.claim([0, 2_620n], [1, 2_520n]);
  return world;
}

function disputeOf(world: SettlementWorld, fraud: EpochFraud, epochId = 1n): Any {
  return anyOf(wire.MsgDisputeEpoch, { challenger: world.watcher.address, epochId, fraud });
}

/** The i-th receipt, changed. */
function retold(receipts: readonly Receipt[], at: number, change: Partial<Receipt>): readonly Receipt[] {
  return receipts.map((receipt, i) => (i === at ? { ...receipt, ...change } : receipt));
}

test('a lie costs the bond; the money waits for a right epoch, which is paid', () => {
  const world = claimedWorld();
  const { watcher, chain, gateway } = world;
  const receipts = world.receipts();
  const { parts } = receipts[0] ?? { parts: undefined };
  if (parts === undefined) throw new RangeError('no receipt');
  const stolen = { ...parts, contributors: 0n, model: parts.model + parts.contributors };
  const lie = world.published(retold(receipts, 0, { parts: stolen }));
  const round = world.waiting();
  world.settle(lie);
  const fraud = findEpochFraud(lie, world.watched(round));
  expect(fraud?.rule).toBe(EpochRule.EPOCH_RULE_SPLIT);
  if (fraud === undefined) throw new RangeError('nothing found');
  world.refused(watcher, disputeOf(world, { ...fraud, index: 1 }), errors['not-convicted']);
  world.refused(watcher, disputeOf(world, fraud, 2n), errors['unknown-epoch']);
  const before = chain.balance(watcher.address);
  // In the last block of the window.
  const { finalHeight = 0n } = world.epoch() ?? {};
  while (chain.height + 1n < finalHeight) chain.block();
  const community = world.moduleBalance('distribution');
  world.sendOk(watcher, disputeOf(world, fraud));
  expect(chain.height).toBe(finalHeight);
  expect(chain.balance(watcher.address)).toBe(before + BOND / 2n);
  expect(world.moduleBalance('distribution')).toBe(community + BOND - BOND / 2n);
  expect(world.epoch()).toBeUndefined();
  expect(world.round()).toMatchObject({ claimed: '5140', epochId: 0n, closed: true });
  expect(world.moduleBalance('settlement')).toBe(5_140n);
  world.sound();
  // Claims that come later are of another round.
  world.claim([0, 2_630n]);
  expect(world.round(2n)?.claimed).toBe('10');
  const seller = wealthOf(chain, world.loop.seller.address);
  world.settle(world.published(receipts));
  world.waitWindow();
  expect(world.epoch(2n)?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  expect(wealthOf(chain, world.loop.seller.address)).toBe(seller + 4n * 252n);
  expect(gateway.address).toBe(world.epoch(2n)?.gateway);
  world.sound();
});

test('each kind of lie is held against what the chain knows: lanes, prices, models, splits', () => {
  const world = claimedWorld();
  const receipts = world.receipts();
  const [first, second] = receipts;
  if (first === undefined || second === undefined) throw new RangeError('no receipts');
  const cases: readonly (readonly [readonly Receipt[], EpochRule])[] = [
    [retold(receipts, 0, { tokensOut: 9_000 }), EpochRule.EPOCH_RULE_FEE],
    [retold(receipts, 2, { tokensOut: 1 }), EpochRule.EPOCH_RULE_FEE],
    [retold(receipts, 0, { channel: new Uint8Array(32) }), EpochRule.EPOCH_RULE_LANE],
    [[first, first, ...receipts.slice(2)], EpochRule.EPOCH_RULE_LANE],
  ];
  const round = world.waiting();
  const chain = world.watched(round);
  for (const [told, rule] of cases) {
    const lie = world.published(told);
    world.settle(lie);
    const fraud = findEpochFraud(lie, chain);
    expect(fraud?.rule).toBe(rule);
    if (fraud === undefined) throw new RangeError('nothing found');
    const [{ id } = { id: 0n }] = [...pending(world)];
    world.sendOk(world.watcher, disputeOf(world, fraud, id));
    world.sound();
  }
});

function pending(world: SettlementWorld): readonly { readonly id: bigint }[] {
  const ids = Array.from({ length: 9 }, (_, i) => BigInt(i + 1));
  return ids.flatMap((id) => world.epoch(id) ?? []);
}

test('an honest epoch is convicted by nothing', () => {
  const world = claimedWorld({ windowBlocks: 20 });
  const honest = world.published();
  const chain = world.watched();
  world.settle(honest);
  expect(findEpochFraud(honest, chain)).toBeUndefined();
  const rules = [
    EpochRule.EPOCH_RULE_LANE,
    EpochRule.EPOCH_RULE_FEE,
    EpochRule.EPOCH_RULE_SPLIT,
    EpochRule.EPOCH_RULE_ORDER,
    EpochRule.EPOCH_RULE_ALLOCATION,
    EpochRule.EPOCH_RULE_ROW,
  ];
  for (const rule of rules) {
    const fraud = openEpochFraud(honest, rule, { index: 1 });
    world.refused(world.watcher, disputeOf(world, fraud), errors['not-convicted']);
  }
  world.sound();
});

/** What the payer holds of a receipt, signed by a key of this name. */
function signedFraud(
  world: SettlementWorld,
  epoch: PublishedEpoch,
  { receipt, signer = 'receipts' }: { readonly receipt: Uint8Array; readonly signer?: string },
): EpochFraud {
  const statement = receiptStatement(world.chain.chainId, world.gateway.address, receipt);
  const signature = sessionSigner(signer).sign(statement);
  const index = 0;
  return openEpochFraud(epoch, EpochRule.EPOCH_RULE_SIGNED, { index, receipt, signature });
}

test('a receipt that the gateway signed and states otherwise convicts; what it did not sign does not', () => {
  const world = claimedWorld();
  const receipts = world.receipts();
  const [first] = receipts;
  if (first === undefined) throw new RangeError('no receipts');
  const epoch = world.published(receipts);
  const chain = world.watched();
  world.settle(epoch);
  const told = encodeReceipt({ ...first, responseHash: new Uint8Array(32).fill(9) });
  const refused = (fraud: EpochFraud) =>
    world.refused(world.watcher, disputeOf(world, fraud), errors['not-convicted']);
  refused(signedFraud(world, epoch, { receipt: told, signer: 'another' }));
  refused(signedFraud(world, epoch, { receipt: encodeReceipt(first) }));
  const fraud = signedFraud(world, epoch, { receipt: told });
  expect(findSignedFraud(epoch, chain, fraud)).toEqual(fraud);
  world.sendOk(world.watcher, disputeOf(world, fraud));
  expect(world.round()?.epochId).toBe(0n);
  world.sound();
});

test('a dispute costs by its size, before anything is hashed', () => {
  const world = new SettlementWorld({ gasPerHash: 1_000_000, windowBlocks: WINDOW });
  world.register();
  world.claim([0, 2_620n]);
  const epoch = world.published();
  world.settle(epoch);
  const fraud = openEpochFraud(epoch, EpochRule.EPOCH_RULE_FEE, { index: 0 });
  const result = world.send(world.watcher, disputeOf(world, fraud));
  expect([result.codespace, result.code]).toEqual(['sdk', 11]);
  expect(result.log).toContain('settlement hashes');
});
