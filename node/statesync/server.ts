/** Answers peers that sync their state: snapshots, their chunks, and light blocks. */
import type { LightBlock } from '../../consensus/types/light-block.ts';
import { LIGHT_BLOCK_PROTOCOL, SNAPSHOT_CHUNK_PROTOCOL, SNAPSHOTS_PROTOCOL } from '../../p2p/channels.ts';
import type { Network } from '../../p2p/network.ts';
import {
  decodeChunkRequest,
  decodeHeightRequest,
  decodeSnapshotsRequest,
  encodeChunk,
  encodeLightBlockResponse,
  encodeSnapshots,
} from './messages.ts';
import type { LightBlockSource, SnapshotSource } from './ports.ts';

/** What is served. */
export interface ServerPorts {
  readonly network: Network;
  /** Absent: the application makes no snapshots. */
  readonly snapshots: SnapshotSource | undefined;
  readonly headers: LightBlockSource;
}

/** Installs the handlers. */
export function serveStateSync({ network, snapshots, headers }: ServerPorts): void {
  network.serve(SNAPSHOTS_PROTOCOL.name, async (_peer, bytes) => {
    decodeSnapshotsRequest(bytes);
    return encodeSnapshots((await snapshots?.listSnapshots())?.snapshots ?? []);
  });
  network.serve(SNAPSHOT_CHUNK_PROTOCOL.name, async (_peer, bytes) => {
    const request = decodeChunkRequest(bytes);
    const { height, format, index } = request;
    const found = await snapshots?.loadSnapshotChunk({ height, format, chunk: index });
    return encodeChunk(request, found?.chunk ?? new Uint8Array(0));
  });
  network.serve(LIGHT_BLOCK_PROTOCOL.name, (_peer, bytes) =>
    encodeLightBlockResponse(lightBlockAt(headers, decodeHeightRequest(bytes))),
  );
}

function lightBlockAt(headers: LightBlockSource, height: bigint): LightBlock | undefined {
  const header = headers.header(height);
  const commit = headers.commit(height);
  const validators = headers.validators(height);
  if (header === undefined || commit === undefined || validators === undefined) return undefined;
  return { header, commit, validators };
}
