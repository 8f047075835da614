import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from './network.ts';
import { RateMeter } from './rate.ts';
import { PeerScores } from './scores.ts';
import { SendQueue } from './sendqueue.ts';
import { VirtualTimers } from './timers.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test('a queue refuses what does not fit and keeps the order of what it took', () => {
  const queue = new SendQueue(5);
  expect([queue.push(bytes(1, 2)), queue.push(bytes(3, 4, 5)), queue.push(bytes(6))]).toEqual([
    true,
    true,
    false,
  ]);
  expect(queue.bytes).toBe(5);
  expect(queue.take(4)).toEqual(bytes(1, 2));
  expect(queue.push(bytes(6, 7))).toBe(true);
  expect(queue.take(100)).toEqual(bytes(3, 4, 5, 6, 7));
  expect(queue.take(100)).toBeUndefined();
});

test('one frame larger than the queue passes, alone', () => {
  const queue = new SendQueue(2);
  expect(queue.push(bytes(1, 2, 3))).toBe(true);
  expect(queue.push(bytes(4))).toBe(false);
  expect(queue.take(1)).toEqual(bytes(1, 2, 3));
});

test('points add up to a ban, fade with time, and a ban ends', async () => {
  const timers = new VirtualTimers();
  const scores = new PeerScores(timers, { banMs: 1_000, banMaxMs: 1_000, decayPerSecond: 10 });
  expect(scores.book('a', 60)).toBe(false);
  await timers.advance(3_000);
  expect(scores.book('a', 60)).toBe(false);
  expect(scores.isBanned('a')).toBe(false);
  expect(scores.book('a', 60)).toBe(true);
  expect(scores.isBanned('a')).toBe(true);
  expect(scores.isBanned('b')).toBe(false);
  await timers.advance(1_001);
  expect(scores.isBanned('a')).toBe(false);
});

test('a peer that repeats itself is banned for longer, up to a limit; one that behaves begins anew', async () => {
  const timers = new VirtualTimers();
  const scores = new PeerScores(timers, { banMs: 1_000, banMaxMs: 5_000, decayPerSecond: 10 });
  const lasts: number[] = [];
  for (let ban = 0; ban < 4; ban++) {
    scores.book('a', 100, 'again');
    lasts.push(scores.standing('a').bannedForMs);
    await timers.advance(5_001);
  }
  expect(lasts).toEqual([1_000, 2_000, 4_000, 5_000]);
  await timers.advance(30_000);
  scores.book('a', 100, 'again');
  expect(scores.bans()).toEqual([{ peerId: 'a', reason: 'again', remainingMs: 1_000, times: 1 }]);
});

test('a flood of new peers does not push bans out', () => {
  const scores = new PeerScores(new VirtualTimers(), { banMs: 1_000, banMaxMs: 5_000, decayPerSecond: 10 });
  scores.book('banned', 100, 'x');
  for (let peer = 0; peer < 10_000; peer++) scores.book(`peer ${peer}`, 1);
  expect(scores.isBanned('banned')).toBe(true);
});

test('virtual timers run in order of time, then of asking, and not when cancelled', async () => {
  const timers = new VirtualTimers();
  const ran: string[] = [];
  const say = (what: string) => () => void ran.push(`${what}@${timers.nowMs()}`);
  timers.after(20, say('late'));
  timers.after(10, say('first'));
  timers.after(10, say('second'));
  const cancel = timers.after(15, say('never'));
  timers.after(5, () => timers.after(5, say('third')));
  cancel();
  await timers.advance(19);
  expect(ran).toEqual(['first@10', 'second@10', 'third@10']);
  await timers.advance(1);
  expect(ran.at(-1)).toBe('late@20');
});

test('a meter lets bursts pass, then holds to its rates, of messages and of bytes', async () => {
  const timers = new VirtualTimers();
  const limits = {
    messagesPerSecondMax: 10,
    messagesBurstMax: 3,
    bytesPerSecondMax: 1_000,
    bytesBurstMax: 500,
  };
  const meter = new RateMeter(limits, timers);
  expect([meter.book(1), meter.book(1), meter.book(1)]).toEqual([0, 0, 0]);
  expect(meter.book(1)).toBeCloseTo(100);
  await timers.advance(400);
  expect(meter.book(500)).toBe(0);
  expect(meter.book(100)).toBeCloseTo(100);
  await timers.advance(10_000);
  expect(meter.book(500)).toBe(0);
});

test('what is not limited is not waited for, what is beside it is', async () => {
  const timers = new VirtualTimers();
  const limits = { ...DEFAULT_LIMITS.send, bytesPerSecondMax: 1_024, bytesBurstMax: 2_048 };
  expect(limits.messagesPerSecondMax).toBe(Number.POSITIVE_INFINITY);
  const meter = new RateMeter(limits, timers);
  // The first at the moment of the meter's making, the second at that of the first: no time, and no limit.
  expect([meter.book(2_048), meter.book(1_024)]).toEqual([0, 1_000]);
  await timers.advance(500);
  expect(meter.book(1_024)).toBeCloseTo(1_500);
  await timers.advance(1_000_000);
  expect(meter.book(2_048)).toBe(0);
  const free = new RateMeter({ ...limits, bytesPerSecondMax: Number.POSITIVE_INFINITY }, timers);
  expect([free.book(2 ** 40), free.book(2 ** 40)]).toEqual([0, 0]);
});
