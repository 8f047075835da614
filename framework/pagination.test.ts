import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_BYTES } from '../core/bytes.ts';
import { Schema } from './collections.ts';
import { pairKey, stringKey, uint32Key } from './keys.ts';
import { type Page, type PageRequest, paginate } from './pagination.ts';
import { memoryContext } from './testing/memory.ts';
import { noValue } from './values.ts';

const key = pairKey(stringKey, uint32Key);
const map = new Schema('test').map({ prefix: Uint8Array.of(7), name: 'm', key, value: noValue });

function request(partial: Partial<PageRequest> = {}): PageRequest {
  return { key: EMPTY_BYTES, offset: 0n, limit: 0n, countTotal: false, reverse: false, ...partial };
}

function page(count: number, asked: PageRequest | undefined): Page<number> {
  const context = memoryContext(['test']);
  for (let i = 0; i < count; i++) {
    map.set(context, ['mine', i], undefined);
    map.set(context, ['other', i], undefined);
  }
  return paginate(context, map, { request: asked, prefix: key.prefix('mine'), transform: ([, i]) => i });
}

describe('a page', () => {
  it('without limits has a hundred entries and the total', () => {
    const { items, pagination } = page(130, undefined);
    expect(items).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(pagination.total).toBe(130n);
    expect(pagination.nextKey).toEqual(Uint8Array.of(0, 0, 0, 100));
  });

  it('after page leads through the whole list, in both directions', () => {
    fc.assert(
      fc.property(fc.nat(12), fc.integer({ min: 1, max: 5 }), fc.boolean(), (count, limit, reverse) => {
        const all: number[] = [];
        let next: Uint8Array = EMPTY_BYTES;
        do {
          const { items, pagination } = page(count, request({ key: next, limit: BigInt(limit), reverse }));
          all.push(...items);
          next = pagination.nextKey;
        } while (next.length > 0);
        const expected = Array.from({ length: count }, (_, i) => i);
        expect(all).toEqual(reverse ? expected.toReversed() : expected);
      }),
    );
  });

  it('by offset is the slice of the list, and the total is the whole list', () => {
    fc.assert(
      fc.property(fc.nat(12), fc.nat(14), fc.integer({ min: 1, max: 5 }), (count, offset, limit) => {
        const asked = request({ offset: BigInt(offset), limit: BigInt(limit), countTotal: true });
        const { items, pagination } = page(count, asked);
        expect(items).toEqual(Array.from({ length: count }, (_, i) => i).slice(offset, offset + limit));
        expect(pagination.total).toBe(BigInt(count));
      }),
    );
  });

  it('is bounded, whatever is asked', () => {
    expect(page(1002, request({ limit: (1n << 64n) - 1n })).items).toHaveLength(1000);
  });

  it('cannot have both a key and an offset', () => {
    expect(() => page(3, request({ key: Uint8Array.of(1), offset: 1n }))).toThrow(
      'either offset or key is expected',
    );
  });

  it('leaves out what is not included', () => {
    const context = memoryContext(['test']);
    for (let i = 0; i < 10; i++) map.set(context, ['mine', i], undefined);
    const options = {
      request: request({ limit: 2n, countTotal: true }),
      transform: ([, i]: readonly [string, number]) => i,
    };
    const { items, pagination } = paginate(context, map, { ...options, include: ([, i]) => i % 2 === 1 });
    expect(items).toEqual([1, 3]);
    expect(pagination.total).toBe(5n);
  });
});
