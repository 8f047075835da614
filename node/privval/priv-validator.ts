import type { Proposal, UnsignedProposal } from '../../consensus/types/proposal.ts';
import type { Time } from '../../consensus/types/time.ts';
import type { PublicKey } from '../../consensus/types/validator.ts';
import type { UnsignedVote, Vote } from '../../consensus/types/vote.ts';
import type { ProofParties } from '../../p2p/validator-proof.ts';
import type { SignStep } from './sign-state.ts';

/** A vote that is about to be signed. */
export interface VoteToSign extends UnsignedVote {
  readonly timestamp: Time;
}

/** A proposal that is about to be signed. */
export interface ProposalToSign extends UnsignedProposal {
  readonly timestamp: Time;
}

/**
 * A validator's signer. It never signs two different things at one height, round and step, whatever it is
 * asked and whenever the power fails: what it signs is on disk before the signature leaves.
 *
 * Asked again for what it signed last, it gives the same signature. When only the time differs, it gives
 * the vote or proposal with the time that it signed. Everything else at or before the last height, round
 * and step is refused.
 */
export interface PrivValidator {
  readonly publicKey: PublicKey;
  /** 20 bytes. */
  readonly address: Uint8Array;
  /** What was signed last; a signer that is another process does not tell. */
  readonly state?: SignStep;
  /** @throws LedgerError `privval.refused` for anything that could be a double signature */
  signVote(chainId: string, vote: VoteToSign): Promise<Vote>;
  /** @throws LedgerError `privval.refused` for anything that could be a double signature */
  signProposal(chainId: string, proposal: ProposalToSign): Promise<Proposal>;
  /**
   * Signs that a node holds this key: 64 bytes over `proofSignBytes`, which the signer makes itself. Not
   * guarded: no bytes are both this and a vote or proposal. Absent where the key is in another process.
   */
  signValidatorProof?(chainId: string, parties: ProofParties): Promise<Uint8Array>;
}

/** The extension of a precommit for a block. */
export interface VoteExtension {
  readonly height: bigint;
  readonly round: number;
  readonly extension: Uint8Array;
}

/** A signer that also serves nodes whose chain uses vote extensions. Ours does not. */
export interface ExtendingPrivValidator extends PrivValidator {
  /** Not guarded, as in CometBFT: an application may extend the same vote differently after a crash. */
  signVoteExtension(chainId: string, extension: VoteExtension): Uint8Array;
}
