/** The messages of block sync, checked in full when they are read. */
import { type Commit, commitFromMessage, commitToMessage } from '../../consensus/types/commit.ts';
import { VALIDATORS_MAX } from '../../consensus/types/limits.ts';
import { DecodeError } from '../../core/errors.ts';
import { BlockRequest, BlockResponse, type FollowingBlock } from '../../proto/gen/openledger/p2p/v1/p2p.ts';
import { Message } from '../../proto/gen/tendermint/blocksync/types.ts';

/** Blocks that one request may ask for: what a request costs is spread over them. */
export const BLOCKS_PER_REQUEST_MAX = 16;
/** An answer is not made longer by a further block than this. */
const ANSWER_BYTES_MAX = 1024 * 1024;
/** Blocks whose sizes make up most of the average. */
const SIZES_AVERAGED = 4;
/** Encoded, with address, time and signature. */
const COMMIT_SIG_BYTES = 110;

/** The heights that a node says it has stored; both 0n when there is none. */
export interface StoredRange {
  readonly base: bigint;
  readonly height: bigint;
}

/** A message for the sync channel: `tendermint.blocksync.Message` with a status response. */
export function encodeRange(range: StoredRange): Uint8Array {
  return Message.encode(Message.create({ statusResponse: range }));
}

/** @throws DecodeError when it is no status response, or its heights cannot be */
export function decodeRange(bytes: Uint8Array): StoredRange {
  const range = Message.decode(bytes, { elementsMax: 0 }).statusResponse;
  if (range === undefined) throw new DecodeError('no message of the sync channel');
  const { base, height } = range;
  const empty = base === 0n && height === 0n;
  if (!empty && (base < 1n || height < base)) throw new DecodeError('stored range: impossible heights');
  return { base, height };
}

/** Blocks from one height on. */
export interface BlockRange {
  readonly height: bigint;
  /** At least 1. */
  readonly blocksMax: number;
}

/** A request for the block of a height, and those after it. */
export function encodeBlockRequest(height: bigint, blocksMax = 1): Uint8Array {
  return BlockRequest.encode({ height, blocksMax: blocksMax === 1 ? 0 : blocksMax });
}

/** @throws DecodeError when it is malformed, or height or number cannot be */
export function decodeBlockRequest(bytes: Uint8Array): BlockRange {
  const { height, blocksMax } = BlockRequest.decode(bytes);
  if (height < 1n) throw new DecodeError('block request: impossible height', { height });
  if (blocksMax > BLOCKS_PER_REQUEST_MAX)
    throw new DecodeError('block request: too many blocks', { blocksMax });
  return { height, blocksMax: Math.max(1, blocksMax) };
}

/** A block with the precommits that decided it, as it travels. */
export interface SentBlock {
  readonly blockBytes: Uint8Array;
  readonly commit: Commit;
}

/** An answer: the blocks from the height that was asked for; none says that it is not stored. */
export function encodeBlockResponse(blocks: readonly SentBlock[]): Uint8Array {
  const [first, ...following] = blocks.map(({ blockBytes, commit }) => ({
    block: blockBytes,
    commit: commitToMessage(commit),
  }));
  if (first === undefined) return BlockResponse.encode(BlockResponse.create());
  return BlockResponse.encode({ ...first, following });
}

/** What one answer holds at most: beyond it, fewer blocks are in it than were asked for, but never none. */
export class AnswerRoom {
  #bytes: number = ANSWER_BYTES_MAX;
  #signatures: number = VALIDATORS_MAX;

  /** Books a block; false when it does not fit behind those before it. */
  take(block: SentBlock): boolean {
    const isFirst = this.#bytes === ANSWER_BYTES_MAX;
    this.#bytes -= bytesOf(block);
    this.#signatures -= block.commit.signatures.length;
    return isFirst || (this.#bytes >= 0 && this.#signatures >= 0);
  }
}

/** How large blocks have been lately: nobody is asked for more of them than one answer holds. */
export class BlockSizes {
  #averageBytes = 0;

  received(block: SentBlock): void {
    this.#averageBytes += (bytesOf(block) - this.#averageBytes) / SIZES_AVERAGED;
  }

  /** How many are about as large as some bytes: from 1 to a limit. */
  blocksIn(bytes: number, limit: bigint): bigint {
    const fitting = BigInt(Math.max(1, Math.floor(bytes / Math.max(1, this.#averageBytes))));
    return fitting < limit ? fitting : limit;
  }

  get blocksPerAnswer(): number {
    return Math.max(1, Math.floor(ANSWER_BYTES_MAX / Math.max(1, this.#averageBytes)));
  }
}

function bytesOf({ blockBytes, commit }: SentBlock): number {
  return blockBytes.length + COMMIT_SIG_BYTES * commit.signatures.length;
}

/**
 * Reads an answer. The blocks themselves are decoded by who verifies them.
 * @throws DecodeError when it is malformed, holds more than was asked for, or a commit of another height
 */
export function decodeBlockResponse(
  { height, blocksMax }: BlockRange,
  bytes: Uint8Array,
): readonly SentBlock[] {
  // The entries of all commits are counted as they are read: two bytes may claim to be one.
  const elementsMax = VALIDATORS_MAX + blocksMax - 1;
  // Views: the blocks are nearly all of the answer, which nobody else keeps.
  const { following, ...first } = BlockResponse.decode(bytes, { elementsMax, views: true });
  if (first.block.length === 0 && first.commit === undefined && following.length === 0) return [];
  if (following.length >= blocksMax) throw new DecodeError('block response: more blocks than were asked for');
  return [first, ...following].map((message, i) => sentBlock(height + BigInt(i), message));
}

function sentBlock(height: bigint, { block, commit: message }: FollowingBlock): SentBlock {
  if (block.length === 0 || message === undefined)
    throw new DecodeError('block response: half of it is missing');
  const commit = commitFromMessage(message);
  if (commit.height !== height)
    throw new DecodeError('block response: commit of another height', { height, got: commit.height });
  return { blockBytes: block, commit };
}
