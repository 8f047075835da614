/** Limits of the indexes. */
export interface IndexerConfig {
  /** Entries that one search may read, over all its conditions. */
  readonly searchEntriesMax: number;
  /** Searches that run at once. */
  readonly searchesMax: number;
  /** Searches that wait for their turn; beyond, new ones are refused. */
  readonly searchesWaitingMax: number;
  /**
   * Longest attribute value that is indexed, in bytes; longer ones are stored with the result, but not found
   * by.
   */
  readonly valueBytesMax: number;
  /** Committed blocks that may wait to be written before the commit of the next waits for them. */
  readonly unwrittenBlocksMax: number;
}

/** What a node starts with. */
export const DEFAULT_INDEXER_CONFIG: IndexerConfig = {
  searchEntriesMax: 200_000,
  searchesMax: 4,
  searchesWaitingMax: 64,
  valueBytesMax: 4096,
  unwrittenBlocksMax: 8,
};
