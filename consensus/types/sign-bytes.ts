/**
 * The bytes that validators sign: canonical messages with their length in front. Height and round are
 * fixed-size, the validator is not in them, and a vote for nil has no block id at all.
 * Source: CometBFT v0.38 `types/canonical.go`, spec/core/data_structures.md.
 */
import {
  type CanonicalBlockID,
  CanonicalProposal,
  CanonicalVote,
} from '../../proto/gen/tendermint/types/canonical.ts';
import { SignedMsgType } from '../../proto/gen/tendermint/types/types.ts';
import { type BlockId, isNilBlockId } from './block-id.ts';
import type { Proposal } from './proposal.ts';
import type { Vote } from './vote.ts';

/** The number of each message type in signed and encoded votes. */
export const VOTE_TYPE_NUMBER: Readonly<Record<Vote['type'], number>> = {
  prevote: SignedMsgType.SIGNED_MSG_TYPE_PREVOTE,
  precommit: SignedMsgType.SIGNED_MSG_TYPE_PRECOMMIT,
};

/** What is signed of a vote. */
export type VoteToSign = Pick<Vote, 'type' | 'height' | 'round' | 'blockId' | 'timestamp'>;

/** What is signed of a proposal. */
export type ProposalToSign = Pick<Proposal, 'height' | 'round' | 'polRound' | 'blockId' | 'timestamp'>;

/** The bytes a vote's signature is over. */
export function voteSignBytes(chainId: string, vote: VoteToSign): Uint8Array {
  return CanonicalVote.encodeDelimited({
    type: VOTE_TYPE_NUMBER[vote.type],
    height: vote.height,
    round: BigInt(vote.round),
    blockId: canonicalBlockId(vote.blockId),
    timestamp: vote.timestamp,
    chainId,
  });
}

/** The bytes a proposal's signature is over. */
export function proposalSignBytes(chainId: string, proposal: ProposalToSign): Uint8Array {
  return CanonicalProposal.encodeDelimited({
    type: SignedMsgType.SIGNED_MSG_TYPE_PROPOSAL,
    height: proposal.height,
    round: BigInt(proposal.round),
    polRound: BigInt(proposal.polRound),
    blockId: canonicalBlockId(proposal.blockId),
    timestamp: proposal.timestamp,
    chainId,
  });
}

function canonicalBlockId(blockId: BlockId): CanonicalBlockID | undefined {
  return isNilBlockId(blockId) ? undefined : blockId;
}
