import { expect, test } from 'vitest';
import { defined } from '../../core/errors.ts';
import { MsgDisputeEpoch } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { answered, GatewayWorld } from '../../test/support/gateway-world.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { findSignedFraud } from '../epochs/find-fraud.ts';

/** What each answer costs: see serve.test.ts. */
const FEE = 1_016n;

/** A gateway that has lost what it signed of one lane, and not of another. */
async function withLostReceipts() {
  const gateway = await GatewayWorld.start();
  const { desk, settler } = await gateway.process();
  await settler.observe();
  const { receipt, signature } = answered(await gateway.buy(desk, 0, 'a'));
  await gateway.disks.receipts.replace(new Uint8Array(0));
  const next = await gateway.process();
  await next.settler.observe();
  answered(await gateway.buy(next.desk, 1, 'b'));
  return { gateway, receipt, signature, ...next };
}

test('a round of which receipts were lost waits, and that is said once', async () => {
  const { gateway, settler } = await withLostReceipts();
  const { world } = gateway;
  for (let i = 0; i < 3; i++) await settler.round();
  expect([world.round(1n)?.claimed, world.epoch()]).toEqual([`${2n * FEE}`, undefined]);
  expect(settler.heldRounds).toBe(1);
  expect(gateway.alarms).toEqual([expect.stringContaining('the round waits')]);
  expect((await gateway.process()).settler.heldRounds).toBe(0);
});

test('told to, it states a round of which receipts were lost: that part is the platform’s', async () => {
  const { gateway, receipts } = await withLostReceipts();
  const { world } = gateway;
  const { settler, epochs } = await gateway.process({ stateUncovered: true });
  await settler.round();
  const leaf = defined(receipts.last(world.channel, 1), 'receipt').receipt;
  const { sums } = defined(world.epoch(), 'epoch').commitment.receipts;
  const { platform, ...others } = leaf.parts;
  expect(sums).toEqual([FEE + platform, others.model, others.stakers, others.contributors]);
  expect((await epochs.ofRound(1n)).receipts.tree.leaves).toBe(2);
  expect(settler.heldRounds).toBe(0);
  expect(gateway.alarms).toEqual([expect.stringContaining('the bond is lost if somebody shows one')]);
});

test('who shows a receipt that was lost convicts an epoch without it', async () => {
  const { gateway, receipt, signature } = await withLostReceipts();
  const { world } = gateway;
  const { settler, epochs } = await gateway.process({ stateUncovered: true });
  await settler.round();
  const chain = world.watched(defined(world.round(1n), 'round'));
  const fraud = findSignedFraud(await epochs.ofRound(1n), chain, { receipt, signature });
  world.sendOk(
    world.watcher,
    anyOf(MsgDisputeEpoch, { challenger: world.watcher.address, epochId: 1n, fraud }),
  );
  expect(world.epoch()).toBeUndefined();
});
