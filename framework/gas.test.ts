import { describe, expect, it } from 'vitest';
import { Schema } from './collections.ts';
import { GasMeter, OutOfGasError } from './gas.ts';
import { stringKey } from './keys.ts';
import { memoryContext } from './testing/memory.ts';
import { stringValue } from './values.ts';

const map = new Schema('test').map({
  prefix: Uint8Array.of(1),
  name: 'm',
  key: stringKey,
  value: stringValue,
});

describe('gas', () => {
  it('is charged for store access as the SDK charges it (store/types/gas.go KVGasConfig)', () => {
    const context = memoryContext(['test']);
    const cost = (access: () => unknown): number => {
      const before = context.gas.consumed;
      access();
      return context.gas.consumed - before;
    };
    // Keys are the prefix byte and two characters.
    expect(cost(() => map.get(context, 'k1'))).toBe(1000 + 3 * 3);
    expect(cost(() => map.set(context, 'k1', 'value'))).toBe(2000 + 30 * (3 + 5));
    expect(cost(() => map.get(context, 'k1'))).toBe(1000 + 3 * (3 + 5));
    expect(cost(() => map.has(context, 'k1'))).toBe(1000);
    expect(cost(() => map.set(context, 'k2', ''))).toBe(2000 + 30 * 3);
    // gaskv: opening pays for the first pair, each step on for the pair it leaves.
    expect(cost(() => [...map.iterate(context)])).toBe(2 * (3 * 8 + 30) + (3 * 3 + 30));
    expect(cost(() => map.remove(context, 'k1'))).toBe(1000);
    map.remove(context, 'k2');
    expect(cost(() => [...map.iterate(context)])).toBe(30);
  });

  it('runs out exactly when more is used than the limit', () => {
    const meter = new GasMeter(100n);
    meter.consume(100, 'all');
    expect(meter.exhausted).toBe(true);
    expect(() => meter.consume(1, 'more')).toThrow(OutOfGasError);
    expect([meter.consumed, meter.consumedToLimit]).toEqual([101, 100]);
  });

  it('stops a write before it is made', () => {
    const context = memoryContext(['test'], 2000n);
    expect(() => map.set(context, 'k1', 'value')).toThrow('out of gas in location: WritePerByte');
  });
});
