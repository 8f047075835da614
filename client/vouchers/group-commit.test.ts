import { expect, test } from 'vitest';
import { LedgerError } from '../../core/errors.ts';
import { GroupCommit } from './group-commit.ts';

/** A disk whose writes end when they are told to. */
function disk() {
  const batches: (readonly number[])[] = [];
  const ends: { readonly done: () => void; readonly fail: () => void }[] = [];
  const commit = new GroupCommit<number>({
    write: (items) => {
      batches.push(items);
      return new Promise((resolve, reject) => {
        ends.push({ done: resolve, fail: () => reject(new Error('the disk is full')) });
      });
    },
    failed: (cause) => new LedgerError('test.disk', 'nothing is durable', {}, cause),
  });
  return { commit, batches, ends };
}

/** Lets go on whatever can. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('what comes while the disk is busy goes to it together, in order', async () => {
  const { commit, batches, ends } = disk();
  const log: number[] = [];
  const add = (item: number): void => void commit.add(item).then(() => log.push(item));
  for (const item of [1, 2]) add(item);
  await settle();
  for (const item of [3, 4, 5]) add(item);
  await settle();
  expect([batches, log]).toEqual([[[1, 2]], []]);
  ends[0]?.done();
  await settle();
  expect([batches, log]).toEqual([
    [
      [1, 2],
      [3, 4, 5],
    ],
    [1, 2],
  ]);
  let isIdle = false;
  const idle = commit.idle().then(() => {
    isIdle = true;
  });
  await settle();
  expect(isIdle).toBe(false);
  ends[1]?.done();
  await idle;
  expect(log).toEqual([1, 2, 3, 4, 5]);
});

test('a failed write refuses what was in it, what waits behind it and all that comes later', async () => {
  const { commit, batches, ends } = disk();
  const first = commit.add(1);
  await settle();
  const second = commit.add(2);
  expect(commit.failure).toBeUndefined();
  ends[0]?.fail();
  const told = { code: 'test.disk', cause: new Error('the disk is full') };
  await expect(first).rejects.toMatchObject(told);
  await expect(second).rejects.toMatchObject(told);
  await expect(commit.add(3)).rejects.toMatchObject(told);
  expect([batches, commit.failure?.code]).toEqual([[[1]], 'test.disk']);
  await commit.idle();
});
