import { describe, expect, it } from 'vitest';
import { settleWithin } from './settle-within.ts';

describe('waiting for a bounded time', () => {
  it('ends with what it waits for, also when that fails', async () => {
    expect(await settleWithin(Promise.resolve(1), 60_000)).toBe(true);
    expect(await settleWithin(Promise.reject(new Error('late')), 60_000)).toBe(true);
  });

  it('ends when the time is over', async () => {
    expect(await settleWithin(new Promise(() => undefined), 1)).toBe(false);
  });
});
