import { type BlockId, isNilBlockId } from '../../consensus/types/block-id.ts';
import { CanonicalProposal, CanonicalVote } from '../../proto/gen/tendermint/types/canonical.ts';
import { SignedMsgType } from '../../proto/gen/tendermint/types/types.ts';
import type { ProposalToSign, VoteToSign } from './priv-validator.ts';

const canonicalBlockId = (id: BlockId): BlockId | undefined => (isNilBlockId(id) ? undefined : id);

/** Sign bytes of a vote. */
export function voteSignBytes(chainId: string, vote: VoteToSign): Uint8Array {
  return CanonicalVote.encodeDelimited({
    type:
      vote.type === 'prevote'
        ? SignedMsgType.SIGNED_MSG_TYPE_PREVOTE
        : SignedMsgType.SIGNED_MSG_TYPE_PRECOMMIT,
    height: vote.height,
    round: BigInt(vote.round),
    blockId: canonicalBlockId(vote.blockId),
    timestamp: vote.timestamp,
    chainId,
  });
}

/** Sign bytes of a proposal. */
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
