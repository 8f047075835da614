import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { shardVectors } from './shard-vectors.ts';

test('commitments, proofs and frauds have the bytes that they always had', () => {
  const file = new URL('../../test/vectors/attribution/shards.json', import.meta.url);
  expect(shardVectors()).toEqual(JSON.parse(readFileSync(file, 'utf8')));
});
