/**
 * The messages between a node and its signer: tendermint.privval.Message of CometBFT v0.38, in the forms
 * that the rest of the node uses. What comes from the other side is checked as what comes from a peer is.
 */
import { type Proposal, proposalFromMessage, proposalToMessage } from '../../../consensus/types/proposal.ts';
import { type Vote, voteFromMessage, voteToMessage } from '../../../consensus/types/vote.ts';
import { EMPTY_BYTES } from '../../../core/bytes.ts';
import { DecodeError } from '../../../core/errors.ts';
import { Message, type RemoteSignerError } from '../../../proto/gen/tendermint/privval/types.ts';
import {
  Proposal as ProposalMessage,
  Vote as VoteMessage,
} from '../../../proto/gen/tendermint/types/types.ts';
import type { ProposalToSign, VoteToSign } from '../priv-validator.ts';

/** CometBFT's `maxRemoteSignerMsgSize`. */
export const MESSAGE_BYTES_MAX: number = 10 * 1024;
/** Characters of a refusal that are passed on and logged. */
const DESCRIPTION_CHARACTERS_MAX = 500;
/** Stands for a signature that is not there yet, so that the rest can be checked as that of a vote. */
const NO_SIGNATURE: Uint8Array = new Uint8Array(64);

/** A vote that a node wants signed, with the extension that goes with a precommit for a block. */
export interface VoteRequest {
  readonly vote: VoteToSign;
  readonly extension: Uint8Array;
}

/** The request for a signature of a vote. */
export function signVoteRequest(chainId: string, vote: VoteToSign): Message {
  const unsigned = {
    ...vote,
    signature: EMPTY_BYTES,
    extension: EMPTY_BYTES,
    extensionSignature: EMPTY_BYTES,
  };
  return Message.create({ signVoteRequest: { vote: voteToMessage(unsigned), chainId } });
}

/** The request for a signature of a proposal. */
export function signProposalRequest(chainId: string, proposal: ProposalToSign): Message {
  const unsigned = proposalToMessage({ ...proposal, signature: EMPTY_BYTES });
  return Message.create({ signProposalRequest: { proposal: unsigned, chainId } });
}

/** @throws DecodeError when it is no vote that could be signed */
export function voteToSignFrom(message: VoteMessage | undefined): VoteRequest {
  if (message === undefined) throw new DecodeError('the request holds no vote');
  const { extension } = message;
  const checked = voteFromMessage({
    ...message,
    signature: NO_SIGNATURE,
    extension,
    extensionSignature: extension.length === 0 ? EMPTY_BYTES : NO_SIGNATURE,
  });
  const { signature: _, extension: __, extensionSignature: ___, ...vote } = checked;
  return { vote, extension };
}

/** @throws DecodeError when it is no proposal that could be signed */
export function proposalToSignFrom(message: ProposalMessage | undefined): ProposalToSign {
  if (message === undefined) throw new DecodeError('the request holds no proposal');
  const { signature: _, ...proposal } = proposalFromMessage({ ...message, signature: NO_SIGNATURE });
  return proposal;
}

/** The answer with a signed vote. */
export function signedVoteResponse(vote: Vote): Message {
  return Message.create({ signedVoteResponse: { vote: voteToMessage(vote), error: undefined } });
}

/** The answer with a signed proposal. */
export function signedProposalResponse(proposal: Proposal): Message {
  return Message.create({
    signedProposalResponse: { proposal: proposalToMessage(proposal), error: undefined },
  });
}

/** The answer that refuses a vote. */
export function refusedVoteResponse(description: string): Message {
  return Message.create({ signedVoteResponse: { vote: VoteMessage.create(), error: refusal(description) } });
}

/** The answer that refuses a proposal. */
export function refusedProposalResponse(description: string): Message {
  return Message.create({
    signedProposalResponse: { proposal: ProposalMessage.create(), error: refusal(description) },
  });
}

/** The error of an answer; CometBFT leaves the code at 0. */
export function refusal(description: string): RemoteSignerError {
  return { code: 0, description: shortened(description) };
}

/** Text from another process, cut to what a log line takes. */
export function shortened(text: string): string {
  return text.length > DESCRIPTION_CHARACTERS_MAX ? `${text.slice(0, DESCRIPTION_CHARACTERS_MAX)}…` : text;
}
