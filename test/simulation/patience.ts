/**
 * How long progress is waited for after the heal, by profile: in rounds, and in heights of the chain. Virtual
 * milliseconds follow from both and from the timeouts of consensus; they are for those who have stopped, who
 * take no rounds.
 */
import type { NodeConfig } from '../../node/config/config.ts';
import type { Profile } from './profiles.ts';

/** See the file comment. */
export interface Patience {
  /** Rounds after the heal until all honest nodes have decided the heights that are demanded. */
  readonly roundsMax: number;
  /**
   * Heights that the chain makes beyond those until all else has come, too: who was late has caught up,
   * evidence is in blocks, companions are content.
   */
  readonly heightsMax: number;
}

/**
 * By profile. Behind each: the most rounds and heights that any seed has been seen to take, in whatever runs
 * there were, of this code and of earlier code; so it says how much room a limit leaves, not what this code
 * takes: `npm run sim -- --profile P --seeds N` prints that.
 */
export const PATIENCE: Readonly<Record<Profile, Patience>> = {
  safety: { roundsMax: 0, heightsMax: 0 }, // demands nothing
  liveness: { roundsMax: 6, heightsMax: 4 }, // 3, 0
  crash: { roundsMax: 6, heightsMax: 4 }, // 2, 0
  byzantine: { roundsMax: 8, heightsMax: 6 }, // 3, 1
  validators: { roundsMax: 20, heightsMax: 16 }, // 11, 7
  sync: { roundsMax: 8, heightsMax: 16 }, // 3, 6
  ed25519: { roundsMax: 6, heightsMax: 4 }, // 2, 0
  large: { roundsMax: 6, heightsMax: 4 }, // 2, 0
  statesync: { roundsMax: 10, heightsMax: 120 }, // 4, 51
  flood: { roundsMax: 6, heightsMax: 12 }, // 2, 4
  pruning: { roundsMax: 8, heightsMax: 10 }, // 3, 2
  bitflip: { roundsMax: 8, heightsMax: 8 }, // 3, 0
  lightattack: { roundsMax: 10, heightsMax: 8 }, // 5, 1
  discovery: { roundsMax: 10, heightsMax: 12 }, // 5, 3
  rpcflood: { roundsMax: 8, heightsMax: 30 }, // 4, 12
  long: { roundsMax: 8, heightsMax: 6 }, // 3, 0
  absent: { roundsMax: 14, heightsMax: 6 }, // 7, 0
  rotating: { roundsMax: 6, heightsMax: 60 }, // 3, 28
  badblocks: { roundsMax: 14, heightsMax: 34 }, // 7, 16
};

/**
 * What so many rounds last at most, one after the other at one height, and the first rounds of so many
 * heights: all their timeouts.
 */
export function patienceMs(
  { roundsMax, heightsMax }: Patience,
  { consensus }: Pick<NodeConfig, 'consensus'>,
): number {
  const { timeoutProposeMs, timeoutPrevoteMs, timeoutPrecommitMs, timeoutCommitMs } = consensus;
  const { timeoutProposeDeltaMs, timeoutPrevoteDeltaMs, timeoutPrecommitDeltaMs } = consensus;
  const firstMs = timeoutProposeMs + timeoutPrevoteMs + timeoutPrecommitMs;
  const deltaMs = timeoutProposeDeltaMs + timeoutPrevoteDeltaMs + timeoutPrecommitDeltaMs;
  const roundsMs = roundsMax * firstMs + ((roundsMax * (roundsMax - 1)) / 2) * deltaMs;
  return roundsMs + heightsMax * (firstMs + timeoutCommitMs);
}
