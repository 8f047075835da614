/**
 * How long the core waits, and how much it keeps. The waits are CometBFT's `timeout_*` settings with their
 * defaults.
 */
import type { TimeoutKind } from './input.ts';

/** Waits in milliseconds: the first round's, and what each further round adds. */
export interface TimeoutConfig {
  readonly proposeMs: number;
  readonly proposeDeltaMs: number;
  readonly prevoteMs: number;
  readonly prevoteDeltaMs: number;
  readonly precommitMs: number;
  readonly precommitDeltaMs: number;
  /** Pause after a decision, in which late precommits are collected. */
  readonly commitMs: number;
  /** Do not pause when all validators have precommitted. */
  readonly skipCommitWhenComplete: boolean;
}

/** CometBFT v0.38's defaults. */
export const DEFAULT_TIMEOUTS: TimeoutConfig = {
  proposeMs: 3000,
  proposeDeltaMs: 500,
  prevoteMs: 1000,
  prevoteDeltaMs: 500,
  precommitMs: 1000,
  precommitDeltaMs: 500,
  commitMs: 1000,
  skipCommitWhenComplete: false,
};

/** The wait of a kind in a round. */
export function timeoutMs(config: TimeoutConfig, kind: TimeoutKind, round: number): number {
  switch (kind) {
    case 'propose':
      return config.proposeMs + config.proposeDeltaMs * round;
    case 'prevote':
      return config.prevoteMs + config.prevoteDeltaMs * round;
    case 'precommit':
      return config.precommitMs + config.precommitDeltaMs * round;
    case 'commit':
      return config.commitMs;
  }
}
