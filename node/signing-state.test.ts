import { expect, test } from 'vitest';
import type { Commit } from '../consensus/types/commit.ts';
import { checkSigningState, type SeenCommits } from './signing-state.ts';

const ours = new Uint8Array(20).fill(1);
const timestamp = { seconds: 1n, nanos: 0 };
const signature = new Uint8Array(64);
const blockId = { hash: new Uint8Array(32), partSetHeader: { total: 1, hash: new Uint8Array(32) } };

/** Heights 1 to 50, decided in round 2; we signed those that are named. */
function blocksSigned(heights: readonly bigint[]): SeenCommits {
  return {
    range: () => ({ base: 1n, height: 50n }),
    seenCommit(height): Commit {
      const validatorAddress = heights.includes(height) ? ours : new Uint8Array(20).fill(2);
      const entry = { blockIdFlag: 'commit', validatorAddress, timestamp, signature } as const;
      return { height, round: 2, blockId, signatures: [entry] };
    },
  };
}

const at = (height: bigint, round = 0, step = 1): Parameters<typeof checkSigningState>[0] => ({
  address: ours,
  state: { height, round, step },
});

test('a signing state older than a signature of ours in a commit is refused', () => {
  for (const state of [at(0n), at(48n, 9, 3), at(50n, 1, 3), at(50n, 2, 2)])
    expect(() => checkSigningState(state, blocksSigned([50n]))).toThrow(/old copy.*Restore the newest/s);
  expect(() => checkSigningState(at(7n), blocksSigned([45n]))).toThrow('commit of height 45');
});

test('one that knows the signature is fine, and so is one of a validator that did not sign', () => {
  for (const state of [at(50n, 2, 3), at(50n, 3, 1), at(51n)]) checkSigningState(state, blocksSigned([50n]));
  checkSigningState(at(0n), blocksSigned([]));
  checkSigningState(at(45n, 2, 3), blocksSigned([45n]));
  checkSigningState(at(0n), { range: () => ({ base: 0n, height: 0n }), seenCommit: () => undefined });
});
