import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('begin in the order in which they came, never more than may run, and turn away only when so many wait', () => {
  const limit = fc.integer({ min: 0, max: 4 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      limit,
      fc.array(fc.boolean()),
      (runningMax, waitingMax, moves) => {
        const turns = new Turns({ runningMax, waitingMax });
        const begun: number[] = [];
        const admitted: number[] = [];
        let left = 0;
        for (const [i, comes] of moves.entries()) {
          if (comes) {
            const isFull = turns.running === runningMax && turns.waiting === waitingMax;
            const entered = turns.enter(() => begun.push(i));
            expect(entered).toBe(!isFull);
            if (entered) admitted.push(i);
          } else if (begun.length > left) {
            turns.leave();
            left++;
          }
          expect(begun).toEqual(admitted.slice(0, begun.length));
          expect(turns.running).toBe(begun.length - left);
          expect(turns.running).toBe(Math.min(runningMax, admitted.length - left));
          expect(turns.waiting).toBe(admitted.length - begun.length);
        }
      },
    ),
  );
});

test('who rejoins goes before those that have not begun, and is not turned away', () => {
  const turns = new Turns({ runningMax: 1, waitingMax: 1 });
  const begun: string[] = [];
  const enter = (name: string): boolean => turns.enter(() => begun.push(name));
  expect([enter('a'), enter('b'), enter('c')]).toEqual([true, true, false]);
  turns.leave();
  turns.rejoin(() => begun.push('a again'));
  expect([turns.running, turns.waiting, enter('d')]).toEqual([1, 1, true]);
  expect(enter('e')).toBe(false);
  turns.leave();
  expect(begun).toEqual(['a', 'b', 'a again']);
  turns.leave();
  turns.leave();
  expect([begun.at(-1), turns.running, turns.waiting]).toEqual(['d', 0, 0]);
  turns.rejoin(() => begun.push('b again'));
  expect([begun.at(-1), turns.running]).toEqual(['b again', 1]);
});
