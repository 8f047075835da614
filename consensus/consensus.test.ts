import { describe, expect, it } from 'vitest';
import { toHex } from '../core/bytes.ts';
import { defined } from '../core/errors.ts';
import { DEFAULT_TIMEOUTS } from './config.ts';
import { Consensus } from './consensus.ts';
import { incrementProposerPriority, updateValidators } from './proposer.ts';
import { Bench, bench, FOLLOWER, FOUR, PROPOSER, proposerOf, text } from './testing/bench.ts';
import type { Commit } from './types/commit.ts';
import type { Input } from './input.ts';
import { TEST_TIME, testBlock, testProposal, testValidators } from './testing/fixtures.ts';

describe('a round that goes well', () => {
  it('proposer: value, proposal, prevote, precommit, decision, and the log before each of them', () => {
    const b = new Bench({ own: PROPOSER });
    const [first = 0, second = 0, third = 0] = b.others();
    expect(b.start()).toEqual(['timeout propose 0 3000', 'request 0']);
    expect(b.in({ kind: 'proposeValue', height: 1n, round: 0, blockId: testBlock('v') })).toEqual([
      'wal proposeValue',
      'sign proposal v 0/-1',
    ]);
    const proposal = testProposal({ round: 0, block: 'v' });
    expect(b.in({ kind: 'signedProposal', proposal })).toEqual([
      'wal signedProposal sync',
      'publish proposal v',
      'sign prevote v 0',
    ]);
    expect(b.sign()).toEqual(['wal signedVote sync', 'publish prevote v']);
    expect(b.vote('prevote', first, 'v')).toEqual(['wal vote']);
    expect(b.vote('prevote', second, 'v')).toEqual(['wal vote', 'sign precommit v 0']);
    expect(b.sign()).toEqual(['wal signedVote sync', 'publish precommit v']);
    expect(b.core.view()).toMatchObject({ step: 'precommit', lockedRound: 0, validRound: 0 });
    expect(b.vote('precommit', first, 'v')).toEqual(['wal vote']);
    expect(b.vote('precommit', third, 'v')).toEqual(['wal vote', 'decide v 1/0', 'timeout commit 0 1000']);
    expect(b.core.view()).toMatchObject({ step: 'commit', decided: { round: 0, blockId: testBlock('v') } });
  });

  it('the next height begins after the pause and after startHeight, whichever comes last', () => {
    for (const pauseFirst of [true, false]) {
      const b = bench();
      b.propose('v');
      b.value('v');
      b.votes('precommit', [0, 1, 2, 3], 'v');
      const pause = (): string[] => b.timeout('commit');
      const start = (): string[] => b.start(2n);
      const [one, two] = pauseFirst ? [pause, start] : [start, pause];
      expect(one()).toEqual(pauseFirst ? ['wal timeoutElapsed'] : []);
      expect(two()).toContain('timeout propose 0 3000');
      expect(b.core.view()).toMatchObject({ height: 2n, round: 0, step: 'propose' });
    }
  });

  it('late precommits make the last commit fuller, and end the pause when it is complete', () => {
    const b = bench({ skipCommitWhenComplete: true });
    b.propose('v');
    b.value('v');
    expect(b.votes('precommit', [0, 1, 2], 'v')).toContain('timeout commit 0 1000');
    b.start(2n);
    const flags = (): string[] | undefined =>
      b.core.lastCommit()?.signatures.map((entry) => entry.blockIdFlag);
    expect(flags()).toEqual(['commit', 'commit', 'commit', 'absent']);
    expect(b.vote('precommit', 3)).toEqual(['wal vote', 'timeout propose 0 3000']);
    expect(flags()).toEqual(['commit', 'commit', 'commit', 'nil']);
    expect(b.core.lastCommit()?.signatures[3]?.timestamp).toEqual(TEST_TIME);
  });

  it('precommits of another round, and late prevotes, do not get into the last commit', () => {
    const b = bench();
    b.propose('v');
    b.value('v');
    b.votes('precommit', [0, 1, 2], 'v');
    for (const height of [1n, 2n]) {
      expect(b.vote('precommit', 3, 'v', { round: 1 })).toEqual([]);
      expect(b.vote('prevote', 3, 'v')).toEqual([]);
      expect(b.vote('precommit', 2, 'v')).toEqual([]);
      expect(b.vote('precommit', 2, 'w'), 'but equivocation is seen').toEqual(
        height === 1n ? ['evidence 2'] : [],
      );
      if (height === 1n) b.start(2n);
    }
    expect(b.core.lastCommit()?.signatures[3]?.blockIdFlag).toBe('absent');
    expect(b.vote('prevote', 3, 'w', { height: 1n }), 'a second late prevote').toEqual(['evidence 3']);
    expect(b.vote('precommit', 3, 'w', { round: 1, height: 1n }), 'in another round').toEqual(['evidence 3']);
    expect(b.vote('precommit', 3, 'x', { round: 1, height: 1n }), 'once is enough').toEqual([]);
  });

  it('what comes for the next height during the pause is looked at, and voted for after it', () => {
    const b = bench();
    b.propose('v');
    b.value('v');
    b.votes('precommit', [0, 1, 2], 'v');
    b.start(2n);
    const proposal = testProposal({ round: 0, block: 'w', height: 2n });
    expect(b.in({ kind: 'proposal', proposal })).toEqual(['wal proposal', 'validate w from proposal']);
    const value: Input = { kind: 'value', height: 2n, blockId: testBlock('w'), validity: 'accepted' };
    expect(b.in(value)).toEqual(['wal value']);
    expect(b.core.resume().map(text)).toEqual(['timeout commit 0 1000']);
    expect(b.timeout('commit')).toContain('sign prevote w 0');
  });

  it('a follower decides and is asked to sign nothing', () => {
    const b = new Bench({ own: -1 });
    const outputs = [
      ...b.start(),
      ...b.propose('v'),
      ...b.value('v'),
      ...b.votes('prevote', [0, 1, 2], 'v'),
      ...b.votes('precommit', [0, 1, 2], 'v'),
    ];
    expect(outputs.filter((output) => output.startsWith('sign'))).toEqual([]);
    expect(outputs).toContain('decide v 1/0');
  });

  it('one validator alone decides by itself', () => {
    const b = new Bench({ own: 0, validators: testValidators(5n) });
    b.start();
    b.in({ kind: 'proposeValue', height: 1n, round: 0, blockId: testBlock('v') });
    b.in({ kind: 'signedProposal', proposal: testProposal({ round: 0, block: 'v' }) });
    expect(b.sign()).toContain('sign precommit v 0');
    expect(b.sign()).toContain('decide v 1/0');
  });
});

