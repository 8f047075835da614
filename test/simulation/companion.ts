/** Somebody beside the nodes in a run: clients, liars, whoever watches. */
import type { Simulation } from './simulation.ts';

/** See the file comment. What must not be it tells the simulation at once. */
export interface Companion {
  /** Before the first node starts. */
  start(): void;
  /** The faults go on, with some patience, until it is true; default: it always is. */
  mayHeal?(): boolean;
  /** The faults are over. */
  healed?(): void;
  /** After the heal: the run may end. */
  isContent(): boolean;
  /** What is missing when it is not content in time. */
  complaint(): string;
  /** The run is over. */
  ended?(): void;
}

/** Makes one for a run. */
export type MakeCompanion = (simulation: Simulation) => Companion;
