import { expect, test } from 'vitest';
import { setBits } from '../../consensus/types/bit-array.ts';
import { BLOCK_PART_BYTES } from '../../consensus/types/limits.ts';
import { type Part, partsOf } from '../../consensus/types/part-set.ts';
import { BlockAssembly } from './block-assembly.ts';
import { EARLY_PARTS_MAX, EARLY_PARTS_PER_PEER_MAX } from './early-parts.ts';

const bytesOf = (fill: number): Uint8Array => new Uint8Array(BLOCK_PART_BYTES + 100).fill(fill);
const cut = partsOf(bytesOf(1));
const [first, second] = cut.parts;
if (first === undefined || second === undefined) throw new Error('two parts');

function assembly(inUse = cut.header): BlockAssembly {
  const made = new BlockAssembly(() => [inUse]);
  made.reset(-1n);
  return made;
}

test('parts of a wanted block are checked and kept once', () => {
  const blocks = assembly();
  expect(blocks.want(cut.header)).toEqual([]);
  expect(blocks.add(first, 'a peer')).toMatchObject({ outcome: 'added', header: cut.header });
  expect(blocks.add(first, 'a peer').outcome).toBe('duplicate');
  expect(blocks.add({ ...second, bytes: first.bytes }, 'a peer').outcome).toBe('invalid');
  expect(blocks.isComplete(cut.header)).toBe(false);
  expect(blocks.add(second, 'a peer').outcome).toBe('added');
  expect(blocks.isComplete(cut.header)).toBe(true);
  expect(blocks.parts(cut.header)).toEqual(cut.parts);
  expect([...setBits(blocks.partBits(cut.header) ?? { length: 0, bytes: new Uint8Array(0) })]).toEqual([
    0, 1,
  ]);
});

test('parts that come before their proposal are used when it is here; forged ones do not stand in their way', () => {
  const blocks = assembly();
  expect(blocks.add(first, 'a peer').outcome).toBe('early');
  expect(blocks.add(first, 'a peer').outcome).toBe('duplicate');
  const forged: Part = { ...second, bytes: second.bytes.map((byte) => byte ^ 1) };
  expect(blocks.add(forged, 'a liar').outcome).toBe('invalid');
  expect(blocks.want(cut.header)).toEqual([first]);
  expect(blocks.add(second, 'a peer').outcome).toBe('added');
  expect(blocks.isComplete(cut.header)).toBe(true);
});

const madeUp = (index: number): Part => {
  const [part] = partsOf(Uint8Array.of(1, index & 255, index >> 8)).parts;
  if (part === undefined) throw new Error('a part');
  return part;
};

test('a peer that sends parts of made-up blocks fills its share only, and a new height empties it', () => {
  const blocks = assembly();
  const outcomes = Array.from({ length: 400 }, (_, index) => blocks.add(madeUp(index), 'liar').outcome);
  expect(outcomes.filter((outcome) => outcome === 'early').length).toBe(EARLY_PARTS_PER_PEER_MAX);
  expect(outcomes.at(-1)).toBe('unwanted');
  expect(blocks.add(first, 'honest').outcome).toBe('early');
  blocks.reset(-1n);
  expect(blocks.add(madeUp(1), 'liar').outcome).toBe('early');
});

test('when peers together have filled the room, those with most give way to one with less', () => {
  const blocks = assembly();
  for (let index = 0; index < EARLY_PARTS_MAX; index++)
    expect(blocks.add(madeUp(index), `liar ${index % 4}`).outcome).toBe('early');
  expect(blocks.add(madeUp(9_999), 'liar 0').outcome).toBe('unwanted');
  expect([blocks.add(first, 'honest').outcome, blocks.add(second, 'honest').outcome]).toEqual([
    'early',
    'early',
  ]);
  expect(blocks.want(cut.header)).toEqual([first, second]);
});

test('an impossible header is refused', () => {
  const blocks = assembly();
  expect(() => blocks.want({ total: 0, hash: cut.header.hash })).toThrow('impossible header');
  expect(() => blocks.want({ total: 100_000, hash: cut.header.hash })).toThrow('impossible header');
});

test('in an endless height the oldest blocks are forgotten, never one that may still be decided', () => {
  const blocks = assembly();
  blocks.want(cut.header);
  for (const part of cut.parts) blocks.add(part, 'a peer');
  for (let index = 0; index < 200; index++) {
    blocks.want({ total: 1, hash: new Uint8Array(32).fill(index) });
  }
  expect(blocks.isComplete(cut.header)).toBe(true);
  expect(blocks.partBits({ total: 1, hash: new Uint8Array(32).fill(100) })).toBeUndefined();
  expect(blocks.partBits({ total: 1, hash: new Uint8Array(32).fill(199) })).toBeDefined();
});
