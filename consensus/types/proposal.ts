import { DecodeError } from '../../core/errors.ts';
import { Proposal as ProposalMessage, SignedMsgType } from '../../proto/gen/tendermint/types/types.ts';
import { type BlockId, checkBlockId, isCompleteBlockId } from './block-id.ts';
import { checkHeight, checkRound, checkSignature } from './check.ts';
import { BLOCK_BYTES_MAX, BLOCK_PART_BYTES } from './limits.ts';
import type { VerifySignature } from './public-key.ts';
import { proposalSignBytes } from './sign-bytes.ts';
import { checkTime, type Time } from './time.ts';
import type { Validator } from './validator.ts';

/** The round of a proposal without proof of lock. */
export const NO_ROUND = -1;

/**
 * What a proposer says: this block in this round; `polRound` is the round of its proof of lock, or
 * `NO_ROUND`.
 */
export interface UnsignedProposal {
  readonly height: bigint;
  readonly round: number;
  readonly polRound: number;
  readonly blockId: BlockId;
}

/** A signed proposal, as it travels (tendermint.types.Proposal). */
export interface Proposal extends UnsignedProposal {
  readonly timestamp: Time;
  /** At most 64 bytes. */
  readonly signature: Uint8Array;
}

/** Encodes a proposal. */
export function encodeProposal(proposal: Proposal): Uint8Array {
  return ProposalMessage.encode(proposalToMessage(proposal));
}

/** @throws DecodeError when the bytes are not a proposal, or not one that `checkProposal` takes */
export function decodeProposal(bytes: Uint8Array): Proposal {
  return proposalFromMessage(ProposalMessage.decode(bytes));
}

/** The proposal as a message, to stand inside another. */
export function proposalToMessage(proposal: Proposal): ProposalMessage {
  return { ...proposal, type: SignedMsgType.SIGNED_MSG_TYPE_PROPOSAL };
}

/** @throws DecodeError when it is not a proposal that `checkProposal` takes */
export function proposalFromMessage(message: ProposalMessage): Proposal {
  const { type, ...proposal } = message;
  if (type !== SignedMsgType.SIGNED_MSG_TYPE_PROPOSAL)
    throw new DecodeError('proposal: wrong type', { type });
  return checkProposal(proposal);
}

/**
 * Checks a proposal's form, not its signature. Stricter than CometBFT's `ValidateBasic` in that the proof
 * of lock must be of an earlier round.
 * @throws DecodeError on the first thing wrong
 */
export function checkProposal(proposal: Proposal): Proposal {
  checkHeight(proposal.height, 'proposal');
  checkRound(proposal.round, 'proposal');
  checkRound(proposal.polRound, 'proposal', NO_ROUND);
  if (proposal.polRound >= proposal.round) {
    throw new DecodeError('proposal: proof of lock is not of an earlier round', {
      round: proposal.round,
      polRound: proposal.polRound,
    });
  }
  checkBlockId(proposal.blockId, 'proposal');
  if (!isCompleteBlockId(proposal.blockId)) throw new DecodeError('proposal: block id is not complete');
  checkTime(proposal.timestamp, 'proposal');
  checkSignature(proposal.signature, 'proposal');
  return proposal;
}

/** Most parts that a block of at most `blockBytesMax` may have; -1 stands for the largest block of all. */
export function partsMax(blockBytesMax: bigint): number {
  const bytes = blockBytesMax === -1n ? BigInt(BLOCK_BYTES_MAX) : blockBytesMax;
  return Number((bytes - 1n) / BigInt(BLOCK_PART_BYTES) + 1n);
}

/** True when this validator signed the proposal. */
export function verifyProposal(
  proposal: Proposal,
  signer: { readonly chainId: string; readonly proposer: Validator; readonly verify: VerifySignature },
): boolean {
  const message = proposalSignBytes(signer.chainId, proposal);
  return signer.verify(signer.proposer.publicKey, message, proposal.signature);
}
