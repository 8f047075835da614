import { expect, test } from 'vitest';
import { LedgerError } from '../../core/errors.ts';
import { answered, GatewayWorld } from '../../test/support/gateway-world.ts';
import { type BuildOrder, EpochBuilder } from '../epochs/build-aside.ts';

/** A gateway that has claimed one answer, and whose epochs are built when a test says so. */
async function withSlowBuilder() {
  const gateway = await GatewayWorld.start();
  const here = new EpochBuilder();
  let build: (failure?: Error) => void = () => undefined;
  let isAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const builder = {
    async build(order: BuildOrder) {
      const waiting = new Promise<void>((resolve, reject) => {
        build = (failure) => (failure === undefined ? resolve() : reject(failure));
      });
      isAsked();
      await waiting;
      return await here.build(order);
    },
  };
  const process = await gateway.process({ builder });
  await process.settler.observe();
  answered(await gateway.buy(process.desk, 0, 'a'));
  return { gateway, asked, build: (failure?: Error) => build(failure), ...process };
}

test('requests are answered while an epoch is built, and are of the next one', async () => {
  const { gateway, asked, build, desk, settler, receipts } = await withSlowBuilder();
  const round = settler.round();
  await asked;
  for (const lane of [0, 1]) answered(await gateway.buy(desk, lane, `while it is built ${lane}`));
  expect(gateway.world.epoch()).toBeUndefined();
  build();
  await round;
  expect(gateway.world.epoch()?.commitment.receipts.leaves).toBe(1);
  expect(receipts.count).toBe(2);
  await (await gateway.process()).settler.round();
  expect(gateway.world.epoch(2n)?.commitment.receipts.leaves).toBe(2);
  expect(gateway.alarms).toEqual([]);
});

test('an epoch that could not be built is said why of, and built in the next round', async () => {
  const { gateway, asked, build, settler } = await withSlowBuilder();
  const round = settler.round();
  await asked;
  build(new LedgerError('gateway.build', 'its thread ended (no more memory)'));
  await expect(round).rejects.toThrow('no more memory');
  expect([gateway.world.epoch(), gateway.disks.files.size]).toEqual([undefined, 0]);
  await (await gateway.process()).settler.round();
  expect(gateway.world.epoch()?.commitment.receipts.leaves).toBe(1);
});

test('an epoch that is asked for again while it is built is not built twice', async () => {
  const gateway = await GatewayWorld.start();
  const first = await gateway.process();
  await first.settler.observe();
  for (const prompt of ['a', 'b', 'c', 'd']) {
    await gateway.buy(first.desk, 0, prompt);
    await first.settler.round();
  }
  let built = 0;
  const here = new EpochBuilder();
  const builder = {
    build(order: BuildOrder) {
      built++;
      return here.build(order);
    },
  };
  const { epochs } = await gateway.process({ builder });
  const asked = [1n, 2n, 3n, 4n, 1n, 2n].map((round) => epochs.ofRound(round));
  const [one, two, , , again, twice] = await Promise.all(asked);
  expect(again === one && twice === two).toBe(true);
  expect(built).toBe(4);
  // Only those that were asked for last stay.
  await epochs.ofRound(2n);
  expect(built).toBe(4);
  await epochs.ofRound(4n);
  expect(built).toBe(5);
});
