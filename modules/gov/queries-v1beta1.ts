/** The queries of before governance v1, answered from what v1 finds. */
import { utf8 } from '../../core/bytes.ts';
import { Decimal } from '../../core/decimal.ts';
import { defined } from '../../core/errors.ts';
import { QueryError } from '../../framework/errors.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import type { Params } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { DepositParams, TallyParams, VotingParams } from '../../proto/gen/cosmos/gov/v1beta1/gov.ts';
import * as wire from '../../proto/gen/cosmos/gov/v1beta1/query.ts';
import { proposalToLegacy, tallyToLegacy, voteToLegacy } from './legacy.ts';
import type { GovCore } from './ports.ts';
import { GovQueryView } from './queries.ts';

/** `cosmos.gov.v1beta1.Query`. */
export function legacyGovQueries(k: GovCore): readonly QueryRoute[] {
  const view = new GovQueryView(k);
  return queryService(wire.QueryService, {
    Proposal: query(wire.QueryProposalRequest, wire.QueryProposalResponse, (context, { proposalId }) => ({
      proposal: proposalToLegacy(view.proposal(context, proposalId)),
    })),
    Proposals: query(wire.QueryProposalsRequest, wire.QueryProposalsResponse, (context, request) => {
      const { items, pagination } = view.proposals(context, request);
      return { proposals: items.map(proposalToLegacy), pagination };
    }),
    Vote: query(wire.QueryVoteRequest, wire.QueryVoteResponse, (context, request) => ({
      vote: voteToLegacy(view.vote(context, request)),
    })),
    Votes: query(wire.QueryVotesRequest, wire.QueryVotesResponse, (context, request) => {
      const { items, pagination } = view.votes(context, request);
      return { votes: items.map(voteToLegacy), pagination };
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
      (context, { proposalId }) => ({ tally: tallyToLegacy(view.tally(context, proposalId)) }),
    ),
  });
}

/** Only one kind is asked for; the others are empty. */
function answerParams(params: Params, type: string): wire.QueryParamsResponse {
  const empty = {
    depositParams: DepositParams.create(),
    votingParams: VotingParams.create(),
    tallyParams: TallyParams.create(),
  };
  switch (type) {
    case 'deposit': {
      const maxDepositPeriod = defined(params.maxDepositPeriod, 'deposit period');
      return { ...empty, depositParams: { minDeposit: params.minDeposit, maxDepositPeriod } };
    }
    case 'voting':
      return { ...empty, votingParams: { votingPeriod: defined(params.votingPeriod, 'voting period') } };
    case 'tallying':
      return {
        ...empty,
        tallyParams: {
          quorum: ratioOf(params.quorum),
          threshold: ratioOf(params.threshold),
          vetoThreshold: ratioOf(params.vetoThreshold),
        },
      };
    case '':
      throw new QueryError('InvalidArgument', ' is not a valid parameter type');
    default:
      throw new QueryError('InvalidArgument', `unknown params type: ${type}`);
  }
}

function ratioOf(text: string): Uint8Array {
  return utf8(Decimal.ofText(text).toWire());
}
