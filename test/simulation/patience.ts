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

/** By profile. */
export const PATIENCE: Readonly<Record<Profile, Patience>> = {
  safety: { roundsMax: 0, heightsMax: 0 }, // demands nothing
  liveness: { roundsMax: 6, heightsMax: 4 },
  crash: { roundsMax: 6, heightsMax: 4 },
  byzantine: { roundsMax: 8, heightsMax: 6 },
  validators: { roundsMax: 20, heightsMax: 12 },
  sync: { roundsMax: 8, heightsMax: 16 },
  ed25519: { roundsMax: 6, heightsMax: 4 },
  large: { roundsMax: 4, heightsMax: 4 },
  statesync: { roundsMax: 10, heightsMax: 120 },
  flood: { roundsMax: 6, heightsMax: 12 },
  pruning: { roundsMax: 8, heightsMax: 10 },
  bitflip: { roundsMax: 8, heightsMax: 8 },
  lightattack: { roundsMax: 8, heightsMax: 8 },
  discovery: { roundsMax: 10, heightsMax: 12 },
  rpcflood: { roundsMax: 8, heightsMax: 30 },
  long: { roundsMax: 8, heightsMax: 6 },
  absent: { roundsMax: 14, heightsMax: 6 },
  rotating: { roundsMax: 6, heightsMax: 50 },
  badblocks: { roundsMax: 8, heightsMax: 20 },
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
