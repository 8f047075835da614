import { type ErrorKind, type StateError, unregisteredError } from '../../framework/errors.ts';

/** Names of governance's failures. */
export type GovErrorName =
  | 'inactiveProposal'
  | 'invalidProposalContent'
  | 'invalidProposalType'
  | 'invalidVote'
  | 'noProposalHandlerExists'
  | 'unroutableProposalMsg'
  | 'noProposalMsgs'
  | 'invalidProposalMsg'
  | 'invalidSigner'
  | 'metadataTooLong'
  | 'minDepositTooSmall'
  | 'invalidProposer'
  | 'votingPeriodEnded'
  | 'invalidProposal'
  | 'summaryTooLong'
  | 'invalidDepositDenom';

/** Failures of governance, numbered as x/gov numbers them (v0.50 `types/errors.go`). */
export const govErrors: Readonly<Record<GovErrorName, ErrorKind>> = {
  inactiveProposal: kind(3, 'inactive proposal'),
  invalidProposalContent: kind(5, 'invalid proposal content'),
  invalidProposalType: kind(6, 'invalid proposal type'),
  invalidVote: kind(7, 'invalid vote option'),
  noProposalHandlerExists: kind(9, 'no handler exists for proposal type'),
  unroutableProposalMsg: kind(10, 'proposal message not recognized by router'),
  noProposalMsgs: kind(11, 'no messages proposed'),
  invalidProposalMsg: kind(12, 'invalid proposal message'),
  invalidSigner: kind(13, 'expected gov account as only signer for proposal message'),
  metadataTooLong: kind(15, 'metadata too long'),
  minDepositTooSmall: kind(16, 'minimum deposit is too small'),
  invalidProposer: kind(18, 'invalid proposer'),
  votingPeriodEnded: kind(20, 'voting period already ended'),
  invalidProposal: kind(21, 'invalid proposal'),
  summaryTooLong: kind(22, 'summary too long'),
  invalidDepositDenom: kind(23, 'invalid deposit denom'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'gov', code, description };
}

/** There is no such proposal. The SDK has no number for it, and names the key and its own type. */
export function noSuchProposal(id: bigint): StateError {
  return unregisteredError(
    `collections: not found: key '${id}' of type github.com/cosmos/gogoproto/cosmos.gov.v1.Proposal`,
  );
}
