import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { Schema } from './collections.ts';
import { IndexedMap, MultiIndex, UniqueIndex } from './indexed-map.ts';
import { pairKey, stringKey, uint64Key } from './keys.ts';
import { memoryContext } from './testing/memory.ts';
import { boolValue, integerValue, memoized, stringValue, uint64Value } from './values.ts';

const STORE = 'test';

describe('a schema', () => {
  it('refuses a name or a prefix that is taken, also the beginning of another', () => {
    const schema = new Schema(STORE);
    schema.sequence({ prefix: Uint8Array.of(1), name: 'a' });
    expect(() => schema.sequence({ prefix: Uint8Array.of(2), name: 'a' })).toThrow('declared twice');
    expect(() => schema.sequence({ prefix: Uint8Array.of(1), name: 'b' })).toThrow('share a prefix');
    expect(() => schema.sequence({ prefix: Uint8Array.of(1, 5), name: 'c' })).toThrow('share a prefix');
    expect(schema.collections.map(({ name }) => name)).toEqual(['a']);
  });
});

describe('a map', () => {
  it('behaves like a sorted list of pairs', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: fc.nat(20), value: fc.nat(99), remove: fc.boolean() })),
        fc.record({ start: fc.nat(20), end: fc.nat(20), reverse: fc.boolean() }),
        (steps, { start, end, reverse }) => {
          const map = new Schema(STORE).map({
            prefix: Uint8Array.of(1),
            name: 'm',
            key: uint64Key,
            value: uint64Value,
          });
          const context = memoryContext([STORE]);
          const model = new Map<bigint, bigint>();
          for (const { key, value, remove } of steps) {
            if (remove) map.remove(context, BigInt(key));
            else map.set(context, BigInt(key), BigInt(value));
            if (remove) model.delete(BigInt(key));
            else model.set(BigInt(key), BigInt(value));
          }
          const sorted = [...model].sort(([a], [b]) => Number(a - b));
          const within = sorted.filter(([key]) => key >= start && key < end);
          const range = { start: BigInt(start), end: BigInt(end), reverse };
          expect([...map.iterate(context)]).toEqual(sorted);
          expect([...map.iterate(context, range)]).toEqual(reverse ? within.toReversed() : within);
          for (let key = 0n; key <= 20n; key++) {
            expect(map.get(context, key)).toBe(model.get(key));
            expect(map.has(context, key)).toBe(model.has(key));
          }
        },
      ),
    );
  });

  it('iterates over one first part only', () => {
    const key = pairKey(stringKey, uint64Key);
    const map = new Schema(STORE).map({ prefix: Uint8Array.of(1), name: 'm', key, value: stringValue });
    const context = memoryContext([STORE]);
    for (const first of ['a', 'ab', 'b'])
      for (const second of [2n, 1n]) map.set(context, [first, second], first);
    expect([...map.iterate(context, { prefix: key.prefix('a') })].map(([pair]) => pair)).toEqual([
      ['a', 1n],
      ['a', 2n],
    ]);
  });

  it('says what is missing', () => {
    const map = new Schema(STORE).map({
      prefix: Uint8Array.of(1),
      name: 'things',
      key: uint64Key,
      value: stringValue,
    });
    expect(() => map.require(memoryContext([STORE]), 1n)).toThrow('no such entry in things: key not found');
  });
});

describe('an item, a set and a sequence', () => {
  it('keep what they were given', () => {
    const schema = new Schema(STORE);
    const item = schema.item({ prefix: utf8('item'), name: 'item', value: boolValue });
    const set = schema.keySet({ prefix: utf8('set'), name: 'set', key: stringKey });
    const sequence = schema.sequence({ prefix: utf8('seq'), name: 'sequence' });
    const context = memoryContext([STORE]);
    expect(item.get(context)).toBeUndefined();
    expect(() => item.require(context)).toThrow('item is not set');
    item.set(context, false);
    expect(item.get(context)).toBe(false);
    item.set(context, true);
    expect(item.get(context)).toBe(true);
    item.remove(context);
    expect(item.get(context)).toBeUndefined();
    set.add(context, 'b');
    set.add(context, 'a');
    expect([...set.iterate(context)]).toEqual(['a', 'b']);
    set.remove(context, 'a');
    expect(set.has(context, 'a')).toBe(false);
    expect([sequence.next(context), sequence.next(context), sequence.peek(context)]).toEqual([0n, 1n, 2n]);
  });
});

