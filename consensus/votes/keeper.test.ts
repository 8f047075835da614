import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setBits } from '../types/bit-array.ts';
import { blockIdKey, NIL_BLOCK_ID } from '../types/block-id.ts';
import { testBlock, testValidators, testVote } from '../testing/fixtures.ts';
import { VoteKeeper } from './keeper.ts';
import { CONFLICTING_VOTES_MAX, VoteTally } from './tally.ts';

const FOUR = testValidators(1n, 1n, 1n, 1n);

function prevote(from: number, block?: string, round = 0): ReturnType<typeof testVote> {
  return testVote(FOUR, { type: 'prevote', round, from, ...(block === undefined ? {} : { for: block }) });
}
function precommit(from: number, block?: string, round = 0): ReturnType<typeof testVote> {
  return { ...prevote(from, block, round), type: 'precommit' };
}

describe('a tally', () => {
  it('needs more than two thirds, not two thirds', () => {
    const three = testValidators(1n, 1n, 1n);
    const tally = new VoteTally(three);
    for (const from of [0, 1]) tally.add(testVote(three, { type: 'prevote', round: 0, from, for: 'v' }));
    expect([tally.majority, tally.hasTwoThirdsAny()]).toEqual([undefined, false]);
    tally.add(testVote(three, { type: 'prevote', round: 0, from: 2, for: 'v' }));
    expect([tally.majority, tally.hasTwoThirdsAny()]).toEqual([testBlock('v'), true]);
  });

  it('weighs by power', () => {
    const set = testValidators(70n, 10n, 10n, 10n);
    const tally = new VoteTally(set);
    tally.add(testVote(set, { type: 'prevote', round: 0, from: 0, for: 'v' }));
    expect(tally.majority).toEqual(testBlock('v'));
  });

  it('takes +2/3 of different votes as anything, and as no value', () => {
    const tally = new VoteTally(FOUR);
    for (const [from, block] of [
      [0, 'v'],
      [1, 'w'],
      [2, undefined],
    ] as const)
      tally.add(prevote(from, block));
    expect([tally.hasTwoThirdsAny(), tally.majority, tally.isComplete()]).toEqual([true, undefined, false]);
  });

  it('knows nil as a majority of its own', () => {
    const tally = new VoteTally(FOUR);
    for (const from of [0, 1, 2]) tally.add(prevote(from));
    expect(tally.majority).toEqual(NIL_BLOCK_ID);
  });

  it('ignores repeats, unknown validators and wrong addresses', () => {
    const tally = new VoteTally(FOUR);
    tally.add(prevote(0, 'v'));
    expect(tally.add({ ...prevote(0, 'v'), signature: Uint8Array.of(9) })).toEqual({ kind: 'ignored' });
    expect(tally.add({ ...prevote(1, 'v'), validatorIndex: 4 })).toEqual({ kind: 'ignored' });
    expect(tally.add({ ...prevote(1, 'v'), validatorIndex: -1 })).toEqual({ kind: 'ignored' });
    expect(tally.add({ ...prevote(1, 'v'), validatorIndex: 2 })).toEqual({ kind: 'ignored' });
    expect([...setBits(tally.bits)]).toEqual([0]);
  });

  it('reports an equivocator and counts it for each value, once for anything', () => {
    const tally = new VoteTally(FOUR);
    for (const from of [0, 1]) tally.add(prevote(from, 'v'));
    tally.add(prevote(3, 'w'));
    expect(tally.add(prevote(3, 'v'))).toEqual({ kind: 'conflict', first: prevote(3, 'w'), kept: true });
    expect(tally.majority).toEqual(testBlock('v'));
    expect([...setBits(tally.bitsFor(testBlock('v')))]).toEqual([0, 1, 3]);
    expect(tally.vote(3)).toEqual(prevote(3, 'w'));
    expect(tally.voteFor(3, testBlock('v'))).toEqual(prevote(3, 'v'));
    const any = new VoteTally(FOUR);
    for (const block of ['v', 'w']) any.add(prevote(3, block));
    any.add(prevote(0, 'v'));
    expect(any.hasTwoThirdsAny()).toBe(false);
  });

  it('bounds what it keeps of an equivocator, but not where it makes a difference', () => {
    const tally = new VoteTally(FOUR);
    for (let i = 0; i < CONFLICTING_VOTES_MAX; i++) tally.add(prevote(3, `spam ${i}`));
    expect(tally.add(prevote(3, 'more'))).toMatchObject({ kind: 'conflict', kept: false });
    for (const from of [0, 1]) tally.add(prevote(from, 'v'));
    expect(tally.add(prevote(3, 'v'))).toMatchObject({ kind: 'conflict', kept: true });
    expect(tally.majority).toEqual(testBlock('v'));
  });

  it('comes to the same counts in whatever order honest votes arrive', () => {
    const votes = fc.array(fc.tuple(fc.nat(3), fc.constantFrom('v', 'w', undefined)), { maxLength: 4 });
    fc.assert(
      fc.property(votes, fc.infiniteStream(fc.nat()), (cast, order) => {
        const once = [...new Map(cast).entries()].map(([from, block]) => prevote(from, block));
        const shuffled = once
          .map((vote) => ({ vote, at: order.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ vote }) => vote);
        const [one, other] = [new VoteTally(FOUR), new VoteTally(FOUR)];
        for (const vote of once) one.add(vote);
        for (const vote of shuffled) other.add(vote);
        expect(other.bits).toEqual(one.bits);
        expect(other.majority).toEqual(one.majority);
        expect(other.hasTwoThirdsAny()).toBe(one.hasTwoThirdsAny());
      }),
    );
  });

  it('forgets a validator completely', () => {
    const tally = new VoteTally(FOUR);
    for (const from of [0, 1, 2]) tally.add(prevote(from, 'v'));
    tally.remove(1);
    tally.remove(1);
    expect([tally.majority, tally.hasTwoThirdsAny(), [...setBits(tally.bits)]]).toEqual([
      undefined,
      false,
      [0, 2],
    ]);
    expect(tally.add(prevote(1, 'v'))).toEqual({ kind: 'added' });
    expect(tally.majority).toEqual(testBlock('v'));
  });
});

