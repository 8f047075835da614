/** A thread that builds one epoch: gets what it is built from, posts the epoch or why there is none. */
import { parentPort, workerData } from 'node:worker_threads';
import { toHex } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { BuildOrder, BuildReply } from './build-aside.ts';
import { type PackedEpoch, packEpoch } from './build-epoch.ts';

function build({ receipts, attributions, terms, rowsMax }: BuildOrder): BuildReply {
  try {
    const epoch = packEpoch({
      receipts,
      attribution: (hash) => attributions.get(toHex(hash)),
      chain: { terms: (modelId) => terms.get(modelId) },
      rowsMax,
    });
    return { kind: 'built', epoch };
  } catch (error) {
    const code = error instanceof LedgerError ? error.code : 'gateway.build';
    return { kind: 'failed', code, message: messageOf(error) };
  }
}

/** They are handed over, not copied. */
function buffersOf({ receipts, allocations, entitlements }: PackedEpoch): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { leaves, nodes } of [receipts, allocations, entitlements])
    for (const { buffer } of [leaves.bytes, ...nodes.flat()])
      if (buffer instanceof ArrayBuffer) buffers.add(buffer);
  return [...buffers];
}

const reply = build(workerData as BuildOrder);
parentPort?.postMessage(reply, reply.kind === 'built' ? buffersOf(reply.epoch) : []);
