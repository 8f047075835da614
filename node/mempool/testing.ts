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
import type { MempoolLogger, MempoolMetrics, TxBatch, TxGossip } from './ports.ts';

/** Log that nobody reads. */
export const silentLogger: MempoolLogger = { debug: () => {}, warn: () => {} };

/** Metrics that count into plain numbers. */
export class CountingMetrics implements MempoolMetrics {
  size = 0;
  bytes = 0;
  failed = 0;
  rejected = 0;
  evicted = 0;
  expired = 0;
  alreadyReceived = 0;
  rechecks = 0;
  setSize(count: number, bytes: number): void {
    this.size = count;
    this.bytes = bytes;
  }
  accepted = 0;
  addTx(): void {
    this.accepted++;
  }
  addFailed(): void {
    this.failed++;
  }
  addRejected(): void {
    this.rejected++;
  }
  addEvicted(): void {
    this.evicted++;
  }
  addExpired(): void {
    this.expired++;
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
  readonly batches: TxBatch[] = [];
  publish(batch: TxBatch): void {
    this.batches.push(batch);
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

/** An answer as a Cosmos SDK application gives it: with signers, as `address/sequence`, and the fee. */
export function checkedOf(fee: number, ...signers: readonly string[]): ResponseCheckTx {
  const attribute = (key: string, value: string) => ({ key, value, index: true });
  const events = [{ type: 'tx', attributes: [attribute('fee', `${fee}uopen`)] }];
  for (const signer of signers) events.push({ type: 'tx', attributes: [attribute('acc_seq', signer)] });
  return ResponseCheckTx.create({ code: 0, gasWanted: 1n, events });
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

/**
 * An application with accounts whose sequences must come one after the other, as the Cosmos SDK's ante handler
 * wants them. Transactions are texts: `sender/sequence/fee/rest`.
 */
export class SequenceApplication {
  readonly committed: Map<string, number> = new Map();
  #check: Map<string, number> = new Map();

  readonly checkTx: (request: { readonly tx: Uint8Array }) => Promise<ResponseCheckTx> = async ({ tx }) => {
    const { sender, sequence, fee } = readTx(tx);
    if (sequence !== this.nextOf(sender)) return checked(32);
    this.#check.set(sender, sequence + 1);
    return checkedOf(fee, `${sender}/${sequence}`);
  };

  /** The sequence that CheckTx expects of a sender. */
  nextOf(sender: string): number {
    return this.#check.get(sender) ?? this.committed.get(sender) ?? 0;
  }

  /** Executes and commits a block; the result code of each transaction. */
  commit(txs: readonly Uint8Array[]): readonly number[] {
    const codes = txs.map((tx) => {
      const { sender, sequence } = readTx(tx);
      if (sequence !== (this.committed.get(sender) ?? 0)) return 32;
      this.committed.set(sender, sequence + 1);
      return 0;
    });
    this.#check = new Map();
    return codes;
  }
}

/** The parts of a transaction of `SequenceApplication`. */
export function readTx(tx: Uint8Array): {
  readonly sender: string;
  readonly sequence: number;
  readonly fee: number;
} {
  const [sender = '', sequence, fee] = Buffer.from(tx).toString().split('/');
  return { sender, sequence: Number(sequence), fee: Number(fee) };
}
