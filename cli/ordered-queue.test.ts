import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderedQueue } from './ordered-queue.ts';

describe('ordered queue', () => {
  it('keeps the order of arrival whatever becomes ready first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 40 }), async (turns) => {
        const queue = new OrderedQueue();
        const done: number[] = [];
        await Promise.all(
          turns.map((turn, i) => queue.run(turn === 0 ? undefined : turnsOf(turn), () => done.push(i))),
        );
        expect(done).toEqual(turns.map((_, i) => i));
      }),
    );
  });

  it('hands on what the work throws and goes on', async () => {
    const queue = new OrderedQueue();
    const failing = queue.run(undefined, () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await queue.run(undefined, () => 7)).toBe(7);
  });
});

async function turnsOf(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}