describe('rounds that fail', () => {
  it('waits longer in each round', () => {
    const b = bench();
    expect(b.timeout('propose')).toEqual(['wal timeoutElapsed', 'sign prevote nil 0']);
    b.sign();
    const [one = 0, two = 0] = b.others();
    expect([...b.vote('prevote', one, 'w'), ...b.vote('prevote', two)]).toContain('timeout prevote 0 1000');
    expect(b.timeout('prevote')).toContain('sign precommit nil 0');
    b.sign();
    expect([...b.vote('precommit', one), ...b.vote('precommit', two)]).toContain('timeout precommit 0 1000');
    expect(b.timeout('precommit')).toEqual(['wal timeoutElapsed', 'timeout propose 1 3500']);
    b.timeout('propose', 1);
    const more = [
      ...b.votes('prevote', [one, two, FOLLOWER], 'w', 1),
      ...b.votes('precommit', [one, two, FOLLOWER], undefined, 1),
    ];
    expect(more.filter((output) => output.startsWith('timeout'))).toEqual([
      'timeout prevote 1 1500',
      'timeout precommit 1 1500',
    ]);
  });

  it('precommits nil at once on +2/3 nil', () => {
    const b = bench();
    b.timeout('propose');
    expect(b.votes('prevote', [0, 1, 2, 3])).toContain('sign precommit nil 0');
  });

  it('an invalid or refused proposal is answered with nil', () => {
    for (const validity of ['invalid', 'rejected'] as const) {
      const b = bench();
      expect(b.propose('v')).toEqual(['wal proposal', 'validate v from proposal']);
      expect(b.value('v', validity)).toEqual(['wal value', 'sign prevote nil 0']);
    }
  });

  it('more than a third in a later round takes us there, and old timeouts are dead', () => {
    const b = bench();
    const [one = 0, two = 0] = b.others();
    b.vote('prevote', one, undefined, { round: 4 });
    expect(b.vote('precommit', two, 'v', { round: 4 })).toEqual(['wal vote', 'timeout propose 4 5000']);
    expect(b.timeout('propose', 0)).toEqual([]);
    expect(b.core.view()).toMatchObject({ round: 4, step: 'propose' });
  });
});

