/** A chain on which account 0 has all votes: what it proposes is done at the end of the third block from then. */
import { defined } from '../../core/errors.ts';
import type { JsonObject } from '../../framework/json.ts';
import { MsgSubmitProposal, MsgVote } from '../../proto/gen/cosmos/gov/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { deliverOk } from './economic-loop.ts';
import { GOV_PARAMS } from './gov-world.ts';
import { stakingSections } from './staking-world.ts';
import { anyOf, type TestChain, type TestChainOptions, testAccount } from './test-chain.ts';

/** Options of such a chain with so many accounts, and further sections of its genesis. */
export function governed(
  count: number,
  sections: JsonObject = {},
): Pick<TestChainOptions, 'accounts' | 'genesis'> {
  const accounts = Array.from({ length: count }, (_, i) => testAccount(`${i}`));
  const staked = stakingSections({ accounts, validators: [10_000_000n] });
  const params = { ...GOV_PARAMS, voting_period: '3s', expedited_voting_period: '2s' };
  const gov = { starting_proposal_id: '1', params };
  return { accounts: count, genesis: { validators: [], sections: { ...sections, ...staked, gov } } };
}

/** Proposes messages and votes for them, in two blocks. @returns the height at whose end they are carried out */
export function propose(chain: TestChain, ...messages: readonly Any[]): bigint {
  const voter = chain.account(0);
  const proposal = MsgSubmitProposal.create({
    messages,
    initialDeposit: [{ denom: 'uopen', amount: '1000' }],
    proposer: voter.address,
    title: 'title',
    summary: 'summary',
  });
  const { events } = deliverOk(chain, voter, anyOf(MsgSubmitProposal, proposal));
  const done = chain.height + 3n;
  const attributes = events.flatMap((event) => (event.type === 'submit_proposal' ? event.attributes : []));
  const id = defined(
    attributes.find(({ key }) => key === 'proposal_id'),
    'proposal_id',
  ).value;
  const vote = { proposalId: BigInt(id), voter: voter.address, option: 1, metadata: '' };
  deliverOk(chain, voter, anyOf(MsgVote, vote));
  return done;
}
