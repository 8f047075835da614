/**
 * Bounds of what blocks and votes may hold, as CometBFT v0.38 has them (`types/params.go`, `vote_set.go`,
 * `signable.go`).
 */

/** Bytes of each part of a block but the last. */
export const BLOCK_PART_BYTES = 65_536;
/**
 * Largest encoded block that any parameters may allow: 21 MiB, CometBFT's default. CometBFT allows 100 MiB;
 * here whatever is decided must also fit one answer of block sync, and larger blocks make long rounds
 * (ASA-2023-002).
 */
export const BLOCK_BYTES_MAX = 22_020_096;
/** Most parts of a block. */
export const BLOCK_PARTS_MAX: number = BLOCK_BYTES_MAX / BLOCK_PART_BYTES + 1;
/** Most validators, and so most entries of a commit. */
export const VALIDATORS_MAX = 10_000;
/** Largest signature. */
export const SIGNATURE_BYTES_MAX = 64;
/** Bytes of a validator address. */
export const ADDRESS_BYTES = 20;
/** Longest chain id, in UTF-8 bytes. */
export const CHAIN_ID_BYTES_MAX = 50;
/** Largest vote extension. */
export const VOTE_EXTENSION_BYTES_MAX = 1_048_576;
/** Last height that fits. */
export const HEIGHT_MAX: bigint = (1n << 63n) - 1n;
/** Last round that fits. */
export const ROUND_MAX = 2_147_483_647;
/** The block protocol that headers state (`version.BlockProtocol`). */
export const BLOCK_PROTOCOL = 11n;
/**
 * Most elements of lists in an encoded block: transactions, entries of the commit, what evidence lists. Two
 * bytes may claim to be one and take a hundred times that. Ours: CometBFT has no such bound.
 */
export const BLOCK_ELEMENTS_MAX = 1_048_576;
