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
  liveness: { roundsMax: 6, heightsMax: 100 },
  crash: { roundsMax: 100, heightsMax: 100 },
  byzantine: { roundsMax: 100, heightsMax: 100 },
  validators: { roundsMax: 100, heightsMax: 100 },
  sync: { roundsMax: 100, heightsMax: 100 },
  ed25519: { roundsMax: 100, heightsMax: 100 },
  large: { roundsMax: 100, heightsMax: 100 },
  statesync: { roundsMax: 100, heightsMax: 100 },
  flood: { roundsMax: 100, heightsMax: 100 },
  pruning: { roundsMax: 100, heightsMax: 100 },
  bitflip: { roundsMax: 100, heightsMax: 100 },
  lightattack: { roundsMax: 100, heightsMax: 100 },
  discovery: { roundsMax: 100, heightsMax: 100 },
  rpcflood: { roundsMax: 100, heightsMax: 100 },
  long: { roundsMax: 100, heightsMax: 100 },
  absent: { roundsMax: 100, heightsMax: 100 },
  rotating: { roundsMax: 100, heightsMax: 100 },
  badblocks: { roundsMax: 100, heightsMax: 100 },
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
