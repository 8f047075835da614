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
