/** What watchers share: how they tell what happened, and what the chain says of their requests. */

/** Writes what happened, for people; an error is a bug of ours. */
export interface WatchLogger {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** Counts what failed, by where. */
export interface FailureMetrics {
  failure(where: string): void;
  bug(where: string): void;
}

/** What one more request about an object puts at stake, in coins of the denomination of bonds. */
export interface DemandStakes {
  /** The least that it has to be bonded with. */
  readonly bond: bigint;
  /** The same when no other one is open. */
  readonly least: bigint;
  /** What a conviction pays. */
  readonly reward: bigint;
  /** How long an answer may take. */
  readonly requestBlocks: bigint;
}

/** Open requests of the watcher's account. */
export interface OwnRequests {
  /** What each is about: a name like "shard 7". */
  readonly open: readonly string[];
  /** How many the chain takes. */
  readonly most: number;
}