describe('a keeper', () => {
  it('finds the latest round with more than a third, prevotes and precommits together', () => {
    const keeper = new VoteKeeper(FOUR);
    keeper.add(prevote(0, 'v', 1), 0);
    expect(keeper.roundToSkipTo(0)).toBeUndefined();
    keeper.add(precommit(0, 'v', 1), 0);
    expect(keeper.roundToSkipTo(0), 'one validator twice is one third at most').toBeUndefined();
    keeper.add(precommit(1, undefined, 1), 0);
    expect(keeper.roundToSkipTo(0)).toBe(1);
    for (const from of [2, 3]) keeper.add(prevote(from, undefined, 7), 0);
    expect(keeper.roundToSkipTo(0)).toBe(7);
    expect(keeper.roundToSkipTo(7)).toBeUndefined();
  });

  it('does not take one third for more than one third', () => {
    const three = testValidators(1n, 1n, 1n);
    const keeper = new VoteKeeper(three);
    keeper.add(testVote(three, { type: 'prevote', round: 1, from: 0 }), 0);
    expect(keeper.roundToSkipTo(0)).toBeUndefined();
    keeper.add(testVote(three, { type: 'prevote', round: 1, from: 2 }), 0);
    expect(keeper.roundToSkipTo(0)).toBe(1);
  });

  it('lists blocks precommitted by +2/3 in any round, and not nil', () => {
    const keeper = new VoteKeeper(FOUR);
    for (const from of [0, 1, 2]) keeper.add(precommit(from, 'v', 1), 3);
    for (const from of [0, 1, 2]) keeper.add(precommit(from, undefined, 2), 3);
    expect(keeper.precommitMajorities()).toEqual([{ round: 1, blockId: testBlock('v') }]);
  });

  it('bounds far rounds per validator; newer ones push older ones out', () => {
    const keeper = new VoteKeeper(FOUR);
    for (let round = 2; round < 1000; round++) {
      keeper.add(prevote(3, `spam ${round}`, round), 0);
      keeper.add(precommit(3, `spam ${round}`, round), 0);
    }
    expect(keeper.rounds()).toEqual([998, 999]);
    expect(keeper.add(prevote(3, 'v', 5), 0)).toEqual({ kind: 'ignored' });
    keeper.add(prevote(2, 'v', 998), 0);
    expect(keeper.roundToSkipTo(0), 'another validator has room of its own').toBe(998);
  });

  it('gives room back when its own round rises', () => {
    const keeper = new VoteKeeper(FOUR);
    for (const round of [5, 6]) keeper.add(prevote(3, 'v', round), 0);
    keeper.enterRound(5);
    for (const round of [7, 8]) keeper.add(prevote(3, 'v', round), 5);
    expect(keeper.rounds()).toEqual([5, 6, 7, 8]);
  });

  it('keeps all rounds up to the next one', () => {
    const keeper = new VoteKeeper(FOUR);
    for (let round = 0; round <= 11; round++) keeper.add(prevote(3, 'v', round), 10);
    expect(keeper.rounds()).toHaveLength(12);
    expect(blockIdKey(keeper.tally(3, 'prevote')?.vote(3)?.blockId ?? NIL_BLOCK_ID)).not.toBe('');
  });
});
