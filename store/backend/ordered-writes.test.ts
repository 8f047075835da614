import { expect, test } from 'vitest';
import { OrderedWrites } from './ordered-writes.ts';

test('a write begins when those before have ended, also when one of them failed', async () => {
  const writes = new OrderedWrites();
  const log: string[] = [];
  let endFirst: () => void = () => undefined;
  const first = writes.run(() => {
    log.push('first begins');
    return new Promise((resolve) => {
      endFirst = () => {
        log.push('first ends');
        resolve();
      };
    });
  });
  const second = writes.run(() => Promise.reject(new Error('no space left')));
  const third = writes.run(async () => void log.push('third'));
  const failed = expect(second).rejects.toThrow('no space left');
  await new Promise((resolve) => setImmediate(resolve));
  expect(log).toEqual(['first begins']);
  endFirst();
  await Promise.all([first, failed, third]);
  await writes.idle();
  expect(log).toEqual(['first begins', 'first ends', 'third']);
});
