import type { BlockId } from '../types/block-id.ts';

/** A value and the round in which it got +2/3 of something. */
export interface RoundValue {
  readonly round: number;
  readonly blockId: BlockId;
}

/** `newRound`: the round is entered, but nothing done yet; `commit`: decided, nothing more happens. */
export type RoundStep = 'newRound' | 'propose' | 'prevote' | 'precommit' | 'commit';

/** What one validator knows of the height's agreement (the paper's variables, line 1 ff.). */
export interface RoundState {
  readonly round: number;
  readonly step: RoundStep;
  /** lockedValue and lockedRound. */
  readonly locked: RoundValue | undefined;
  /** validValue and validRound. */
  readonly valid: RoundValue | undefined;
  readonly decision: RoundValue | undefined;
  /** What happens only for the first time in a round: lines 34, 36 and 47. */
  readonly prevoteTimeoutScheduled: boolean;
  readonly polkaFollowed: boolean;
  readonly precommitTimeoutScheduled: boolean;
}

/** The state before round 0. */
export const INITIAL_ROUND_STATE: RoundState = {
  round: 0,
  step: 'newRound',
  locked: undefined,
  valid: undefined,
  decision: undefined,
  prevoteTimeoutScheduled: false,
  polkaFollowed: false,
  precommitTimeoutScheduled: false,
};
