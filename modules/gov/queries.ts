import type { Address } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { QueryError } from '../../framework/errors.ts';
import { type PageRequest, type PageResponse, paginate } from '../../framework/pagination.ts';
import { queriedAddress, query, type QueryRoute, queryService } from '../../framework/query.ts';
import {
  type Deposit,
  type Params,
  type Proposal,
  ProposalStatus,
  type TallyResult,
  type Vote,
} from '../../proto/gen/cosmos/gov/v1/gov.ts';
import * as wire from '../../proto/gen/cosmos/gov/v1/query.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { GovCore } from './ports.ts';
import { byProposalKey } from './state.ts';
import { EMPTY_TALLY, tally } from './tally.ts';

/** `cosmos.gov.v1.Query`. */
export function govQueries(k: GovCore): readonly QueryRoute[] {
  const view = new GovQueryView(k);
  return queryService(wire.QueryService, {
    Constitution: query(wire.QueryConstitutionRequest, wire.QueryConstitutionResponse, (context) => ({
      constitution: k.state.constitution.get(context) ?? '',
    })),
    Proposal: query(wire.QueryProposalRequest, wire.QueryProposalResponse, (context, { proposalId }) => ({
      proposal: view.proposal(context, proposalId),
    })),
    Proposals: query(wire.QueryProposalsRequest, wire.QueryProposalsResponse, (context, request) => {
      const { items, pagination } = view.proposals(context, request);
      return { proposals: items, pagination };
    }),
    Vote: query(wire.QueryVoteRequest, wire.QueryVoteResponse, (context, request) => ({
      vote: view.vote(context, request),
    })),
    Votes: query(wire.QueryVotesRequest, wire.QueryVotesResponse, (context, request) => {
      const { items, pagination } = view.votes(context, request);
      return { votes: items, pagination };
    }),
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context, { paramsType }) =>
      answerParams(view.params(context), paramsType),
    ),
    Deposit: query(wire.QueryDepositRequest, wire.QueryDepositResponse, (context, request) => ({
      deposit: view.deposit(context, request),
    })),
    Deposits: query(wire.QueryDepositsRequest, wire.QueryDepositsResponse, (context, request) => {
      const { items, pagination } = view.deposits(context, request);
      return { deposits: items, pagination };
    }),
    TallyResult: query(
      wire.QueryTallyResultRequest,
      wire.QueryTallyResultResponse,
      (context, { proposalId }) => ({ tally: view.tally(context, proposalId) }),
    ),
  });
}

function answerParams(params: Params, type: string): wire.QueryParamsResponse {
  const { minDeposit, maxDepositPeriod, votingPeriod, quorum, threshold, vetoThreshold } = params;
  const answer: wire.QueryParamsResponse = {
    params,
    depositParams: undefined,
    votingParams: undefined,
    tallyParams: undefined,
  };
  switch (type) {
    case '':
      return answer;
    case 'deposit':
      return { ...answer, depositParams: { minDeposit, maxDepositPeriod } };
    case 'voting':
      return { ...answer, votingParams: { votingPeriod } };
    case 'tallying':
      return { ...answer, tallyParams: { quorum, threshold, vetoThreshold } };
    default:
      throw new QueryError('InvalidArgument', `unknown params type: ${type}`);
  }
}

/** A page of something. */
export interface GovPage<T> {
  readonly items: readonly T[];
  readonly pagination: PageResponse;
}

/** What queries of v1 and v1beta1 find alike. */
export class GovQueryView {
  readonly #k: GovCore;

  constructor(k: GovCore) {
    this.#k = k;
  }

  params(context: ReadContext): Params {
    return this.#k.state.params.get(context) ?? DEFAULT_PARAMS;
  }

  /** @throws QueryError `InvalidArgument`, `NotFound` */
  proposal(context: ReadContext, id: bigint): Proposal {
    const proposal = this.#k.state.proposals.get(context, requireId(id));
    if (proposal === undefined) throw new QueryError('NotFound', `proposal ${id} doesn't exist`);
    return proposal;
  }

  proposals(context: ReadContext, request: wire.QueryProposalsRequest): GovPage<Proposal> {
    const { state, addresses } = this.#k;
    const { proposalStatus, voter, depositor, pagination } = request;
    const byStatus =
      proposalStatus !== ProposalStatus.PROPOSAL_STATUS_UNSPECIFIED && isStatus(proposalStatus);
    const voted = voter === '' ? undefined : queriedAddress(addresses, voter);
    const paid = depositor === '' ? undefined : queriedAddress(addresses, depositor);
    return paginate(context, state.proposals, {
      request: pagination,
      include: (id, { status }) =>
        (!byStatus || status === proposalStatus) &&
        (voted === undefined || state.votes.has(context, [id, voted])) &&
        (paid === undefined || state.deposits.has(context, [id, paid])),
      transform: (_, proposal) => proposal,
    });
  }

  /** @throws QueryError `InvalidArgument` */
  vote(context: ReadContext, { proposalId, voter }: wire.QueryVoteRequest): Vote {
    requireId(proposalId);
    const vote = this.#k.state.votes.get(context, [proposalId, this.#account(voter, 'voter')]);
    if (vote === undefined)
      throw new QueryError('InvalidArgument', `voter: ${voter} not found for proposal: ${proposalId}`);
    return vote;
  }

  votes(context: ReadContext, { proposalId, pagination }: ByProposal): GovPage<Vote> {
    return paginate(context, this.#k.state.votes, {
      request: pagination,
      prefix: byProposalKey.prefix(requireId(proposalId)),
      transform: (_, vote) => vote,
    });
  }

  /** @throws QueryError `InvalidArgument`, `NotFound` */
  deposit(context: ReadContext, { proposalId, depositor }: wire.QueryDepositRequest): Deposit {
    requireId(proposalId);
    const key = [proposalId, this.#account(depositor, 'depositor')] as const;
    const deposit = this.#k.state.deposits.get(context, key);
    if (deposit === undefined)
      throw new QueryError(
        'NotFound',
        `collections: not found: key '(${proposalId}, ${depositor})' of type ` +
          'github.com/cosmos/gogoproto/cosmos.gov.v1.Deposit',
      );
    return deposit;
  }

  deposits(context: ReadContext, { proposalId, pagination }: ByProposal): GovPage<Deposit> {
    return paginate(context, this.#k.state.deposits, {
      request: pagination,
      prefix: byProposalKey.prefix(requireId(proposalId)),
      transform: (_, deposit) => deposit,
    });
  }

  /** While a proposal is voted on, what its tally would be now. */
  tally(context: ReadContext, id: bigint): TallyResult {
    const proposal = this.proposal(context, id);
    switch (proposal.status) {
      case ProposalStatus.PROPOSAL_STATUS_DEPOSIT_PERIOD:
        return EMPTY_TALLY;
      case ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD:
        return tally(this.#k, context, proposal).result;
      default:
        return proposal.finalTallyResult ?? EMPTY_TALLY;
    }
  }

  #account(text: string, role: string): Address {
    if (text === '') throw new QueryError('InvalidArgument', `empty ${role} address`);
    return queriedAddress(this.#k.addresses, text);
  }
}

interface ByProposal {
  readonly proposalId: bigint;
  readonly pagination: PageRequest | undefined;
}

function requireId(id: bigint): bigint {
  if (id === 0n) throw new QueryError('InvalidArgument', 'proposal id can not be 0');
  return id;
}

function isStatus(status: number): boolean {
  return Object.values(ProposalStatus).some((known) => known === status);
}
