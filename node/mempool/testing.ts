/**
 * Fakes for tests of the mempool: an application whose checks end when the test says so, and timers by hand.
 */
import { ResponseCheckTx } from '../../proto/gen/tendermint/abci/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { ExecTxResult, ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { Header } from '../../proto/gen/tendermint/types/types.ts';
import { NIL_BLOCK_ID } from '../../consensus/types/block-id.ts';
import type { StartTimer } from './gossip-batcher.ts';
import type { MempoolLogger, MempoolMetrics, TxGossip } from './ports.ts';

/** Log that nobody reads. */
export const silentLogger: MempoolLogger = { debug: () => {}, warn: () => {} };

/** Metrics that count into plain numbers. */
export class CountingMetrics implements MempoolMetrics {
  size = 0;
  bytes = 0;
  failed = 0;
  rejected = 0;
  alreadyReceived = 0;
  rechecks = 0;
  setSize(count: number, bytes: number): void {
    this.size = count;
    this.bytes = bytes;
  }
  addTx(): void {}
  addFailed(): void {
    this.failed++;
  }
  addRejected(): void {
    this.rejected++;
  }
  addAlreadyReceived(): void {
    this.alreadyReceived++;
  }
  addRechecks(count: number): void {
    this.rechecks += count;
  }
}

/** Gossip that remembers. */
export class RecordingGossip implements TxGossip {
  readonly batches: { readonly txs: readonly Uint8Array[]; readonly origin: string | undefined }[] = [];
  publish(txs: readonly Uint8Array[], origin: string | undefined): void {
    this.batches.push({ txs, origin });
  }
}

/** A timer that fires when told. */
export class ManualTimer {
  readonly start: StartTimer = (callback) => {
    this.#callback = callback;
    return () => {
      this.#callback = undefined;
    };
  };
  #callback: (() => void) | undefined;

  get running(): boolean {
    return this.#callback !== undefined;
  }

  fire(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }
}

/** An answer of the application. */
export function checked(code: number, gasWanted = 1n): ResponseCheckTx {
  return ResponseCheckTx.create({ code, gasWanted, log: code === 0 ? '' : 'refused' });
}

/** A committed block of these transactions, all with these result codes (default 0). */
export function committed(txs: readonly Uint8Array[], codes: readonly number[] = []): CommittedBlock {
  return {
    height: 1n,
    block: { header: Header.create(), txs, evidence: [], lastCommit: EMPTY_COMMIT },
    blockId: NIL_BLOCK_ID,
    results: ResponseFinalizeBlock.create({
      txResults: txs.map((_tx, index) => ExecTxResult.create({ code: codes[index] ?? 0 })),
    }),
  };
}
