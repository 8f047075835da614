/** A chain with validators whose accounts propose, deposit and vote. */
import { moduleAddress } from '../../framework/address.ts';
import type { JsonObject } from '../../framework/json.ts';
import type { Proposal } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import * as query from '../../proto/gen/cosmos/gov/v1/query.ts';
import * as tx from '../../proto/gen/cosmos/gov/v1/tx.ts';
import { MsgDelegate, MsgDelegateResponse } from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { StakingWorld } from './staking-world.ts';

/** What `submit` may be told. */
export interface ProposalOptions extends Partial<Omit<tx.MsgSubmitProposal, 'initialDeposit'>> {
  /** Of `uopen`; default 1,000, which is enough. */
  readonly deposit?: number;
}

/** Deposits of 1,000, or 5,000 for what is expedited; a hundred seconds to deposit and to vote, or fifty. */
export const GOV_PARAMS: JsonObject = {
  min_deposit: [{ denom: 'uopen', amount: '1000' }],
  expedited_min_deposit: [{ denom: 'uopen', amount: '5000' }],
  max_deposit_period: '100s',
  voting_period: '100s',
  expedited_voting_period: '50s',
  quorum: '0.334000000000000000',
  threshold: '0.500000000000000000',
  expedited_threshold: '0.667000000000000000',
  veto_threshold: '0.334000000000000000',
  min_initial_deposit_ratio: '0.100000000000000000',
  proposal_cancel_ratio: '0.500000000000000000',
  proposal_cancel_dest: '',
  burn_proposal_deposit_prevote: false,
  burn_vote_quorum: false,
  burn_vote_veto: true,
  min_deposit_ratio: '0.010000000000000000',
};

/** Governance over validators with these tokens, each operated by the account of its number. */
export class GovWorld extends StakingWorld {
  readonly authority: string;

  constructor(validators: readonly bigint[], params: JsonObject = {}) {
    const gov = { starting_proposal_id: '1', params: { ...GOV_PARAMS, ...params } };
    super({ validators, sections: { gov } });
    this.authority = this.composition.addresses.toText(moduleAddress('gov'));
  }

  /** Proposes as the i-th account. @returns the proposal's number */
  submit(i: number, messages: readonly Any[], options: ProposalOptions = {}): bigint {
    const { deposit = 1000, ...rest } = options;
    const types = { message: tx.MsgSubmitProposal, response: tx.MsgSubmitProposalResponse };
    return this.run(types, {
      messages,
      initialDeposit: deposit === 0 ? [] : [{ denom: 'uopen', amount: `${deposit}` }],
      proposer: this.account(i).address,
      metadata: '',
      title: 'title',
      summary: 'summary',
      expedited: false,
      ...rest,
    }).proposalId;
  }

  deposit(i: number, proposalId: bigint, amount: number, denom = 'uopen'): void {
    this.run(
      { message: tx.MsgDeposit, response: tx.MsgDepositResponse },
      { proposalId, depositor: this.account(i).address, amount: [{ denom, amount: `${amount}` }] },
    );
  }

  /** Votes as the i-th account, in parts: `{ 1: '0.5', 3: '0.5' }`. */
  vote(i: number, proposalId: bigint, options: Readonly<Record<number, string>>): void {
    this.run(
      { message: tx.MsgVoteWeighted, response: tx.MsgVoteWeightedResponse },
      {
        proposalId,
        voter: this.account(i).address,
        options: Object.entries(options).map(([option, weight]) => ({ option: Number(option), weight })),
        metadata: '',
      },
    );
  }

  delegate(i: number, validator: number, amount: number): void {
    this.run(
      { message: MsgDelegate, response: MsgDelegateResponse },
      {
        delegatorAddress: this.account(i).address,
        validatorAddress: this.operator(validator),
        amount: { denom: 'uopen', amount: `${amount}` },
      },
    );
  }

  /** Asks a method of `cosmos.gov.v1.Query` about the block under way. */
  ask<Q, A>(
    name: string,
    types: { readonly request: MessageType<Q>; readonly response: MessageType<A> },
    request: Partial<Q>,
    service = 'cosmos.gov.v1.Query',
  ): A {
    const routes = this.composition.modules.flatMap(({ queries }) => queries);
    const route = routes.find(({ path }) => path === `/${service}/${name}`);
    if (route === undefined) throw new RangeError(`no query ${name}`);
    const bytes = types.request.encode(types.request.create(request));
    return types.response.decode(route.answer(this.context, bytes));
  }

  proposal(proposalId: bigint): Proposal {
    const types = { request: query.QueryProposalRequest, response: query.QueryProposalResponse };
    const { proposal } = this.ask('Proposal', types, { proposalId });
    if (proposal === undefined) throw new RangeError(`no proposal ${proposalId}`);
    return proposal;
  }
}
