/** What governance refuses, with the codes and sentences of the SDK. */
import { describe, expect, it } from 'vitest';
import { MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { PubKey } from '../../proto/gen/cosmos/crypto/secp256k1/keys.ts';
import { MsgUpdateParams as DistributionUpdate } from '../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import * as tx from '../../proto/gen/cosmos/gov/v1/tx.ts';
import { TextProposal } from '../../proto/gen/cosmos/gov/v1beta1/gov.ts';
import * as legacy from '../../proto/gen/cosmos/gov/v1beta1/tx.ts';
import { GovWorld, type ProposalOptions } from '../../test/support/gov-world.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { decimal } from '../../test/support/staking-world.ts';
import { DEFAULT_PARAMS } from './params.ts';

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing was refused';
}

describe('a proposal is refused', () => {
  const world = new GovWorld([10_000_000n]);
  const text = anyOf(tx.MsgExecLegacyContent, {
    authority: world.authority,
    content: anyOf(TextProposal, { title: 't', description: 'd' }),
  });
  const amount = [{ denom: 'uopen', amount: '1' }];
  const own = anyOf(MsgSend, { fromAddress: world.authority, toAddress: world.authority, amount });
  const alien = anyOf(MsgSend, { fromAddress: world.account(3).address, toAddress: world.authority, amount });

  it.each<readonly [string, ProposalOptions]>([
    ['proposal title cannot be empty: invalid request', { title: '' }],
    ['proposal summary cannot be empty: invalid request', { summary: '' }],
    ['either metadata or Msgs length must be non-nil: no messages proposed', { messages: [] }],
    ['got metadata with length 256: metadata too long', { title: 'x'.repeat(256) }],
    ['got metadata with length 256: metadata too long', { metadata: 'ü'.repeat(128) }],
    ['got summary with length 10201: summary too long', { summary: 'x'.repeat(10_201) }],
    [
      "metadata title 'other' must equal proposal title 'title': invalid proposal content",
      { metadata: '{"title":"other","summary":"summary"}' },
    ],
    [
      "metadata summary '' must equal proposal summary 'summary': invalid proposal content",
      { metadata: '{"Title":"title"}' },
    ],
    [
      `${world.account(3).address}: expected gov account as only signer for proposal message`,
      { messages: [alien] },
    ],
    [
      `unable to resolve type URL ${PubKey.typeUrl}: tx parse error`,
      { messages: [anyOf(PubKey, { key: new Uint8Array(33) })] },
    ],
    ['was (99uopen), need (100uopen): minimum deposit is too small', { deposit: 99 }],
    ['was (), need (500uopen): minimum deposit is too small', { deposit: 0, expedited: true }],
  ])('%s', (sentence, options) => {
    expect(refusal(() => world.submit(3, [own], options))).toBe(sentence);
    expect(world.broken()).toEqual([]);
  });

  it('but not for metadata that is none of the recommended form', () => {
    for (const metadata of ['ipfs://x', '{"title":5}', '[1]', '{"title":"title","summary":"summary"}'])
      expect(refusal(() => world.submit(3, [own, text], { metadata }))).toBe('nothing was refused');
    expect(refusal(() => world.submit(3, [], { metadata: 'x' }))).toBe('nothing was refused');
    expect(world.broken()).toEqual([]);
  });
});

describe('a proposal is stored', () => {
  it('as the SDK packs it: a rate that was left out is zero, before and after an export', () => {
    const world = new GovWorld([10_000_000n]);
    const left = anyOf(DistributionUpdate, {
      authority: world.authority,
      params: {
        communityTax: '1',
        baseProposerReward: '',
        bonusProposerReward: '',
        withdrawAddrEnabled: true,
      },
    });
    const [stored] = world.proposal(world.submit(3, [left])).messages;
    const { params } = DistributionUpdate.decode(stored?.value ?? new Uint8Array(0));
    expect(params).toMatchObject({ communityTax: '1', baseProposerReward: '0', bonusProposerReward: '0' });
  });
});

describe('deposits and votes are refused', () => {
  it('with the sentences of the SDK', () => {
    const world = new GovWorld([10_000_000n]);
    const id = world.submit(3, [], { metadata: 'x', deposit: 100 });
    expect(refusal(() => world.deposit(4, id, 9))).toBe(
      'received 9uopen but need at least one of the following: 10uopen: minimum deposit is too small',
    );
    expect(refusal(() => world.deposit(4, id, 50, 'uusd'))).toBe(
      'deposited 50uusd, but gov accepts only the following denom(s): [uopen]: invalid deposit denom',
    );
    expect(refusal(() => world.deposit(4, 9n, 50))).toContain("collections: not found: key '9'");
    world.deposit(4, id, 900);
    const vote = (options: Record<number, string>): string => refusal(() => world.vote(0, id, options));
    expect(vote({})).toBe('[]: invalid request');
    expect(vote({ 5: '1' })).toBe('option:5 weight:"1" : invalid vote option');
    expect(vote({ 1: '0.5' })).toBe('total weight lower than 1.00: invalid vote option');
    expect(vote({ 1: '0.6', 2: '0.6' })).toBe('total weight overflow 1.00: invalid vote option');
    expect(vote({ 1: '0', 2: '1' })).toBe('option:VOTE_OPTION_YES weight:"0" : invalid vote option');
    expect(vote({ 1: 'x' })).toContain('invalid weight: ');
    world.endBlock(100n);
    world.endBlock();
    expect(refusal(() => world.deposit(4, id, 50))).toBe(`${id}: inactive proposal`);
    expect(vote({ 1: '1' })).toBe(`${id}: inactive proposal`);
    expect(world.broken()).toEqual([]);
  });
});

