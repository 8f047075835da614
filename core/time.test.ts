import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDuration, compareInstants, formatInstant, parseInstant } from './time.ts';

describe('instants', () => {
  it('agree with the JavaScript date on every second between the years 1 and 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), (seconds) => {
        const text = formatInstant({ seconds: BigInt(seconds), nanos: 0 });
        expect(text).toBe(
          new Date(seconds * 1000)
            .toISOString()
            .replace('.000Z', 'Z')
            .replace(/^[+-]00/, ''),
        );
        expect(parseInstant(text)).toEqual({ seconds: BigInt(seconds), nanos: 0 });
      }),
    );
  });

  it('keep nanoseconds and read time zones', () => {
    expect(formatInstant({ seconds: 0n, nanos: 120_000_000 })).toBe('1970-01-01T00:00:00.12Z');
    expect(parseInstant('1970-01-01T01:00:00.000000001+01:00')).toEqual({ seconds: 0n, nanos: 1 });
  });

  it('are ordered by seconds, then nanoseconds', () => {
    expect(compareInstants({ seconds: 1n, nanos: 5 }, { seconds: 1n, nanos: 6 })).toBeLessThan(0);
    expect(compareInstants({ seconds: 2n, nanos: 0 }, { seconds: 1n, nanos: 6 })).toBeGreaterThan(0);
  });

  it('are moved by durations, over the second in both directions', () => {
    const late = { seconds: 5n, nanos: 999_999_999 };
    expect(addDuration(late, { seconds: 2n, nanos: 1 })).toEqual({ seconds: 8n, nanos: 0 });
    expect(addDuration({ seconds: 5n, nanos: 1 }, { seconds: -1n, nanos: -2 })).toEqual({
      seconds: 3n,
      nanos: 999_999_999,
    });
  });

  it.each(['', '2026-01-02', '2026-13-01T00:00:00Z', '2026-02-29T00:00:00Z', '2026-01-01T24:00:00Z', 'now'])(
    'refuse %j',
    (text) => {
      expect(() => parseInstant(text)).toThrow(/RFC 3339|no such time/);
    },
  );
});
