import type { BlockId } from './block-id.ts';
import type { Time } from './time.ts';

/** The two voting steps of a round. */
export type VoteType = 'prevote' | 'precommit';

/** What a vote says, before somebody stands up for it. A nil vote carries `NIL_BLOCK_ID`. */
export interface UnsignedVote {
  readonly type: VoteType;
  readonly height: bigint;
  readonly round: number;
  readonly blockId: BlockId;
  /** 20 bytes. */
  readonly validatorAddress: Uint8Array;
  /** Position in the height's validator set. */
  readonly validatorIndex: number;
}

/** A signed vote, as it travels (tendermint.types.Vote). */
export interface Vote extends UnsignedVote {
  readonly timestamp: Time;
  /** At most 64 bytes. */
  readonly signature: Uint8Array;
  /** Vote extension; empty, as long as the consensus parameters do not enable extensions. */
  readonly extension: Uint8Array;
  readonly extensionSignature: Uint8Array;
}
