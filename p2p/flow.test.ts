import { describe, expect, it } from 'vitest';
import { FlowMeter } from './flow.ts';
import { VirtualTimers } from './timers.ts';

describe('a flow', () => {
  it('has totals and rates by the formulas of CometBFT', async () => {
    const timers = new VirtualTimers();
    const meter = new FlowMeter(timers);
    expect(meter.flow()).toMatchObject({ bytes: 0, samples: 0, averageRate: 0, idleMs: 0 });
    meter.count(50);
    await timers.advance(100);
    meter.count(50); // closes the sample: 100 bytes in 100 ms
    expect(meter.flow()).toMatchObject({ bytes: 100, samples: 1, instantRate: 1000, currentRate: 1000 });
    await timers.advance(1000);
    const later = meter.flow(); // an empty sample of one window: the average keeps 1/e
    expect(later).toMatchObject({ bytes: 100, samples: 2, instantRate: 0, peakRate: 1000, idleMs: 1000 });
    expect(later.currentRate).toBe(Math.round(1000 / Math.E));
    expect(later.averageRate).toBe(Math.round(100_000 / 1100));
  });
});
