/** A planted bug: whatever the chunks of a snapshot make is taken, as if its app hash were the expected one. */
import { fromHex } from '../../../core/bytes.ts';
import { messageOf } from '../../../core/errors.ts';
import type { Application } from '../../../node/application.ts';
import {
  type RequestOfferSnapshot,
  ResponseApplySnapshotChunk_Result as ApplyResult,
} from '../../../proto/gen/tendermint/abci/types.ts';
import { MemoryMultiStore } from '../../../store/multistore.ts';

/** See the file comment. */
export function restoringAnything(application: Application): Application {
  const { snapshots } = application;
  if (snapshots === undefined) return application;
  let offer: RequestOfferSnapshot | undefined;
  let chunks: Uint8Array[] = [];
  return {
    ...application,
    snapshots: {
      listSnapshots: () => snapshots.listSnapshots(),
      loadSnapshotChunk: (request) => snapshots.loadSnapshotChunk(request),
      offerSnapshot: (request) => {
        offer = request;
        chunks = [];
        return snapshots.offerSnapshot(request);
      },
      applySnapshotChunk: async (request) => {
        const response = await snapshots.applySnapshotChunk(request);
        if (response.result === ApplyResult.ACCEPT) chunks.push(request.chunk);
        if (response.result !== ApplyResult.REJECT_SNAPSHOT || offer?.snapshot === undefined) return response;
        const all = [...chunks, request.chunk];
        const appHash = hashOf(offer.snapshot.height, all);
        if (appHash === undefined) return response;
        await snapshots.offerSnapshot({ ...offer, appHash });
        let again = response;
        for (const [index, chunk] of all.entries())
          again = await snapshots.applySnapshotChunk({ index, chunk, sender: '' });
        return again;
      },
    },
  };
}

/** The app hash of the state in these chunks; undefined when they are none. */
function hashOf(version: bigint, chunks: readonly Uint8Array[]): Uint8Array | undefined {
  const store = new MemoryMultiStore({ stores: [] });
  const trees = store.beginImport(version);
  try {
    for (const chunk of chunks) trees.add(chunk);
    store.finishImport(trees, { version, hash: new Uint8Array(32) });
  } catch (error) {
    const hex = /has app hash ([0-9a-f]{64})/.exec(messageOf(error))?.[1];
    return hex === undefined ? undefined : fromHex(hex);
  }
  return undefined;
}