describe('locks', () => {
  /** Locked on v in round 0, now in round 1. */
  function locked(): Bench {
    const b = bench();
    b.propose('v');
    b.value('v');
    expect(b.votes('prevote', [0, 1, 2, 3], 'v')).toContain('sign precommit v 0');
    b.votes('precommit', b.others(), undefined);
    b.timeout('precommit');
    expect(b.core.view()).toMatchObject({ round: 1, step: 'propose', lockedRound: 0 });
    return b;
  }

  it('refuse another value', () => {
    const b = locked();
    b.propose('w', 1);
    expect(b.value('w')).toContain('sign prevote nil 1');
  });

  it('take their own value without proof', () => {
    expect(locked().propose('v', 1)).toContain('sign prevote v 1');
  });

  it('give way to a proof of lock of a later round, once its votes are here', () => {
    const b = locked();
    b.timeout('propose', 1);
    b.votes('prevote', b.others().slice(0, 2), undefined, 2);
    expect(b.core.view().round).toBe(2);
    b.propose('w', 2, 1);
    expect(b.value('w'), 'no proof yet').toEqual(['wal value']);
    expect(b.votes('prevote', b.others(), 'w', 1)).toContain('sign prevote w 2');
    expect(b.core.view().lockedRound).toBe(0);
    expect(b.votes('prevote', b.others(), 'w', 2)).toContain('sign precommit w 2');
    expect(b.core.view()).toMatchObject({ lockedRound: 2, lockedBlockId: testBlock('w') });
  });

  it('make the holder propose its value again, with its round', () => {
    const own = proposerOf(1);
    const b = new Bench({ own });
    b.start();
    b.propose('v');
    b.value('v');
    b.votes('prevote', b.others(), 'v');
    b.votes('precommit', b.others(), undefined);
    expect(b.timeout('precommit')).toEqual([
      'wal timeoutElapsed',
      'timeout propose 1 3500',
      'sign proposal v 1/0',
    ]);
  });
});

/** A commit of block `v` at the first height, by all but the last validator. */
function commitOfThree(): Commit {
  const donor = bench();
  donor.propose('v');
  donor.value('v');
  donor.votes('precommit', [0, 1, 2], 'v');
  donor.start(2n);
  return defined(donor.core.lastCommit(), 'commit');
}

