import { expect, it } from 'vitest';
import { UpgradeError } from '../modules/upgrade/errors.ts';
import { Plan } from '../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import { upgradeWatch } from './upgrade-watch.ts';

it('a node that cannot make the next block ends after a while, once, and says why', () => {
  const needed = new UpgradeError('upgrade.needed', 'UPGRADE "v2" NEEDED', Plan.create({ name: 'v2' }));
  let isDue = false;
  const timers: { readonly ms: number; readonly run: () => void }[] = [];
  const failures: unknown[] = [];
  const watch = upgradeWatch(
    {
      requireProgram: () => {
        if (isDue) throw needed;
      },
      fail: (error) => failures.push(error),
      after: (ms, run) => timers.push({ ms, run }),
    },
    200,
  );
  watch();
  expect(timers).toEqual([]);
  isDue = true;
  watch();
  watch();
  expect(timers.map(({ ms }) => ms)).toEqual([10_200]);
  expect(failures).toEqual([]);
  timers[0]?.run();
  expect(failures).toEqual([needed]);
});

it('another failure is nobody’s upgrade', () => {
  const requireProgram = (): never => {
    throw new RangeError('broken');
  };
  const watch = upgradeWatch({ requireProgram, fail: () => undefined, after: () => undefined }, 0);
  expect(watch).toThrow('broken');
});
