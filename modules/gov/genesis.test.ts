import { describe, expect, it } from 'vitest';
import { defined } from '../../core/errors.ts';
import { moduleAddress } from '../../framework/address.ts';
import { JsonReader, type JsonObject, type JsonValue } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import * as legacy from '../../proto/gen/cosmos/gov/v1beta1/query.ts';
import * as wire from '../../proto/gen/cosmos/gov/v1/query.ts';
import * as tx from '../../proto/gen/cosmos/gov/v1/tx.ts';
import { TextProposal } from '../../proto/gen/cosmos/gov/v1beta1/gov.ts';
import { GOV_PARAMS } from '../../test/support/gov-world.ts';
import { restoreChain } from '../../test/support/restore.ts';
import { stakingSections } from '../../test/support/staking-world.ts';
import { anyOf, TestChain, testAccount } from '../../test/support/test-chain.ts';

/** A chain with a proposal that is voted on and one that waits for deposits. */
function runningChain(): TestChain {
  const accounts = Array.from({ length: 3 }, (_, i) => testAccount(`${i}`));
  const sections = stakingSections({ accounts, validators: [10_000_000n] });
  const gov = { starting_proposal_id: '1', params: GOV_PARAMS, constitution: 'law' };
  const chain = new TestChain({
    accounts: 3,
    genesis: { validators: [], sections: { ...sections, gov } },
  });
  const [alice] = accounts;
  if (alice === undefined) throw new RangeError('no account');
  const authority = chain.app.composition.addresses.toText(moduleAddress('gov'));
  const content = anyOf(TextProposal, { title: 'text', description: 'd' });
  const submit = (amount: string): ReturnType<typeof anyOf> =>
    anyOf(tx.MsgSubmitProposal, {
      messages: [anyOf(tx.MsgExecLegacyContent, { content, authority })],
      initialDeposit: [{ denom: 'uopen', amount }],
      proposer: alice.address,
      metadata: '',
      title: 'title',
      summary: 'summary',
      expedited: false,
    });
  const vote = anyOf(tx.MsgVote, { proposalId: 1n, voter: alice.address, option: 1, metadata: '' });
  chain.block();
  for (const message of [submit('1000'), submit('100'), vote])
    expect(chain.deliver(chain.sign(alice, [message], { gas: 400_000n })).log).toBe('');
  return chain;
}

function handlerOf(chain: TestChain): GenesisHandler {
  return defined(chain.app.composition.modules.find(({ name }) => name === 'gov')?.genesis, 'genesis of gov');
}

function list(section: JsonObject, name: string): readonly JsonValue[] {
  return new JsonReader(section[name], name).elements().map(({ value }) => value ?? null);
}

function first(section: JsonObject, name: string, edit: JsonObject): JsonObject {
  const [one, ...more] = list(section, name);
  return { ...section, [name]: [{ ...new JsonReader(one, name).object(), ...edit }, ...more] };
}

describe('genesis of governance', () => {
  it('is exported in the shape of the SDK and restores the state, which then goes on', () => {
    const chain = runningChain();
    const exported = chain.app.exportState().appState;
    expect(exported['gov']).toMatchObject({
      starting_proposal_id: '3',
      constitution: 'law',
      deposit_params: null,
      proposals: [
        {
          id: '1',
          status: 'PROPOSAL_STATUS_VOTING_PERIOD',
          total_deposit: [{ denom: 'uopen', amount: '1000' }],
          messages: [
            {
              '@type': '/cosmos.gov.v1.MsgExecLegacyContent',
              content: { '@type': '/cosmos.gov.v1beta1.TextProposal', title: 'text', description: 'd' },
            },
          ],
        },
        { id: '2', status: 'PROPOSAL_STATUS_DEPOSIT_PERIOD', voting_end_time: null },
      ],
      votes: [{ proposal_id: '1', options: [{ option: 'VOTE_OPTION_YES', weight: '1.000000000000000000' }] }],
    });
    // The restored chain's first block is years later: both periods end in it.
    const app = restoreChain(chain);
    expect(app.brokenInvariants()).toEqual([]);
    expect(app.exportState().appState['gov']).toMatchObject({
      starting_proposal_id: '3',
      proposals: [{ id: '1', status: 'PROPOSAL_STATUS_PASSED' }],
      votes: [],
      deposits: [],
    });
  });

  it.each<readonly [string, (section: JsonObject) => JsonObject]>([
    ['g.starting_proposal_id: must be greater than 0', (s) => ({ ...s, starting_proposal_id: '0' })],
    ['g.proposals[1].id: 2 is not from 1', (s) => ({ ...s, starting_proposal_id: '2' })],
    ['g.proposals[1].id: there are two proposals 2', (s) => first(s, 'proposals', { id: '2' })],
    [
      'g.deposits[0].proposal_id: there is no proposal 2',
      (s) => ({
        ...s,
        proposals: list(s, 'proposals').slice(0, 1),
        deposits: list(s, 'deposits').slice(1),
        starting_proposal_id: '3',
      }),
    ],
    ['g.votes[1]: ', (s) => ({ ...s, votes: [...list(s, 'votes'), ...list(s, 'votes')] })],
    [
      'g.votes[0].options: total weight',
      (s) => first(s, 'votes', { options: [{ option: 'VOTE_OPTION_YES', weight: '0.5' }] }),
    ],
    ['g.deposits[0].amount: ', (s) => first(s, 'deposits', { amount: [{ denom: 'uopen', amount: '-5' }] })],
    ['g.params: quorum too large', (s) => ({ ...s, params: { ...GOV_PARAMS, quorum: '1.5' } })],
    ['g.params: is missing', (s) => ({ ...s, params: null })],
    ['g.proposals[0]: has no end of its period', (s) => first(s, 'proposals', { voting_end_time: null })],
    [
      'g.tally_params: is of an older version',
      (s) => ({ ...s, tally_params: { quorum: '1', threshold: '1', veto_threshold: '1' } }),
    ],
  ])('is refused with the place: %s', (problem, edit) => {
    const chain = runningChain();
    const section = new JsonReader(chain.app.exportState().appState['gov'], 'g').object();
    const handler = handlerOf(chain);
    expect(() => handler.validate(new JsonReader(section, 'g'))).not.toThrow();
    expect(() => handler.validate(new JsonReader(edit(section), 'g'))).toThrow(problem);
  });
});