interface Person {
  readonly name: string;
  readonly town: string;
}

describe('an indexed map', () => {
  function people(): {
    readonly map: IndexedMap<bigint, Person>;
    readonly byName: UniqueIndex<string, bigint, Person>;
    readonly byTown: MultiIndex<string, bigint, Person>;
  } {
    const schema = new Schema(STORE);
    const keys = { indexKey: stringKey, primaryKey: uint64Key };
    const byName = new UniqueIndex(schema, {
      ...keys,
      prefix: Uint8Array.of(2),
      name: 'n',
      of: (_: bigint, p: Person) => p.name,
    });
    const byTown = new MultiIndex(schema, {
      ...keys,
      prefix: Uint8Array.of(3),
      name: 't',
      of: (_: bigint, p: Person) => p.town,
    });
    const value = {
      encode: ({ name, town }: Person) => utf8(`${name}|${town}`),
      decode: (bytes: Uint8Array): Person => {
        const [name = '', town = ''] = Buffer.from(bytes).toString().split('|');
        return { name, town };
      },
    };
    const spec = {
      prefix: Uint8Array.of(1),
      name: 'people',
      key: uint64Key,
      value,
      indexes: [byName, byTown],
    };
    return { map: new IndexedMap(schema, spec), byName, byTown };
  }

  it('has indexes that always agree with its entries', () => {
    const step = fc.record({ key: fc.nat(5), name: fc.nat(5), town: fc.nat(2), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { map, byName, byTown } = people();
        const context = memoryContext([STORE]);
        const model = new Map<bigint, Person>();
        for (const { key, name, town, remove } of steps) {
          const person = { name: `n${name}`, town: `t${town}` };
          const taken = [...model].some(
            ([other, { name: used }]) => other !== BigInt(key) && used === person.name,
          );
          if (remove) {
            map.remove(context, BigInt(key));
            model.delete(BigInt(key));
          } else if (taken)
            expect(() => map.set(context, BigInt(key), person)).toThrow('uniqueness constraint');
          else {
            map.set(context, BigInt(key), person);
            model.set(BigInt(key), person);
          }
        }
        const sorted = [...model].sort(([a], [b]) => Number(a - b));
        expect([...map.iterate(context)]).toEqual(sorted);
        for (const [key, { name }] of sorted) expect(byName.find(context, name)).toBe(key);
        for (const town of ['t0', 't1', 't2'])
          expect([...byTown.match(context, town)]).toEqual(
            sorted.filter(([, person]) => person.town === town).map(([key]) => key),
          );
        expect([...byTown.entries.iterate(context)]).toHaveLength(model.size);
      }),
    );
  });
});

describe('values', () => {
  it('of integers survive, whatever their size and sign', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 256n), max: 1n << 256n }), (value) => {
        expect(integerValue.decode(integerValue.encode(value))).toBe(value);
      }),
    );
    for (const bad of ['', 'x', '12x', `${'9'.repeat(20)}x`])
      expect(() => integerValue.decode(utf8(bad))).toThrow();
  });

  it('are decoded again when their bytes change', () => {
    let decodes = 0;
    const codec = memoized({
      encode: utf8,
      decode: (bytes: Uint8Array) => {
        decodes++;
        return stringValue.decode(bytes);
      },
    });
    expect([utf8('a'), utf8('a'), utf8('b'), utf8('b')].map((bytes) => codec.decode(bytes))).toEqual([
      'a',
      'a',
      'b',
      'b',
    ]);
    expect(decodes).toBe(2);
  });
});
