import { expect, test } from 'vitest';
import { coinsFromString } from '../../framework/coins.ts';
import type { Event } from '../../proto/gen/tendermint/abci/types.ts';
import { mintedDenoms, problemOfSupply } from './supply.ts';

const event = (type: string, amount: string): Event => ({
  type,
  attributes: [{ key: 'amount', value: amount, index: true }],
});

// Seed 8086: governance named a new denomination to mint, whose supply was not looked at.
test('the supply follows from what was minted and burned, of any denomination', () => {
  const results = { events: [event('coinbase', '5new'), event('burn', '2uopen')], txResults: [] };
  expect(mintedDenoms(results)).toEqual(['new']);
  const before = coinsFromString('10uopen');
  expect(problemOfSupply(before, coinsFromString('5new,8uopen'), results)).toBeUndefined();
  expect(problemOfSupply(before, coinsFromString('8uopen'), results)).toContain('5new were minted');
});
