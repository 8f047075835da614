import { expect, test } from 'vitest';
import { TextRoom } from './text-room.ts';

test('texts that are held together never have more bytes than there is room for; each has its turn', async () => {
  const room = new TextRoom({ bytesMax: 10 });
  let held = 0;
  let most = 0;
  const turns: number[] = [];
  const hold = (bytes: number): Promise<void> =>
    room.hold(bytes, async () => {
      held += bytes;
      most = Math.max(most, held);
      turns.push(bytes);
      await new Promise((resolve) => setImmediate(resolve));
      held -= bytes;
      if (bytes === 6) throw new Error('no');
    });
  const sizes = [4, 6, 1, 10, 0, 9, 1];
  const results = await Promise.allSettled(sizes.map(hold));
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect([turns, most, held]).toEqual([sizes, 10, 0]);
});
