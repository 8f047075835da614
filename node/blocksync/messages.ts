/** The messages of block sync, checked in full when they are read. */
import { type Commit, commitFromMessage, commitToMessage } from '../../consensus/types/commit.ts';
import { VALIDATORS_MAX } from '../../consensus/types/limits.ts';
import { DecodeError } from '../../core/errors.ts';
import { BlockResponse } from '../../proto/gen/openledger/p2p/v1/p2p.ts';
import { BlockRequest, Message } from '../../proto/gen/tendermint/blocksync/types.ts';

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

/** A request for the block of a height. */
export function encodeBlockRequest(height: bigint): Uint8Array {
  return BlockRequest.encode({ height });
}

/** @throws DecodeError when it is malformed or the height cannot be */
export function decodeBlockRequest(bytes: Uint8Array): bigint {
  const { height } = BlockRequest.decode(bytes);
  if (height < 1n) throw new DecodeError('block request: impossible height', { height });
  return height;
}

/** A block with the precommits that decided it, as it travels. */
export interface SentBlock {
  readonly blockBytes: Uint8Array;
  readonly commit: Commit;
}

/** An answer; undefined says that the height is not stored. */
export function encodeBlockResponse(sent: SentBlock | undefined): Uint8Array {
  if (sent === undefined) return BlockResponse.encode(BlockResponse.create());
  return BlockResponse.encode({ block: sent.blockBytes, commit: commitToMessage(sent.commit) });
}

/**
 * Reads an answer. The block itself is decoded by who verifies it.
 * @throws DecodeError when it is malformed, or its commit is not one for that height
 */
export function decodeBlockResponse(height: bigint, bytes: Uint8Array): SentBlock | undefined {
  // The commit's entries are counted as they are read: two bytes may claim to be one.
  const { block, commit: message } = BlockResponse.decode(bytes, { elementsMax: VALIDATORS_MAX });
  if (block.length === 0 && message === undefined) return undefined;
  if (block.length === 0 || message === undefined)
    throw new DecodeError('block response: half of it is missing');
  const commit = commitFromMessage(message);
  if (commit.height !== height)
    throw new DecodeError('block response: commit of another height', { height, got: commit.height });
  return { blockBytes: block, commit };
}
