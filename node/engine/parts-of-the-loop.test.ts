import { expect, test } from 'vitest';
import type { Timeout } from '../../consensus/input.ts';
import { HeightGate } from './height-gate.ts';
import type { EngineClock } from './ports.ts';
import { Timers } from './timers.ts';

/** A clock whose timers fire when the test says so. */
function manualClock(): EngineClock & { fire(): void; readonly pending: number } {
  const waiting = new Set<() => void>();
  return {
    now: () => 0n,
    schedule: (_delayMs, callback) => {
      waiting.add(callback);
      return () => waiting.delete(callback);
    },
    fire: () => {
      for (const callback of [...waiting]) {
        waiting.delete(callback);
        callback();
      }
    },
    get pending() {
      return waiting.size;
    },
  };
}

test('a newer wait of a kind replaces the older one', () => {
  const clock = manualClock();
  const elapsed: Timeout[] = [];
  const timers = new Timers(clock, (timeout) => elapsed.push(timeout));
  const wait = (round: number): Timeout => ({ kind: 'propose', height: 1n, round });
  timers.schedule(wait(0), 10);
  timers.schedule(wait(1), 10);
  timers.schedule({ kind: 'prevote', height: 1n, round: 0 }, 10);
  clock.fire();
  expect(elapsed.map(({ kind, round }) => `${kind} ${round}`)).toEqual(['propose 1', 'prevote 0']);
  timers.schedule(wait(2), 10);
  timers.cancelAll();
  expect(clock.pending).toBe(0);
});

test('without empty blocks a height waits for transactions, the interval or a peer, and begins once', () => {
  for (const way of ['transactions', 'interval', 'peer'] as const) {
    const clock = manualClock();
    const listeners = new Set<() => void>();
    const transactions = {
      hasTransactions: false,
      onTransactions: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const options = { createEmptyBlocks: false, createEmptyBlocksIntervalMs: 1000 };
    const gate = new HeightGate({ transactions, clock }, options);
    let begun = 0;
    gate.wait(
      () => begun++,
      () => false,
    );
    expect(begun).toBe(0);
    if (way === 'transactions') for (const listener of [...listeners]) listener();
    else if (way === 'interval') clock.fire();
    else gate.open();
    expect([begun, listeners.size, clock.pending]).toEqual([1, 0, 0]);
    gate.open();
    expect(begun).toBe(1);
    gate.wait(
      () => begun++,
      () => true,
    );
    expect(begun).toBe(2);
  }
});
