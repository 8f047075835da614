import { expect, test } from 'vitest';
import { setBits } from '../../consensus/types/bit-array.ts';
import { BLOCK_PART_BYTES } from '../../consensus/types/limits.ts';
import { type Part, partsOf } from '../../consensus/types/part-set.ts';
import { BlockAssembly } from './block-assembly.ts';

const bytesOf = (fill: number): Uint8Array => new Uint8Array(BLOCK_PART_BYTES + 100).fill(fill);
const cut = partsOf(bytesOf(1));
const [first, second] = cut.parts;
if (first === undefined || second === undefined) throw new Error('two parts');

function assembly(): BlockAssembly {
  const made = new BlockAssembly();
  made.reset(-1n);
  return made;
}

test('parts of a wanted block are checked and kept once', () => {
  const blocks = assembly();
  expect(blocks.want(cut.header)).toEqual([]);
  expect(blocks.add(first)).toMatchObject({ outcome: 'added', header: cut.header });
  expect(blocks.add(first).outcome).toBe('duplicate');
  expect(blocks.add({ ...second, bytes: first.bytes }).outcome).toBe('invalid');
  expect(blocks.isComplete(cut.header)).toBe(false);
  expect(blocks.add(second).outcome).toBe('added');
  expect(blocks.isComplete(cut.header)).toBe(true);
  expect(blocks.parts(cut.header)).toEqual(cut.parts);
  expect([...setBits(blocks.partBits(cut.header) ?? { length: 0, bytes: new Uint8Array(0) })]).toEqual([
    0, 1,
  ]);
});

test('parts that come before their proposal are used when it is here; forged ones are left out', () => {
  const blocks = assembly();
  expect(blocks.add(first).outcome).toBe('early');
  expect(blocks.add(first).outcome).toBe('duplicate');
  const forged: Part = { ...second, bytes: second.bytes.map((byte) => byte ^ 1) };
  expect(blocks.add(forged).outcome).toBe('early');
  expect(blocks.want(cut.header)).toEqual([first]);
  expect(blocks.add(second).outcome).toBe('added');
  expect(blocks.isComplete(cut.header)).toBe(true);
});

test('a peer that sends parts of made-up blocks fills a bounded room, and a new height empties it', () => {
  const blocks = assembly();
  const madeUp = (index: number): Part => {
    const [part] = partsOf(Uint8Array.of(1, index & 255, index >> 8)).parts;
    if (part === undefined) throw new Error('a part');
    return part;
  };
  const outcomes = Array.from({ length: 400 }, (_, index) => blocks.add(madeUp(index)).outcome);
  expect(outcomes.filter((outcome) => outcome === 'early').length).toBe(256);
  expect(outcomes.at(-1)).toBe('unwanted');
  blocks.reset(-1n);
  expect(blocks.add(first).outcome).toBe('early');
});

test('an impossible header is refused', () => {
  const blocks = assembly();
  expect(() => blocks.want({ total: 0, hash: cut.header.hash })).toThrow('impossible header');
  expect(() => blocks.want({ total: 100_000, hash: cut.header.hash })).toThrow('impossible header');
});

test('in an endless height the oldest blocks are forgotten, never one that may still be decided', () => {
  const blocks = assembly();
  blocks.want(cut.header);
  for (const part of cut.parts) blocks.add(part);
  for (let index = 0; index < 200; index++) {
    blocks.want({ total: 1, hash: new Uint8Array(32).fill(index) }, [cut.header]);
  }
  expect(blocks.isComplete(cut.header)).toBe(true);
  expect(blocks.partBits({ total: 1, hash: new Uint8Array(32).fill(100) })).toBeUndefined();
  expect(blocks.partBits({ total: 1, hash: new Uint8Array(32).fill(199) })).toBeDefined();
});
