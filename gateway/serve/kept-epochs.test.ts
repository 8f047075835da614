import { expect, test } from 'vitest';
import { concatBytes } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { EpochCommitment } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { answered, GatewayWorld } from '../../test/support/gateway-world.ts';
import { RECORDS } from './receipt-log.ts';
import { framesOf, goodFrames, type LogRecord } from './record-log.ts';

/** Writes the file of the first round anew, whole, with other records. */
function rewrite({ disks }: GatewayWorld, change: (record: LogRecord) => readonly LogRecord[]): void {
  const [[name, bytes]] = [...disks.files] as [[string, Uint8Array]];
  const records = [...goodFrames(bytes)].flatMap((frame) => [...frame.records()]);
  disks.files.set(name, concatBytes(...framesOf(records.flatMap(change))));
}

test('an epoch that is built again has to be the one that was stated', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler } = await gateway.process();
  await settler.observe();
  for (const prompt of ['a', 'b']) answered(await gateway.buy(desk, 0, prompt));
  await settler.round();
  const stated = defined(gateway.world.epoch(), 'epoch').commitment;
  const reopened = async () => (await gateway.process()).epochs.ofRound(1n);
  // Written by the same means without a change it is taken.
  rewrite(gateway, (record) => [record]);
  expect((await reopened()).commitment).toEqual(stated);
  const lost = { code: 'gateway.lost_epoch', message: expect.stringContaining('another commitment') };
  const [first = 0n, ...rest] = stated.receipts.sums;
  for (const receipts of [
    { ...stated.receipts, sums: [first + 1n, ...rest] },
    { ...stated.receipts, root: new Uint8Array(32) },
  ]) {
    const content = EpochCommitment.encode({ ...stated, receipts });
    rewrite(gateway, (record) => [record.kind === RECORDS.commitment ? { ...record, content } : record]);
    await expect(reopened()).rejects.toMatchObject(lost);
  }
  const content = EpochCommitment.encode(stated);
  rewrite(gateway, (record) => [record.kind === RECORDS.commitment ? { ...record, content } : record]);
  expect((await reopened()).commitment).toEqual(stated);
  let isFirst = true;
  rewrite(gateway, (record) => {
    const isDropped = record.kind === RECORDS.receipt && isFirst;
    if (isDropped) isFirst = false;
    return isDropped ? [] : [record];
  });
  await expect(reopened()).rejects.toMatchObject(lost);
});
