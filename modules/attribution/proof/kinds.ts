/**
 * Kinds of trees that shards and influence claims commit to. A leaf begins with its tree's kind, and so does
 * what a committed root is the hash of: no node of one tree can pass for one of another. docs/adr/0023.
 */

/** The trees of a shard, by name. */
export const SHARD_TREES = { text: 1, suffix: 2, inverse: 3, documents: 4 } as const;

/** A tree of a shard. */
export type ShardTree = keyof typeof SHARD_TREES;

/** Tokens of a text leaf, and ranks of an inverse leaf. */
export const LEAF_TOKENS = 64;

/** Most tokens of a suffix that an entry of the suffix tree holds. */
export const PREFIX_TOKENS = 32;

/** Longest token array of a shard, separators included. */
export const SHARD_TOKENS_MAX: number = 2 ** 28;
