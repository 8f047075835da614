import { expect, test } from 'vitest';
import { Random } from '../fuzz/random.ts';
import { CORRUPTIONS } from './corruptions.ts';
import { accuseRight, convictOne, convictRoot } from './frauds.ts';
import { shardCase } from './shards.ts';

const SHARDS = 12;
const CORRUPTIONS_EACH = 25;

test('wrong shards are convicted, right ones are not', () => {
  const random = new Random(5);
  const seen = new Set<string>();
  for (let i = 0; i < SHARDS; i++) {
    const from = shardCase(random);
    expect(accuseRight(from, random)).toBeGreaterThan(0);
    seen.add(convictRoot(from, random).corruption);
    for (let j = 0; j < CORRUPTIONS_EACH; j++) {
      const conviction = convictOne(from, random);
      if (conviction !== undefined) seen.add(conviction.corruption);
    }
  }
  expect(seen.size).toBe(1 + Object.keys(CORRUPTIONS).length);
});
