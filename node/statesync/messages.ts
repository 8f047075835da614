/** The requests of state sync and their answers, checked in full when they are read. */
import { checkHash } from '../../consensus/types/block-id.ts';
import { decodeLightBlock, encodeLightBlock, type LightBlock } from '../../consensus/types/light-block.ts';
import { VALIDATORS_MAX } from '../../consensus/types/limits.ts';
import { DecodeError } from '../../core/errors.ts';
import { BlockResponse } from '../../proto/gen/openledger/p2p/v1/p2p.ts';
import { ResponseListSnapshots, type Snapshot } from '../../proto/gen/tendermint/abci/types.ts';
import { BlockRequest } from '../../proto/gen/tendermint/blocksync/types.ts';
import { ChunkRequest, ChunkResponse, Message } from '../../proto/gen/tendermint/statesync/types.ts';
import { SNAPSHOTS_PROTOCOL } from '../../p2p/channels.ts';

/** Snapshots that one peer may offer: CometBFT's `recentSnapshots`. */
export const SNAPSHOTS_OFFERED_MAX = 10;
/** Chunks that a snapshot may have: CometBFT's `max_snapshot_chunks` (cometbft#5549). */
export const SNAPSHOT_CHUNKS_MAX = 100_000;

/** Asks for what a peer offers. */
export function encodeSnapshotsRequest(): Uint8Array {
  return Message.encode(Message.create({ snapshotsRequest: {} }));
}

/** @throws DecodeError when it is something else */
export function decodeSnapshotsRequest(bytes: Uint8Array): void {
  if (Message.decode(bytes, { elementsMax: 0 }).snapshotsRequest === undefined)
    throw new DecodeError('no request for snapshots');
}

/** The newest snapshots, as many as may be offered and fit an answer. */
export function encodeSnapshots(newestFirst: readonly Snapshot[]): Uint8Array {
  for (let count = Math.min(newestFirst.length, SNAPSHOTS_OFFERED_MAX); ; count--) {
    const bytes = ResponseListSnapshots.encode({ snapshots: newestFirst.slice(0, count) });
    if (bytes.length <= SNAPSHOTS_PROTOCOL.responseBytesMax) return bytes;
  }
}

/**
 * Reads what a peer offers. Snapshots are counted as they are read: two bytes may claim to be one.
 * @throws DecodeError when it is malformed, too many, or none of it can be
 */
export function decodeSnapshots(bytes: Uint8Array): readonly Snapshot[] {
  const { snapshots } = ResponseListSnapshots.decode(bytes, { elementsMax: SNAPSHOTS_OFFERED_MAX });
  return snapshots.map(checkSnapshot);
}

function checkSnapshot(snapshot: Snapshot): Snapshot {
  const { height, chunks } = snapshot;
  if (height < 1n || height >= 1n << 63n)
    throw new DecodeError('a snapshot of an impossible height', { height });
  if (chunks < 1 || chunks > SNAPSHOT_CHUNKS_MAX)
    throw new DecodeError(`a snapshot of ${chunks} chunks, 1 to ${SNAPSHOT_CHUNKS_MAX} are possible`);
  checkHash(snapshot.hash, 'snapshot');
  if (snapshot.hash.length === 0) throw new DecodeError('a snapshot without a hash');
  return snapshot;
}

/** Asks for one chunk. */
export function encodeChunkRequest(request: ChunkRequest): Uint8Array {
  return ChunkRequest.encode(request);
}

/** @throws DecodeError when it is malformed or cannot be */
export function decodeChunkRequest(bytes: Uint8Array): ChunkRequest {
  const request = ChunkRequest.decode(bytes);
  if (request.height < 1n || request.index >= SNAPSHOT_CHUNKS_MAX)
    throw new DecodeError('a request for an impossible chunk', { ...request });
  return request;
}

/** A chunk; none says that it is missing. */
export function encodeChunk(request: ChunkRequest, chunk: Uint8Array): Uint8Array {
  const { height, format, index } = request;
  return ChunkResponse.encode({ height, format, index, chunk, missing: chunk.length === 0 });
}

/**
 * Reads the answer to a request; undefined when the peer does not have the chunk.
 * @throws DecodeError when it is malformed or answers something else
 */
export function decodeChunk(request: ChunkRequest, bytes: Uint8Array): Uint8Array | undefined {
  const { height, format, index, chunk, missing } = ChunkResponse.decode(bytes);
  if (height !== request.height || format !== request.format || index !== request.index)
    throw new DecodeError('a chunk that was not asked for', { height, format, index });
  if (missing !== (chunk.length === 0)) throw new DecodeError('a chunk that is empty, or missing and there');
  return missing ? undefined : chunk;
}

/** Asks for the block, or the light block, of a height. */
export function encodeHeightRequest(height: bigint): Uint8Array {
  return BlockRequest.encode({ height });
}

/** @throws DecodeError when it is malformed or the height cannot be */
export function decodeHeightRequest(bytes: Uint8Array): bigint {
  const { height } = BlockRequest.decode(bytes);
  if (height < 1n) throw new DecodeError('a request for an impossible height', { height });
  return height;
}

/** A light block; no bytes say that there is none. */
export function encodeLightBlockResponse(block: LightBlock | undefined): Uint8Array {
  return block === undefined ? new Uint8Array(0) : encodeLightBlock(block);
}

/**
 * Reads a light block; its parts belong together.
 * @throws DecodeError when it is malformed or of another height
 */
export function decodeLightBlockResponse(height: bigint, bytes: Uint8Array): LightBlock | undefined {
  if (bytes.length === 0) return undefined;
  const block = decodeLightBlock(bytes);
  if (block.header.height !== height)
    throw new DecodeError('a light block of another height', { height, got: block.header.height });
  return block;
}

/**
 * The encoded block in an answer of block sync's protocol; undefined when there is none.
 * @throws DecodeError when it is malformed, or has more entries in its commit than validators there may be
 */
export function decodeBlockBytes(bytes: Uint8Array): Uint8Array | undefined {
  const { block } = BlockResponse.decode(bytes, { elementsMax: VALIDATORS_MAX });
  return block.length === 0 ? undefined : block;
}
