/**
 * What the state machine sees of the store. Everything here is synchronous; keys are unique byte strings in
 * the order of `compareBytes`. Returned arrays belong to the store: read them, never write to them.
 */

/** Keys from `start` (inclusive) to `end` (exclusive); a missing bound is open. */
export interface KeyRange {
  readonly start?: Uint8Array | undefined;
  readonly end?: Uint8Array | undefined;
  /** From the last key to the first. Default false. */
  readonly reverse?: boolean;
}

/** One key with its value. */
export type KeyValue = readonly [key: Uint8Array, value: Uint8Array];

/**
 * A view that can be read. `text` is the key as a latin-1 string, by which pending writes are found: a caller
 * that has it spares them making it.
 */
export interface KVReader {
  get(key: Uint8Array, text?: string): Uint8Array | undefined;
  has(key: Uint8Array, text?: string): boolean;
  /** Pairs in key order. Writing to the store while iterating is an error of the caller. */
  iterate(range: KeyRange): Iterable<KeyValue>;
}

/**
 * A view that can be read and written. Keys and values are not empty-checked here: the empty value is a
 * value.
 */
export interface KVStore extends KVReader {
  set(key: Uint8Array, value: Uint8Array, text?: string): void;
  delete(key: Uint8Array, text?: string): void;
}

/** The substores of one version, by name. */
export interface MultiStoreReader {
  /** @throws LedgerError `store.unknown` when there is no substore of that name */
  reader(name: string): KVReader;
}

/**
 * A write overlay over a multistore or over another branch: reads see own writes first. Nothing reaches the
 * parent until `write`; a branch that is dropped leaves no trace.
 */
export interface MultiStoreBranch extends MultiStoreReader {
  store(name: string): KVStore;
  /** A branch of this branch: one per transaction, one per message. */
  branch(): MultiStoreBranch;
  /** Moves all writes into the parent and empties this branch. */
  write(): void;
}

/** What a committed version is known by. `hash` is the app hash: 32 bytes. */
export interface CommitId {
  readonly version: bigint;
  readonly hash: Uint8Array;
}

/** A substore of the working version that begins with what another one held. */
export interface RenamedStore {
  readonly from: string;
  readonly to: string;
}

/** A merkle proof as `abci_query` returns it: one operation per tree, innermost first. */
export interface ProofOp {
  /** `ics23:iavl` or `ics23:simple`. */
  readonly type: string;
  readonly key: Uint8Array;
  /** An encoded `ics23.CommitmentProof`. */
  readonly data: Uint8Array;
}

/** The answer to a point query at a version. */
export interface StoreQueryResult {
  /** Undefined when the key is absent. */
  readonly value: Uint8Array | undefined;
  /** Empty unless asked for. */
  readonly proofOps: readonly ProofOp[];
}

/**
 * The versioned, merkleized store under the application: committed state, and one working version on top of
 * it.
 */
export interface CommitMultiStore extends MultiStoreReader {
  /** The last committed version; its version is 0 and its hash that of no stores before the first commit. */
  readonly lastCommit: CommitId;
  /** Names of the substores of the last committed version, in name order; none before the first. */
  readonly committedStores: readonly string[];
  /**
   * Sets the substores of the working version and those after it: new ones begin empty, those not named end
   * with the last commit, renamed ones begin with what the other held. Drops the writes of the working
   * version.
   */
  useStores(names: readonly string[], renamed?: readonly RenamedStore[]): void;
  /** An overlay over the working version. */
  branch(): MultiStoreBranch;
  /** The hash that `commit` would give now. */
  workingHash(): Uint8Array;
  /**
   * Makes the working version the next committed one (`version`, default last + 1, lets a chain start at a
   * higher height) and queues it for the disk.
   */
  commit(version?: bigint): CommitId;
  /** Drops the writes of the working version. */
  rollback(): void;
  /**
   * A retained version for reading; a substore that came later is empty in it.
   * @throws LedgerError `store.version_missing` when pruned or not yet there
   */
  at(version: bigint): MultiStoreReader;
  /** Versions that `at` and `query` answer, lowest and highest. */
  versions(): { readonly earliest: bigint; readonly latest: bigint };
  /** Reads one key of one substore at a version. */
  query(request: {
    readonly store: string;
    readonly key: Uint8Array;
    readonly version: bigint;
    readonly prove: boolean;
  }): StoreQueryResult;
}
