/** Proposals from beginning to end, with the arithmetic. The rules: x/gov `README.md`, v0.50. */
import { describe, expect, it } from 'vitest';
import { moduleAddress } from '../../framework/address.ts';
import type { JsonObject } from '../../framework/json.ts';
import { MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import * as query from '../../proto/gen/cosmos/gov/v1/query.ts';
import * as tx from '../../proto/gen/cosmos/gov/v1/tx.ts';
import { MsgUpdateParams } from '../../proto/gen/cosmos/slashing/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { GovWorld } from '../../test/support/gov-world.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { decimal } from '../../test/support/staking-world.ts';
import { DEFAULT_PARAMS, paramsToWire } from '../slashing/params.ts';

const CANCEL = { message: tx.MsgCancelProposal, response: tx.MsgCancelProposalResponse };
const [DEPOSIT_PERIOD, VOTING, PASSED, REJECTED, FAILED] = [1, 2, 3, 4, 5];
const YES = { 1: '1' };
const ABSTAIN = { 2: '1' };
const NO = { 3: '1' };
const VETO = { 4: '1' };

/** Sets the window of slashing. */
function windowOf(world: GovWorld, signedBlocksWindow: bigint): Any {
  const params = paramsToWire({ ...DEFAULT_PARAMS, signedBlocksWindow });
  return anyOf(MsgUpdateParams, { authority: world.authority, params });
}

function pay(world: GovWorld, to: number, amount: number): Any {
  const coins = [{ denom: 'uopen', amount: `${amount}` }];
  return anyOf(MsgSend, {
    fromAddress: world.authority,
    toAddress: world.account(to).address,
    amount: coins,
  });
}

function held(world: GovWorld): bigint {
  return world.composition.bank.balance(world.context, moduleAddress('gov'), 'uopen');
}

function shown(world: GovWorld): readonly string[] {
  return world.context.events.map(
    ({ type, attributes }) => `${type} ${attributes.map(({ key, value }) => `${key}=${value}`).join(' ')}`,
  );
}

function tallyOf(world: GovWorld, proposalId: bigint): readonly bigint[] {
  const types = { request: query.QueryTallyResultRequest, response: query.QueryTallyResultResponse };
  const { tally } = world.ask('TallyResult', types, { proposalId });
  return [tally?.yesCount, tally?.abstainCount, tally?.noCount, tally?.noWithVetoCount].map((text) =>
    BigInt(text ?? -1),
  );
}

/** Ends the block in which the voting period is over, so that its end is the one that was seen last. */
function endVoting(world: GovWorld, seconds = 100n): readonly string[] {
  world.endBlock(seconds);
  const { context } = world;
  const before = context.events.length;
  world.composition.modules.find(({ name }) => name === 'gov')?.endBlock?.(context);
  return shown(world).slice(before);
}

describe('a proposal', () => {
  it('gets its deposit, is voted on and carried out', () => {
    const world = new GovWorld([10_000_000n, 20_000_000n]);
    const proposer = world.account(3).address;
    const before = world.balance(3);
    const id = world.submit(3, [windowOf(world, 50n)], { deposit: 100 });
    expect(id).toBe(1n);
    expect(
      shown(world).filter((event) => !event.startsWith('coin') && !event.startsWith('transfer')),
    ).toEqual([
      `submit_proposal proposal_id=1 proposal_proposer=${proposer} ` +
        'proposal_messages=,/cosmos.slashing.v1beta1.MsgUpdateParams',
      `message sender=${proposer}`,
      `proposal_deposit depositor=${proposer} amount=100uopen proposal_id=1`,
    ]);
    expect(world.proposal(id)).toMatchObject({ status: DEPOSIT_PERIOD, proposer, title: 'title' });
    expect(() => world.vote(0, id, YES)).toThrow('1: inactive proposal');
    world.deposit(4, id, 900);
    expect(shown(world).at(-1)).toBe('proposal_deposit voting_period_start=1');
    const { votingStartTime, votingEndTime, status } = world.proposal(id);
    expect(status).toBe(VOTING);
    expect(votingEndTime).toEqual({ seconds: (votingStartTime?.seconds ?? 0n) + 100n, nanos: 0 });
    world.vote(1, id, YES);
    expect(shown(world).at(-1)).toBe(
      `proposal_vote voter=${world.account(1).address} option=[{"option":1,"weight":"1"}] proposal_id=1`,
    );
    expect(held(world)).toBe(1000n);
    expect(world.broken()).toEqual([]);
    world.endBlock(99n);
    expect(world.proposal(id).status).toBe(VOTING);
    const events = endVoting(world, 1n);
    expect(events.at(-1)).toBe(
      'active_proposal proposal_id=1 proposal_result=proposal_passed proposal_log=passed',
    );
    // 20 of 30 million voted, all of them yes.
    expect(world.proposal(id)).toMatchObject({
      status: PASSED,
      failedReason: '',
      finalTallyResult: { yesCount: '20000000', abstainCount: '0', noCount: '0', noWithVetoCount: '0' },
    });
    expect(world.composition.slashing.params(world.context).signedBlocksWindow).toBe(50n);
    expect(held(world)).toBe(0n);
    expect(world.balance(3)).toBe(before);
    expect(world.broken()).toEqual([]);
  });

  it('is forgotten when its deposit does not come in time, and everybody gets theirs back', () => {
    const world = new GovWorld([10_000_000n]);
    const before = world.balance(3);
    const id = world.submit(3, [windowOf(world, 50n)], { deposit: 999 });
    expect(endVoting(world).at(-1)).toBe('inactive_proposal proposal_id=1 proposal_result=proposal_dropped');
    expect(() => world.proposal(id)).toThrow("proposal 1 doesn't exist");
    expect(world.balance(3)).toBe(before);
    expect(() => world.deposit(4, id, 100)).toThrow("collections: not found: key '1'");
    expect(world.broken()).toEqual([]);
    const burning = new GovWorld([10_000_000n], { burn_proposal_deposit_prevote: true });
    burning.submit(3, [windowOf(burning, 50n)], { deposit: 999 });
    endVoting(burning);
    expect(burning.balance(3)).toBe(before - 999n);
    expect(held(burning)).toBe(0n);
    expect(burning.broken()).toEqual([]);
  });

  it('begins with a part of the deposit that it needs, rounded to the nearest', () => {
    const world = new GovWorld([10_000_000n], { min_initial_deposit_ratio: '0.2515' });
    const begin = (deposit: number, expedited = false): bigint =>
      world.submit(3, [windowOf(world, 50n)], { deposit, expedited });
    // 251.5 of 1,000; 1,257.5 of 5,000.
    expect(() => begin(251)).toThrow('was (251uopen), need (252uopen): minimum deposit is too small');
    expect(begin(252)).toBe(1n);
    expect(() => begin(1257, true)).toThrow('need (1258uopen)');
    expect(begin(1258, true)).toBe(2n);
    expect(world.broken()).toEqual([]);
  });

  it('is carried out as a whole or not at all', () => {
    const world = new GovWorld([10_000_000n]);
    const id = world.submit(3, [windowOf(world, 50n), pay(world, 4, 5)]);
    world.vote(0, id, YES);
    const events = endVoting(world);
    const reason = 'spendable balance 0uopen is smaller than 5uopen: insufficient funds';
    expect(world.proposal(id)).toMatchObject({ status: FAILED, failedReason: reason });
    expect(events.at(-1)).toBe(
      'active_proposal proposal_id=1 proposal_result=proposal_failed ' +
        `proposal_log=passed, but msg 1 (/cosmos.bank.v1beta1.MsgSend) failed on execution: ${reason}`,
    );
    expect(world.composition.slashing.params(world.context).signedBlocksWindow).toBe(100n);
    expect(world.broken()).toEqual([]);
  });

  it('may take deposits of others, who then get what is left: no block stops', () => {
    const world = new GovWorld([10_000_000n]);
    const thief = world.submit(3, [pay(world, 4, 600)]);
    world.vote(0, thief, YES);
    world.endBlock(50n);
    const other = world.submit(5, [windowOf(world, 50n)]);
    const before = world.balance(5);
    endVoting(world, 50n);
    expect(world.proposal(thief).status).toBe(PASSED);
    endVoting(world, 50n);
    expect(world.proposal(other).status).toBe(REJECTED);
    expect(world.balance(5)).toBe(before + 400n);
    expect(held(world)).toBe(0n);
  });

  it('is taken back by its proposer, for half of the deposits', () => {
    const world = new GovWorld([10_000_000n]);
    const [before, other] = [world.balance(3), world.balance(4)];
    const id = world.submit(3, [windowOf(world, 50n)], { deposit: 101 });
    world.deposit(4, id, 1000);
    world.vote(0, id, YES);
    const cancel = (i: number): unknown =>
      world.run(CANCEL, { proposalId: id, proposer: world.account(i).address });
    expect(() => cancel(4)).toThrow(`invalid proposer ${world.account(4).address}: invalid proposer`);
    expect(cancel(3)).toMatchObject({ proposalId: id, canceledHeight: world.context.block.height });
    // Of 101 half, rounded down, is 50.
    expect(world.balance(3)).toBe(before - 50n);
    expect(world.balance(4)).toBe(other - 500n);
    expect(held(world)).toBe(0n);
    expect(() => cancel(3)).toThrow('collections: not found');
    world.endBlock(1000n);
    expect(world.broken()).toEqual([]);
  });

  it('can be taken back until the block that counts the votes, itself included', () => {
    const world = new GovWorld([10_000_000n]);
    const id = world.submit(3, [windowOf(world, 50n)]);
    world.vote(0, id, YES);
    world.endBlock(100n);
    expect(world.proposal(id).votingEndTime).toEqual(world.context.block.time);
    expect(world.run(CANCEL, { proposalId: id, proposer: world.account(3).address }).proposalId).toBe(id);
    world.endBlock();
    expect(world.broken()).toEqual([]);
  });

  it('gives what it costs to take it back to whom the parameters name', () => {
    const pool = new GovWorld([10_000_000n]).composition.addresses.toText(moduleAddress('distribution'));
    const world = new GovWorld([10_000_000n], { proposal_cancel_dest: pool, proposal_cancel_ratio: '1' });
    const id = world.submit(3, [windowOf(world, 50n)]);
    world.run(CANCEL, { proposalId: id, proposer: world.account(3).address });
    const [coin] = world.composition.distribution.communityPool(world.context);
    expect(`${coin?.amount} ${coin?.denom}`).toBe('1000.000000000000000000 uopen');
    expect(world.broken()).toEqual([]);
  });
});

describe('a tally', () => {
  /**
   * Validators of 10 and 20 million; 5 million of account 3 with the first, 4 million of account 4 with the
   * second.
   */
  function voting(params: JsonObject = {}): { readonly world: GovWorld; readonly id: bigint } {
    const world = new GovWorld([10_000_000n, 20_000_000n], params);
    world.delegate(3, 0, 5_000_000);
    world.delegate(4, 1, 4_000_000);
    world.endBlock();
    return { world, id: world.submit(5, [windowOf(world, 50n)]) };
  }

  it('counts what delegators say themselves out of what their validators say', () => {
    const { world, id } = voting();
    world.vote(0, id, YES);
    expect(tallyOf(world, id)).toEqual([15_000_000n, 0n, 0n, 0n]);
    world.vote(3, id, NO);
    expect(tallyOf(world, id)).toEqual([10_000_000n, 0n, 5_000_000n, 0n]);
    world.vote(3, id, { 1: '0.3', 2: '0.7' });
    expect(tallyOf(world, id)).toEqual([11_500_000n, 3_500_000n, 0n, 0n]);
    // A validator that does not vote takes nothing of its delegators' votes.
    world.vote(4, id, VETO);
    expect(tallyOf(world, id)).toEqual([11_500_000n, 3_500_000n, 0n, 4_000_000n]);
    expect(world.broken()).toEqual([]);
  });

  it('goes by tokens: a slash lessens the votes of all delegators alike', () => {
    const { world, id } = voting();
    const { staking } = world.composition;
    const consensusAddress = world.keyAddress(0);
    const { height } = world.context.block;
    // 20 % of power 15: three million of fifteen.
    staking.slash(world.context, { consensusAddress, height, power: 15n, fraction: decimal('0.2') });
    world.vote(0, id, YES);
    world.vote(3, id, NO);
    // 12 million over shares of 15 million: 8 and 4.
    expect(tallyOf(world, id)).toEqual([8_000_000n, 0n, 4_000_000n, 0n]);
  });

  it('counts nothing of who is not bonded', () => {
    const { world, id } = voting();
    world.composition.staking.jail(world.context, world.keyAddress(0));
    world.endBlock();
    world.vote(0, id, YES);
    world.vote(3, id, YES);
    expect(tallyOf(world, id)).toEqual([0n, 0n, 0n, 0n]);
  });

  it('counts nothing of who has too little stake for any power, though there is room in the set', () => {
    const world = new GovWorld([10_000_000n, 10_000_000n]);
    const { height } = world.context.block;
    const offence = { consensusAddress: world.keyAddress(1), height, power: 10n, fraction: decimal('0.95') };
    world.composition.staking.slash(world.context, offence);
    world.endBlock();
    const id = world.submit(5, [windowOf(world, 50n)]);
    world.vote(1, id, NO);
    expect(tallyOf(world, id)).toEqual([0n, 0n, 0n, 0n]);
    world.delegate(3, 1, 500_000);
    // Strong enough now, and bonded at the end of the block.
    expect(tallyOf(world, id)).toEqual([0n, 0n, 0n, 0n]);
    world.endBlock();
    expect(tallyOf(world, id)).toEqual([0n, 0n, 1_000_000n, 0n]);
  });

  it('needs a quorum that is reached, and a veto that is exceeded', () => {
    const decided = (tokens: readonly bigint[], options: Record<number, string>, params: JsonObject = {}) => {
      const world = new GovWorld(tokens, params);
      const id = world.submit(5, [windowOf(world, 50n)]);
      world.vote(0, id, options);
      endVoting(world);
      return world.proposal(id).status;
    };
    expect(decided([3_340_000n, 6_660_000n], YES)).toBe(PASSED);
    expect(decided([3_339_999n, 6_660_001n], YES)).toBe(REJECTED);
    expect(decided([10_000_000n], { 1: '0.666', 4: '0.334' })).toBe(PASSED);
    expect(decided([10_000_000n], { 1: '0.665999', 4: '0.334001' })).toBe(REJECTED);
  });

  it.each<
    readonly [string, JsonObject, readonly (readonly [number, Record<number, string>])[], number, boolean]
  >([
    // Of 39 million bonded; a third of that, 0.334, is 13.026 million.
    [
      'without a quorum',
      {},
      [
        [3, YES],
        [4, YES],
      ],
      REJECTED,
      false,
    ],
    ['without a quorum, burned', { burn_vote_quorum: true }, [[3, YES]], REJECTED, true],
    ['without a vote', {}, [], REJECTED, false],
    [
      'with abstention only',
      {},
      [
        [0, ABSTAIN],
        [1, ABSTAIN],
      ],
      REJECTED,
      false,
    ],
    // 15 of 39 million against with veto are 0.3846.
    [
      'with a veto',
      {},
      [
        [0, VETO],
        [1, YES],
      ],
      REJECTED,
      true,
    ],
    [
      'with a veto, not burned',
      { burn_vote_veto: false },
      [
        [0, VETO],
        [1, YES],
      ],
      REJECTED,
      false,
    ],
    // 24 of 39 million are 0.615.
    [
      'with a majority',
      {},
      [
        [0, NO],
        [1, YES],
      ],
      PASSED,
      false,
    ],
    [
      'without a majority',
      {},
      [
        [0, YES],
        [1, NO],
      ],
      REJECTED,
      false,
    ],
    // 12 of 24 million are a half, which is not more than a half.
    ['with half of the votes', {}, [[1, { 1: '0.5', 3: '0.5' }]], REJECTED, false],
  ])('decides %s', (_, params, votes, status, isBurned) => {
    const { world, id } = voting(params);
    const supply = world.composition.bank.supply(world.context, 'uopen');
    for (const [i, options] of votes) world.vote(i, id, options);
    endVoting(world);
    expect(world.proposal(id).status).toBe(status);
    expect(supply - world.composition.bank.supply(world.context, 'uopen')).toBe(isBurned ? 1000n : 0n);
    expect(held(world)).toBe(0n);
    expect(world.broken()).toEqual([]);
  });

  it('of an expedited proposal needs two thirds; without them it is voted on again as a regular one', () => {
    const { world, id: regular } = voting();
    const id = world.submit(5, [windowOf(world, 50n)], { deposit: 5000, expedited: true });
    world.vote(0, id, NO);
    world.vote(1, id, YES); // 0.615, not more than 0.667
    expect(endVoting(world, 50n).at(-1)).toBe(
      'active_proposal proposal_id=2 proposal_result=expedited_proposal_rejected ' +
        'proposal_log=expedited proposal converted to regular',
    );
    expect(world.proposal(id)).toMatchObject({ status: VOTING, expedited: false });
    expect(held(world)).toBe(6000n);
    expect(world.broken()).toEqual([]);
    world.vote(1, id, YES);
    endVoting(world, 50n);
    expect(world.proposal(id).status).toBe(PASSED);
    expect(world.proposal(regular).status).toBe(REJECTED);
    expect(world.broken()).toEqual([]);
  });
});
