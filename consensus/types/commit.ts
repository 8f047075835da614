import type { BlockId } from './block-id.ts';
import type { Time } from './time.ts';

/** What a validator's entry in a commit stands for: no vote, a vote for the block, a vote for nil. */
export type BlockIdFlag = 'absent' | 'commit' | 'nil';

/** One validator's entry in a commit. Absent: no address, no signature, `ZERO_TIME`. */
export interface CommitSig {
  readonly blockIdFlag: BlockIdFlag;
  /** 20 bytes, or none when absent. */
  readonly validatorAddress: Uint8Array;
  readonly timestamp: Time;
  /** At most 64 bytes, none when absent. */
  readonly signature: Uint8Array;
}

/** The precommits that decided a block, in the order of the validator set (tendermint.types.Commit). */
export interface Commit {
  readonly height: bigint;
  readonly round: number;
  readonly blockId: BlockId;
  readonly signatures: readonly CommitSig[];
}