describe('parameters of governance', () => {
  const coins = (amount: string): readonly { denom: string; amount: string }[] => [
    { denom: 'uopen', amount },
  ];
  const valid = { ...DEFAULT_PARAMS, minDeposit: coins('5'), expeditedMinDeposit: coins('6') };
  const types = { message: tx.MsgUpdateParams, response: tx.MsgUpdateParamsResponse };

  it.each<readonly [string, Partial<typeof valid>]>([
    ['invalid minimum deposit', { minDeposit: [] }],
    ['invalid expedited minimum deposit: 0uopen', { expeditedMinDeposit: coins('0') }],
    ['expedited minimum deposit must be greater', { expeditedMinDeposit: coins('5') }],
    ['maximum deposit period must not be nil', { maxDepositPeriod: undefined }],
    ['voting period must be positive', { votingPeriod: { seconds: 0n, nanos: 0 } }],
    ['voting period must be shorter', { votingPeriod: { seconds: 1n << 40n, nanos: 0 } }],
    ['must be strictly less', { expeditedVotingPeriod: valid.votingPeriod }],
    ['quorum too large', { quorum: '1.1' }],
    ['vote threshold must be positive', { threshold: '0' }],
    ['must be greater than the regular threshold', { expeditedThreshold: '0.5' }],
    ['invalid veto threshold string', { vetoThreshold: 'x' }],
    ['cannot be negative', { proposalCancelRatio: '-0.1' }],
    ['minimum deposit ratio too large', { minDepositRatio: '2' }],
    ['deposits destination address is invalid: x', { proposalCancelDest: 'x' }],
  ])('are refused: %s', (sentence, edit) => {
    const world = new GovWorld([10_000_000n]);
    const { authority } = world;
    expect(refusal(() => world.run(types, { authority, params: { ...valid, ...edit } }))).toContain(sentence);
    expect(refusal(() => world.run(types, { authority, params: valid }))).toBe('nothing was refused');
  });
});

describe('v1beta1', () => {
  const SUBMIT = { message: legacy.MsgSubmitProposal, response: legacy.MsgSubmitProposalResponse };

  it('proposes texts and votes on them', () => {
    const world = new GovWorld([10_000_000n]);
    const submit = (content: ReturnType<typeof anyOf>): bigint =>
      world.run(SUBMIT, {
        content,
        initialDeposit: [{ denom: 'uopen', amount: '1000' }],
        proposer: world.account(3).address,
      }).proposalId;
    const textOf = (title: string, description = 'd'): ReturnType<typeof anyOf> =>
      anyOf(TextProposal, { title, description });
    expect(refusal(() => submit(textOf(' ')))).toBe(
      'proposal title cannot be blank: invalid proposal content',
    );
    expect(refusal(() => submit(textOf('x'.repeat(141))))).toContain('longer than max length of 140');
    expect(refusal(() => submit(textOf('t', '')))).toContain('proposal description cannot be blank');
    expect(refusal(() => submit(anyOf(PubKey, { key: new Uint8Array(33) })))).toContain(
      'invalid proposal type',
    );
    const id = submit(textOf('t'));
    const voter = world.account(0).address;
    world.run(
      { message: legacy.MsgVote, response: legacy.MsgVoteResponse },
      { proposalId: id, voter, option: 3 },
    );
    world.run(
      { message: legacy.MsgVoteWeighted, response: legacy.MsgVoteWeightedResponse },
      {
        proposalId: id,
        voter,
        options: [
          { option: 1, weight: decimal('0.9').toWire() },
          { option: 2, weight: decimal('0.1').toWire() },
        ],
      },
    );
    world.run(
      { message: legacy.MsgDeposit, response: legacy.MsgDepositResponse },
      { proposalId: id, depositor: voter, amount: [{ denom: 'uopen', amount: '10' }] },
    );
    world.endBlock(100n);
    world.endBlock();
    expect(world.proposal(id)).toMatchObject({
      status: 3,
      title: 't',
      summary: 'd',
      finalTallyResult: { yesCount: '9000000', abstainCount: '1000000' },
    });
    expect(world.broken()).toEqual([]);
  });
});
