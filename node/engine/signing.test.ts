import { expect, test } from 'vitest';
import { EMPTY_VALIDATOR_SET } from '../../consensus/types/validator-set.ts';
import { holdsTwoThirds, powerOf } from './signing.ts';

const validator = (byte: number, votingPower: bigint) => ({
  address: new Uint8Array(20).fill(byte),
  publicKey: { type: 'ed25519', bytes: new Uint8Array(32).fill(byte) } as const,
  votingPower,
  proposerPriority: 0n,
});
const validators = [validator(1, 7n), validator(2, 1n)];
const set = { ...EMPTY_VALIDATOR_SET, validators, totalVotingPower: 8n };
const address = (byte: number): Uint8Array => new Uint8Array(20).fill(byte);

test('a node has the power of its key in the set: a full node, whose key is in none, and one without a key, have none', () => {
  expect([1, 2, 3].map((byte) => powerOf(set, address(byte)))).toEqual([7n, 1n, 0n]);
  expect(powerOf(set, undefined)).toBe(0n);
});

test('who has more than two thirds decides alone', () => {
  expect([1, 2, 3].map((byte) => holdsTwoThirds(set, address(byte)))).toEqual([true, false, false]);
  expect(holdsTwoThirds(EMPTY_VALIDATOR_SET, undefined)).toBe(false);
});
