import { expect, test } from 'vitest';
import { ProposalSize } from './proposal-size.ts';

const MIB = 1024 * 1024;

test('a slow node proposes smaller blocks, a quick one larger ones, within the limits', () => {
  const size = new ProposalSize(1000);
  const first = size.bytesMax(20 * MIB);
  expect(first).toBe(1_500_000);
  for (let i = 0; i < 10; i++) size.executed(1_000_000, 4_000);
  expect(size.bytesMax(20 * MIB)).toBeLessThan(260_000);
  for (let i = 0; i < 20; i++) size.executed(100_000, 10_000);
  expect(size.bytesMax(20 * MIB)).toBe(128 * 1024);
  for (let i = 0; i < 20; i++) size.executed(1_000_000, 100);
  expect(size.bytesMax(20 * MIB)).toBeGreaterThan(9_000_000);
  expect(size.bytesMax(2 * MIB)).toBe(2 * MIB);
  expect(size.bytesMax(1000)).toBe(1000);
});

test('small blocks and impossible times do not change it', () => {
  const size = new ProposalSize(1000);
  size.executed(100, 1_000_000);
  size.executed(1_000_000, 0);
  expect(size.bytesMax(20 * MIB)).toBe(1_500_000);
});
