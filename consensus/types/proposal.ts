import type { BlockId } from './block-id.ts';
import type { Time } from './time.ts';

/** The round of a proposal without proof of lock. */
export const NO_ROUND = -1;

/** What a proposer says: this block in this round; `polRound` is the round of its proof of lock, or `NO_ROUND`. */
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