describe('decisions', () => {
  it('are taken in any round of the height', () => {
    const b = bench();
    b.timeout('propose');
    b.votes('precommit', b.others().slice(0, 2), 'v');
    b.votes('prevote', b.others().slice(0, 2), undefined, 3);
    expect(b.core.view().round).toBe(3);
    const late = defined(b.others()[2], 'third');
    expect(b.vote('precommit', late, 'v')).toEqual(['wal vote', 'validate v from votes']);
    expect(b.value('v')).toEqual(['wal value', 'decide v 1/0', 'timeout commit 0 1000']);
  });

  it('follow +2/3 when only our application refused the block', () => {
    const b = bench();
    b.propose('v');
    b.value('v', 'rejected');
    expect(b.votes('precommit', b.others(), 'v')).toContain('decide v 1/0');
  });

  it('never take a block that breaks the rules', () => {
    const b = bench();
    b.propose('v');
    b.value('v', 'invalid');
    const outputs = b.votes('precommit', b.others(), 'v');
    expect(outputs).toContain('fault decided_invalid_block');
    expect(outputs).not.toContain('decide v 1/0');
  });

  it('count an equivocator for the decided block, in the commit too', () => {
    const b = bench();
    const [one = 0, two = 0, three = 0] = b.others();
    b.propose('v');
    b.value('v');
    b.vote('precommit', one, 'w');
    b.vote('precommit', two, 'v');
    b.vote('precommit', three, 'v');
    expect(b.vote('precommit', one, 'v')).toEqual([
      'wal vote',
      `evidence ${one}`,
      'decide v 1/0',
      'timeout commit 0 1000',
    ]);
    b.start(2n);
    const { signature, timestamp, validatorAddress } = b.made('precommit', one, 'v');
    const entry = { blockIdFlag: 'commit', signature, timestamp, validatorAddress };
    expect(b.core.lastCommit()?.signatures[one]).toEqual(entry);
  });

  it('by sync end the height, and nothing more is signed in it', () => {
    const commit = commitOfThree();
    const b = bench();
    b.propose('w');
    expect(b.in({ kind: 'decidedBySync', commit })).toEqual(['wal decidedBySync', 'decide v 1/0']);
    expect(b.value('w')).toEqual([]);
    expect(b.timeout('propose')).toEqual([]);
    expect(b.in({ kind: 'decidedBySync', commit })).toEqual([]);
    const other = { ...commit, blockId: testBlock('w') };
    expect(b.in({ kind: 'decidedBySync', commit: other })).toEqual(['fault conflicting_decision']);
    expect(b.start(2n)).toContain('timeout propose 0 3000');
    expect(b.core.lastCommit()).toEqual(commit);
  });

  it('by sync are proof against who had signed something else here, and so are votes that come later', () => {
    const commit = commitOfThree();
    const b = bench();
    b.vote('precommit', 1, 'w');
    b.vote('prevote', 3, 'w');
    expect(b.in({ kind: 'decidedBySync', commit })).toEqual([
      'wal decidedBySync',
      'evidence 1',
      'decide v 1/0',
    ]);
    b.start(2n);
    expect(b.vote('prevote', 3, 'v', { height: 1n })).toEqual(['evidence 3']);
    expect(b.vote('precommit', 2, 'w', { height: 1n })).toEqual(['evidence 2']);
    expect(b.core.lastCommit()).toEqual(commit);
  });

  it('stated by startHeight become the last commit', () => {
    const donor = bench();
    donor.propose('v');
    donor.value('v');
    donor.votes('precommit', [0, 1, 3], 'v');
    donor.start(2n);
    const commit = defined(donor.core.lastCommit(), 'commit');
    const b = new Bench({ own: FOLLOWER });
    const last = { commit, validators: FOUR };
    const outputs = b.in({ kind: 'startHeight', height: 2n, validators: FOUR, last });
    expect(outputs).toContain('timeout propose 0 3000');
    expect(b.core.lastCommit()).toEqual(commit);
  });
});

