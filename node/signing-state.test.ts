import { expect, test } from 'vitest';
import type { Commit } from '../consensus/types/commit.ts';
import { checkSigningState, type SeenCommits, SigningGuard } from './signing-state.ts';

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

const guard = (
  state: ReturnType<typeof at>['state'] | undefined,
  blocks: SeenCommits,
  depth = 0,
): SigningGuard =>
  new SigningGuard({
    signer: state === undefined ? { address: ours } : { address: ours, state },
    blocks,
    doubleSignCheckHeight: depth,
  });

test('our signature in a synced commit, newer than the signing state, is noticed before joining', () => {
  const commitAt = (height: bigint): Commit => {
    const commit = blocksSigned([height]).seenCommit(height);
    if (commit === undefined) throw new Error('a commit');
    return commit;
  };
  const blocks = blocksSigned([]);
  const old = guard(at(12n, 0, 3).state, blocks);
  old.sawCommit(commitAt(12n));
  expect(() => old.checkBeforeJoining()).toThrow(/height 12, round 2.*at least 51/s);
  old.sawCommit(commitAt(30n));
  old.sawCommit(commitAt(20n));
  expect(() => old.checkBeforeJoining()).toThrow(
    /stands at height 12.*commit of height 30.*whole home.*has stopped/s,
  );
  const right = guard(at(30n, 2, 3).state, blocks);
  right.sawCommit(commitAt(30n));
  right.checkBeforeJoining();
  right.saw({ address: new Uint8Array(20), height: 99n, round: 0, step: 1 });
  right.check();
  right.saw({ address: ours, height: 31n, round: 0, step: 1 });
  expect(() => right.check()).toThrow('a message of height 31');
});

test('cometbft#5668: double_sign_check_height last blocks must be without our signature; 1 checks one block', () => {
  const known = at(60n).state;
  for (const state of [known, undefined]) {
    for (const depth of [0, 1, 5]) guard(state, blocksSigned([45n]), depth).checkBeforeJoining();
    expect(() => guard(state, blocksSigned([45n]), 6).checkBeforeJoining()).toThrow(
      /height 45, one of the last 6/,
    );
    expect(() => guard(state, blocksSigned([50n]), 1).checkBeforeJoining()).toThrow(
      /Nothing was signed.*start again/s,
    );
    guard(state, blocksSigned([50n]), 0).checkBeforeJoining();
    expect(() => guard(state, blocksSigned([1n]), 1_000).checkBeforeJoining()).toThrow('height 1,');
  }
});