describe('queries of governance', () => {
  it('answer in both versions', () => {
    const chain = runningChain();
    const voter = testAccount('0').address;
    const v1 = (name: string): string => `/cosmos.gov.v1.Query/${name}`;
    const old = (name: string): string => `/cosmos.gov.v1beta1.Query/${name}`;
    const votes = { request: wire.QueryVotesRequest, response: wire.QueryVotesResponse };
    expect(chain.query(v1('Votes'), votes, { proposalId: 1n }).votes).toMatchObject([{ voter }]);
    const deposits = { request: wire.QueryDepositsRequest, response: wire.QueryDepositsResponse };
    expect(chain.query(v1('Deposits'), deposits, { proposalId: 2n }).deposits).toMatchObject([
      { depositor: voter, amount: [{ denom: 'uopen', amount: '100' }] },
    ]);
    const proposals = { request: wire.QueryProposalsRequest, response: wire.QueryProposalsResponse };
    const ids = (request: Partial<wire.QueryProposalsRequest>): readonly bigint[] =>
      chain.query(v1('Proposals'), proposals, request).proposals.map(({ id }) => id);
    expect(ids({})).toEqual([1n, 2n]);
    expect(ids({ proposalStatus: 1 })).toEqual([2n]);
    expect(ids({ voter })).toEqual([1n]);
    expect(ids({ depositor: voter })).toEqual([1n, 2n]);
    expect(ids({ depositor: testAccount('1').address })).toEqual([]);
    const one = { request: legacy.QueryProposalRequest, response: legacy.QueryProposalResponse };
    const { proposal } = chain.query(old('Proposal'), one, { proposalId: 1n });
    expect(TextProposal.decode(proposal.content?.value ?? new Uint8Array(0)).title).toBe('text');
    const vote = { request: legacy.QueryVoteRequest, response: legacy.QueryVoteResponse };
    expect(chain.query(old('Vote'), vote, { proposalId: 1n, voter }).vote.options).toEqual([
      { option: 1, weight: '1000000000000000000' },
    ]);
    const tally = { request: legacy.QueryTallyResultRequest, response: legacy.QueryTallyResultResponse };
    expect(chain.query(old('TallyResult'), tally, { proposalId: 1n }).tally.yes).toBe('10000000');
    const params = { request: wire.QueryParamsRequest, response: wire.QueryParamsResponse };
    expect(chain.query(v1('Params'), params, { paramsType: 'voting' }).votingParams).toEqual({
      votingPeriod: { seconds: 100n, nanos: 0 },
    });
    const oldParams = { request: legacy.QueryParamsRequest, response: legacy.QueryParamsResponse };
    const { tallyParams } = chain.query(old('Params'), oldParams, { paramsType: 'tallying' });
    expect(new TextDecoder().decode(tallyParams.quorum)).toBe('334000000000000000');
    const constitution = { request: wire.QueryConstitutionRequest, response: wire.QueryConstitutionResponse };
    expect(chain.query(v1('Constitution'), constitution, {}).constitution).toBe('law');
  });

  it.each([
    [
      'Proposal',
      { request: wire.QueryProposalRequest, response: wire.QueryProposalResponse },
      0n,
      'proposal id can not be 0',
    ],
    [
      'Proposal',
      { request: wire.QueryProposalRequest, response: wire.QueryProposalResponse },
      9n,
      "proposal 9 doesn't exist",
    ],
    ['Vote', { request: wire.QueryVoteRequest, response: wire.QueryVoteResponse }, 1n, 'empty voter address'],
    [
      'Deposit',
      { request: wire.QueryDepositRequest, response: wire.QueryDepositResponse },
      1n,
      'empty depositor address',
    ],
  ] as const)('say what is wrong: %s', (name, types, proposalId, problem) => {
    const chain = runningChain();
    const answer = chain.rawQuery(
      `/cosmos.gov.v1.Query/${name}`,
      types.request.encode({ ...types.request.create(), proposalId } as never),
    );
    expect(answer.log).toContain(problem);
  });
});