describe('what does not concern the core', () => {
  it('is ignored without a trace', () => {
    const b = bench();
    const before = b.core.view();
    const strange: Input[] = [
      { kind: 'vote', vote: b.made('prevote', 0, 'v', { height: 2n }) },
      { kind: 'vote', vote: { ...b.made('prevote', 0, 'v'), validatorIndex: 99 } },
      { kind: 'vote', vote: { ...b.made('prevote', 0, 'v'), validatorIndex: 1 } },
      { kind: 'proposal', proposal: testProposal({ round: 0, block: 'v', height: 2n }) },
      { kind: 'proposal', proposal: testProposal({ round: 99, block: 'v' }) },
      { kind: 'proposal', proposal: testProposal({ round: 1, block: 'v', polRound: 1 }) },
      { kind: 'value', height: 1n, blockId: testBlock('x'), validity: 'accepted' },
      { kind: 'proposeValue', height: 1n, round: 0, blockId: testBlock('x') },
      { kind: 'signedProposal', proposal: testProposal({ round: 0, block: 'x' }) },
      { kind: 'signedVote', vote: b.made('prevote', FOLLOWER, 'x') },
      { kind: 'timeoutElapsed', timeout: { kind: 'prevote', height: 1n, round: 0 } },
      { kind: 'timeoutElapsed', timeout: { kind: 'propose', height: 2n, round: 0 } },
      { kind: 'timeoutElapsed', timeout: { kind: 'commit', height: 0n, round: 0 } },
      { kind: 'startHeight', height: 1n, validators: FOUR, last: undefined },
    ];
    for (const input of strange) expect(b.in(input), input.kind).toEqual([]);
    expect(b.core.view()).toEqual(before);
  });

  it('a second proposal of a round, and a vote twice', () => {
    const b = bench();
    b.propose('v');
    expect(b.propose('w')).toEqual([]);
    b.vote('prevote', 0, 'v');
    expect(b.vote('prevote', 0, 'v')).toEqual([]);
  });

  it('a proposal of an earlier round', () => {
    const b = bench();
    b.votes('prevote', b.others().slice(0, 2), undefined, 2);
    expect(b.propose('v', 1)).toEqual([]);
    expect(b.core.proposal(1)).toBeUndefined();
  });

  it('before the first height', () => {
    const b = new Bench({ own: 0 });
    expect(b.vote('prevote', 0, 'v')).toEqual([]);
    expect([b.core.resume(), b.core.republish(), b.core.voteRounds()]).toEqual([[], [], []]);
    expect(b.core.view()).toMatchObject({ height: 0n, step: 'newHeight' });
  });

  it('tells the proposer of a round, whichever rounds were asked for before', () => {
    // A newcomer of great power loses it: priorities are rescaled turn by turn, by many turns at once only once.
    const { publicKey } = defined(testValidators(4n, 3n, 2n, 1n).validators[3], 'a newcomer');
    let set = testValidators(10n, 3n, 1n);
    for (const votingPower of [100_000n, 1n]) set = updateValidators(set, [{ publicKey, votingPower }]);
    let turned = set;
    const inTurn = [0, 1, 2].map((round) => {
      if (round > 0) turned = incrementProposerPriority(turned, 1);
      return toHex(turned.proposer?.address ?? new Uint8Array(0));
    });
    for (const asked of [[0, 1, 2], [2, 1, 0], [2], [1, 0, 2, 1], [0, 2]]) {
      const core = new Consensus({ address: undefined, timeouts: DEFAULT_TIMEOUTS });
      core.apply({ kind: 'startHeight', height: 1n, validators: set, last: undefined });
      for (const round of asked)
        expect(toHex(core.proposer(round)?.address ?? new Uint8Array(0))).toBe(inTurn[round]);
    }
    const atOnce = incrementProposerPriority(set, 2).proposer;
    expect(toHex(atOnce?.address ?? new Uint8Array(0)), 'the case of a rescale').not.toBe(inTurn[2]);
  });

  it('tells no proposer of far rounds: that would be work on demand', () => {
    const b = bench();
    expect(b.core.proposer(2)).toBeDefined();
    expect([b.core.proposer(3), b.core.proposer(2_147_483_647), b.core.proposer(-1)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('after a crash', () => {
  it('asks again for what was not answered', () => {
    const b = new Bench({ own: PROPOSER });
    b.start();
    expect(b.core.resume().map(text)).toEqual(['timeout propose 0 3000', 'request 0']);
    b.in({ kind: 'proposeValue', height: 1n, round: 0, blockId: testBlock('v') });
    expect(b.core.resume().map(text)).toEqual(['timeout propose 0 3000', 'sign proposal v 0/-1']);
    b.in({ kind: 'signedProposal', proposal: testProposal({ round: 0, block: 'v' }) });
    expect(b.core.resume().map(text)).toContain('sign prevote v 0');
    b.sign();
    expect(b.core.resume().map(text)).toEqual([
      'timeout propose 0 3000',
      'publish proposal v',
      'publish prevote v',
    ]);
    expect(b.core.republish().map(text)).toEqual(['publish proposal v', 'publish prevote v']);
    b.votes('precommit', b.others(), 'v');
    expect(b.core.resume().map(text)).toEqual(['decide v 1/0', 'timeout commit 0 1000']);
  });

  it('does not ask again for what belonged to an earlier round', () => {
    const b = new Bench({ own: PROPOSER });
    b.start();
    b.timeout('propose');
    b.sign();
    b.votes('prevote', b.others(), 'v');
    b.votes('precommit', b.others());
    expect(b.core.resume().map(text)).toContain('timeout prevote 0 1000');
    b.timeout('precommit');
    expect(b.core.view().round).toBe(1);
    expect(b.core.resume().map(text)).toEqual(['timeout propose 1 3500', 'validate v from votes']);
  });

  it('votes are asked to be later than the block they follow', () => {
    const b = bench();
    b.propose('v');
    b.value('v');
    expect(b.signVotes[0]).toMatchObject({ laterThan: testBlock('v') });
    b.votes('prevote', b.others(), 'v');
    b.votes('precommit', b.others());
    b.timeout('precommit');
    b.timeout('propose', 1);
    expect(b.signVotes[0]).toMatchObject({
      vote: { blockId: testBlock(undefined) },
      laterThan: testBlock('v'),
    });
  });
});
