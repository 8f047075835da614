/**
 * Proposals of before governance v1: a content, of which a handler makes something. In v1 such a content
 * stands in MsgExecLegacyContent. There is one kind left, text, which changes nothing.
 */
import { utf8 } from '../../core/bytes.ts';
import { Decimal } from '../../core/decimal.ts';
import { QueryError, StateError, sdkErrors } from '../../framework/errors.ts';
import type * as v1 from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { MsgExecLegacyContent } from '../../proto/gen/cosmos/gov/v1/tx.ts';
import * as legacy from '../../proto/gen/cosmos/gov/v1beta1/gov.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { govErrors } from './errors.ts';

const TITLE_BYTES_MAX = 140;
const DESCRIPTION_BYTES_MAX = 10_000;
const EPOCH_OF_GO = { seconds: -62_135_596_800n, nanos: 0 } as const;

/**
 * The text proposal inside.
 * @throws StateError (gov 5, 6) when it is another content, or one that makes no sense
 */
export function textOf(content: Any | undefined): legacy.TextProposal {
  if (content === undefined) throw new StateError(govErrors.invalidProposalContent, 'missing content');
  if (content.typeUrl !== legacy.TextProposal.typeUrl)
    throw new StateError(govErrors.invalidProposalType, content.typeUrl);
  const text = legacy.TextProposal.decode(content.value);
  const problem = problemOfText(text);
  if (problem !== undefined) throw new StateError(govErrors.invalidProposalContent, problem);
  return text;
}

function problemOfText({ title, description }: legacy.TextProposal): string | undefined {
  if (title.trim() === '') return 'proposal title cannot be blank';
  if (utf8(title).length > TITLE_BYTES_MAX)
    return `proposal title is longer than max length of ${TITLE_BYTES_MAX}`;
  if (description === '') return 'proposal description cannot be blank';
  if (utf8(description).length > DESCRIPTION_BYTES_MAX)
    return `proposal description is longer than max length of ${DESCRIPTION_BYTES_MAX}`;
  return undefined;
}

/** What carries contents out: text needs nothing. */
export const CONTENT_ROUTES = {
  /** @throws StateError (gov 9) when nobody carries such a content out */
  require(content: Any | undefined): void {
    if (content?.typeUrl !== legacy.TextProposal.typeUrl)
      throw new StateError(govErrors.noProposalHandlerExists, content?.typeUrl ?? '');
  },
  /**
   * Carries a content out on trial before it is proposed; other messages are not looked at. @throws as
   * `require`
   */
  tryOut({ typeUrl, value }: Any): void {
    if (typeUrl === MsgExecLegacyContent.typeUrl) this.require(MsgExecLegacyContent.decode(value).content);
  },
} as const;

/** A proposal as v1beta1 shows it. @throws QueryError when it has not exactly one message */
export function proposalToLegacy(proposal: v1.Proposal): legacy.Proposal {
  const [message, ...more] = proposal.messages;
  if (message === undefined || more.length > 0)
    throw new StateError(
      sdkErrors.invalidType,
      "can't convert a gov/v1 Proposal to gov/v1beta1 Proposal when amount of proposal messages " +
        'not exactly one',
    );
  const isContent = message.typeUrl === MsgExecLegacyContent.typeUrl;
  return {
    proposalId: proposal.id,
    content: isContent ? MsgExecLegacyContent.decode(message.value).content : message,
    status: proposal.status,
    finalTallyResult: tallyToLegacy(proposal.finalTallyResult),
    submitTime: proposal.submitTime ?? EPOCH_OF_GO,
    depositEndTime: proposal.depositEndTime ?? EPOCH_OF_GO,
    totalDeposit: proposal.totalDeposit,
    votingStartTime: proposal.votingStartTime ?? EPOCH_OF_GO,
    votingEndTime: proposal.votingEndTime ?? EPOCH_OF_GO,
  };
}

/** A tally as v1beta1 shows it. */
export function tallyToLegacy(tally: v1.TallyResult | undefined): legacy.TallyResult {
  if (tally === undefined) throw new QueryError('Internal', 'the proposal has no tally');
  return {
    yes: tally.yesCount,
    abstain: tally.abstainCount,
    no: tally.noCount,
    noWithVeto: tally.noWithVetoCount,
  };
}

/** A vote as v1beta1 shows it. */
export function voteToLegacy({ proposalId, voter, options }: v1.Vote): legacy.Vote {
  return {
    proposalId,
    voter,
    option: legacy.VoteOption.VOTE_OPTION_UNSPECIFIED,
    options: options.map(({ option, weight }) => ({ option, weight: Decimal.ofText(weight).toWire() })),
  };
}
