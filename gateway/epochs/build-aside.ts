/**
 * Builds epochs on a thread of their own, one after another, so that a gateway goes on serving meanwhile: a
 * million receipts take 20 s, and a gigabyte while it lasts. Small ones are built where they are asked for: a
 * thread costs more to start.
 */
import { Worker } from 'node:worker_threads';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { ModelTerms } from '../../modules/settlement/proof/chain.ts';
import { toHex } from '../../core/bytes.ts';
import { buildEpoch, openEpoch, type PackedEpoch } from './build-epoch.ts';
import type { PackedLeaves } from './packed.ts';
import type { PublishedEpoch } from './published.ts';

/** Receipts of an epoch that is built where it is asked for: 30 ms. */
const BUILT_HERE_MAX = 1_000;

/** What an epoch is built from, as values: what a thread can be handed. */
export interface BuildOrder {
  /** Handed over when a thread builds it, if nothing else is in their buffer: who gave them has them no more. */
  readonly receipts: PackedLeaves;
  /** By their hashes in hexadecimal. */
  readonly attributions: ReadonlyMap<string, Uint8Array>;
  /** Of each model that receipts name. */
  readonly terms: ReadonlyMap<bigint, Pick<ModelTerms, 'datanets'>>;
  /** Most rows that the chain takes. */
  readonly rowsMax: number;
}

/** What a thread says, once. */
export type BuildReply =
  | { readonly kind: 'built'; readonly epoch: PackedEpoch }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** What is needed of a thread. */
export interface BuildThread {
  on(event: 'message', listener: (reply: BuildReply) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
}

/** What builds epochs. */
export interface EpochBuilderParts {
  /** Starts a thread on an order; default: `buildThread`. */
  readonly startThread?: (order: BuildOrder) => BuildThread;
  /** Most receipts of an epoch that is built where it is asked for; default: 1,000. */
  readonly builtHereMax?: number;
}

/** A thread that builds an epoch and ends. */
function buildThread(order: BuildOrder): Worker {
  const { buffer, byteLength } = order.receipts.bytes;
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  const transferList = isAlone ? [buffer] : [];
  return new Worker(new URL('./build-worker.ts', import.meta.url), { workerData: order, transferList });
}

/** See the file comment. */
export class EpochBuilder {
  readonly #startThread: (order: BuildOrder) => BuildThread;
  readonly #builtHereMax: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ startThread = buildThread, builtHereMax = BUILT_HERE_MAX }: EpochBuilderParts = {}) {
    this.#startThread = startThread;
    this.#builtHereMax = builtHereMax;
  }

  /**
   * The epoch, with these attributions.
   * @throws what `buildEpoch` throws, also when a thread does: a LedgerError of the same code; `gateway.build`
   * when the thread ended without an epoch, as for lack of memory
   */
  async build(order: BuildOrder): Promise<PublishedEpoch> {
    const { receipts, attributions, terms, rowsMax } = order;
    const attribution = (hash: Uint8Array): Uint8Array | undefined => attributions.get(toHex(hash));
    if (receipts.count <= this.#builtHereMax)
      return buildEpoch({
        receipts,
        attribution,
        rowsMax,
        chain: { terms: (modelId) => terms.get(modelId) },
      });
    // One at a time: each takes a gigabyte.
    const packed = this.#last.then(() => this.#packed(order));
    this.#last = packed.catch(() => undefined);
    return openEpoch(await packed, attribution);
  }

  #packed(order: BuildOrder): Promise<PackedEpoch> {
    const ended = (why: string, cause?: unknown): LedgerError => {
      const message = `an epoch of ${order.receipts.count} receipts was not built: its thread ended (${why})`;
      return new LedgerError('gateway.build', message, {}, cause);
    };
    return new Promise((resolve, reject) => {
      const thread = this.#startThread(order);
      thread.on('message', (reply) => {
        if (reply.kind === 'built') resolve(reply.epoch);
        else reject(new LedgerError(reply.code, reply.message));
      });
      thread.on('error', (error) => reject(ended(messageOf(error), error)));
      // Behind its message, if it had one.
      thread.on('exit', (code) => reject(ended(`exit code ${code}`)));
    });
  }
}
