import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { timeLimit } from './time-limit.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('ends when its time is over, no sooner', () => {
  const limit = timeLimit(50, new AbortController().signal);
  vi.advanceTimersByTime(49);
  expect([limit.signal.aborted, limit.isOver()]).toEqual([false, false]);
  vi.advanceTimersByTime(1);
  expect([limit.signal.aborted, limit.isOver()]).toEqual([true, true]);
  expect(limit.signal.reason).toMatchObject({ name: 'TimeoutError', message: 'not within 50 ms' });
});

test('whoever stops it gives the reason, and it was not the time', () => {
  const stop = new AbortController();
  const limit = timeLimit(50, stop.signal);
  stop.abort('stopped');
  vi.advanceTimersByTime(50);
  expect([limit.signal.reason, limit.isOver()]).toEqual(['stopped', false]);
});

test('one that was stopped before it began has ended', () => {
  expect(timeLimit(50, AbortSignal.abort('before')).signal.reason).toBe('before');
});

test('what has ended leaves no timer, and hears nobody', () => {
  const stop = new AbortController();
  const limit = timeLimit(50, stop.signal);
  limit.end();
  expect(vi.getTimerCount()).toBe(0);
  stop.abort();
  expect(limit.signal.aborted).toBe(false);
});
