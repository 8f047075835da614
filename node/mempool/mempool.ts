/**
 * Transactions that wait for a block. Their way: known? → too large? → room? → queue → the application's
 * check → the pool, and on to the peers. The pool's order is the order in which the application accepted
 * them, which is the order in which they came: one sender's transactions keep theirs.
 *
 * Calls of the application are bounded (`checksMax`), and so is what waits for one (`queueMax`). `lock` lets
 * the running checks end and holds the others back, for the time in which a block is committed and the rest
 * is checked again.
 */
import { messageOf } from '../../core/errors.ts';
import { uvarintLength } from '../../core/varint.ts';
import { CheckTxType, type ResponseCheckTx } from '../../proto/gen/tendermint/abci/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { txKey } from '../tx-key.ts';
import type { MempoolConfig } from './config.ts';
import { mempoolFull, txInCache, txTooLarge } from './errors.ts';
import { Fifo } from './fifo.ts';
import { GossipBatcher, type StartTimer } from './gossip-batcher.ts';
import type {
  MempoolLogger,
  MempoolMetrics,
  TxChecker,
  TxGossip,
  TxPool,
  TxReceiver,
  TxSubmission,
} from './ports.ts';
import { TxCache } from './tx-cache.ts';

const CODE_OK = 0;
const TAG_BYTES = 1;
const NO_LIMIT = -1;

interface PooledTx {
  readonly tx: Uint8Array;
  readonly gasWanted: bigint;
}

interface Check {
  readonly key: string;
  readonly tx: Uint8Array;
  readonly origin: string | undefined;
  /** Undefined for what peers send: nobody waits for the outcome. */
  readonly settle: Settle | undefined;
}

interface Settle {
  readonly resolve: (response: ResponseCheckTx) => void;
  readonly reject: (error: unknown) => void;
}

/** What the mempool is joined to. */
export interface MempoolPorts {
  readonly application: TxChecker;
  readonly gossip: TxGossip;
  readonly metrics: MempoolMetrics;
  readonly logger: MempoolLogger;
  /** Default: Node's timers. */
  readonly startTimer?: StartTimer;
  /** Lets others have their turn between two batches of rechecks. Default: a turn of the event loop. */
  readonly yieldToOthers?: () => Promise<void>;
}

/** The mempool. It needs no start; `stop` ends its one timer. */
export class Mempool implements TxPool, TxSubmission, TxReceiver {
  readonly #ports: MempoolPorts;
  readonly #config: MempoolConfig;
  readonly #pool = new Map<string, PooledTx>();
  readonly #cache: TxCache;
  readonly #queue = new Fifo<Check>();
  readonly #batcher: GossipBatcher;
  readonly #listeners = new Set<() => void>();
  readonly #lockWaiters = new Fifo<() => void>();
  #poolBytes = 0;
  #queueBytes = 0;
  #running = 0;
  #locked = false;

  constructor(ports: MempoolPorts, config: MempoolConfig) {
    this.#ports = ports;
    this.#config = config;
    this.#cache = new TxCache(config.cacheMax);
    this.#batcher = new GossipBatcher(
      ports.gossip,
      { windowMs: config.gossipWindowMs, bytesMax: config.gossipBatchBytes },
      ports.startTimer ?? startNodeTimer,
    );
  }

  get size(): number {
    return this.#pool.size;
  }

  get sizeBytes(): number {
    return this.#poolBytes;
  }

  get hasTransactions(): boolean {
    return this.#pool.size > 0;
  }

  checkTx(tx: Uint8Array, key: string = txKey(tx)): Promise<ResponseCheckTx> {
    return new Promise((resolve, reject) => {
      const refusal = this.#admit({ key, tx, origin: undefined, settle: { resolve, reject } });
      if (refusal !== undefined) reject(refusal);
    });
  }

  receive(txs: readonly Uint8Array[], peer: string): void {
    for (const tx of txs) {
      const key = txKey(tx);
      const refusal = this.#admit({ key, tx, origin: peer, settle: undefined });
      if (refusal !== undefined && refusal.code !== 'mempool.tx_in_cache') {
        this.#ports.logger.debug({ tx: key, peer, reason: refusal.message }, 'transaction of a peer dropped');
      }
    }
  }

  reap(maxBytes: number, maxGas: bigint): readonly Uint8Array[] {
    const txs: Uint8Array[] = [];
    let bytes = 0;
    let gas = 0n;
    for (const { tx, gasWanted } of this.#pool.values()) {
      bytes += TAG_BYTES + uvarintLength(tx.length) + tx.length;
      gas += gasWanted;
      if ((maxBytes !== NO_LIMIT && bytes > maxBytes) || (maxGas >= 0n && gas > maxGas)) break;
      txs.push(tx);
    }
    return txs;
  }

  list(limit: number): readonly Uint8Array[] {
    const txs: Uint8Array[] = [];
    for (const { tx } of this.#pool.values()) {
      if (txs.length >= limit) break;
      txs.push(tx);
    }
    return txs;
  }

  async update(committed: CommittedBlock): Promise<void> {
    const { results } = committed;
    committed.block.txs.forEach((tx, index) => {
      const key = txKey(tx);
      // What succeeded must not come back; what failed in the block may be sent again.
      if (results.txResults[index]?.code === CODE_OK || this.#config.keepInvalidInCache) this.#cache.add(key);
      else this.#cache.delete(key);
      this.#remove(key);
    });
    if (this.#config.recheck) await this.#recheck();
    this.#reportSize();
  }

  onTransactions(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async lock(): Promise<() => void> {
    if (this.#locked || this.#running > 0) {
      this.#locked = true;
      await new Promise<void>((resolve) => this.#lockWaiters.push(resolve));
    }
    this.#locked = true;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#unlock();
    };
  }

  /** Drops everything that is held and remembered. */
  flush(): void {
    for (const key of [...this.#pool.keys()]) {
      this.#remove(key);
      this.#cache.delete(key);
    }
    this.#reportSize();
  }

  /** Ends the gossip window; what waits for a check is still answered. */
  stop(): void {
    this.#batcher.stop();
  }

  #unlock(): void {
    const next = this.#lockWaiters.shift();
    if (next !== undefined) {
      next();
      return;
    }
    this.#locked = false;
    this.#startChecks();
  }

  /** Queues a check, or says why not. */
  #admit(check: Check): ReturnType<typeof txInCache> | undefined {
    const { tx, key } = check;
    if (tx.length > this.#config.txBytesMax) {
      this.#ports.metrics.addFailed();
      return txTooLarge(tx.length, this.#config.txBytesMax);
    }
    if (this.#cache.has(key)) {
      this.#ports.metrics.addAlreadyReceived();
      return txInCache();
    }
    if (this.#isFull(tx.length, this.#queue.length, this.#queueBytes)) {
      this.#ports.metrics.addRejected();
      return this.#full();
    }
    this.#cache.add(key);
    this.#queue.push(check);
    this.#queueBytes += tx.length;
    this.#startChecks();
    return undefined;
  }

  /** Whether one more does not fit, when that many wait for a check already. */
  #isFull(bytes: number, waiting: number, waitingBytes: number): boolean {
    const { txsMax, txsBytesMax, queueMax } = this.#config;
    return (
      waiting >= queueMax ||
      this.#pool.size + waiting >= txsMax ||
      this.#poolBytes + waitingBytes + bytes > txsBytesMax
    );
  }

  #full(): ReturnType<typeof mempoolFull> {
    return mempoolFull({
      txs: this.#pool.size,
      txsMax: this.#config.txsMax,
      bytes: this.#poolBytes,
      bytesMax: this.#config.txsBytesMax,
    });
  }

  #startChecks(): void {
    while (!this.#locked && this.#running < this.#config.checksMax) {
      const check = this.#queue.shift();
      if (check === undefined) return;
      this.#queueBytes -= check.tx.length;
      this.#running++;
      this.#ports.application.checkTx({ tx: check.tx, type: CheckTxType.NEW }).then(
        (response) => this.#checked(check, response),
        (error: unknown) => this.#checkFailed(check, error),
      );
    }
  }

  #checked(check: Check, response: ResponseCheckTx): void {
    if (response.code !== CODE_OK) {
      if (!this.#config.keepInvalidInCache) this.#cache.delete(check.key);
      this.#ports.metrics.addFailed();
      check.settle?.resolve(response);
    } else if (this.#isFull(check.tx.length, 0, 0)) {
      this.#cache.delete(check.key);
      this.#ports.metrics.addRejected();
      check.settle?.reject(this.#full());
    } else {
      this.#add(check, response.gasWanted);
      check.settle?.resolve(response);
    }
    this.#endCheck();
  }

  #checkFailed(check: Check, error: unknown): void {
    this.#cache.delete(check.key);
    this.#ports.metrics.addFailed();
    this.#ports.logger.warn(
      { tx: check.key, error: messageOf(error) },
      'the application could not check a tx',
    );
    check.settle?.reject(error);
    this.#endCheck();
  }

  #endCheck(): void {
    this.#running--;
    if (!this.#locked) this.#startChecks();
    else if (this.#running === 0) this.#lockWaiters.shift()?.();
  }

  #add(check: Check, gasWanted: bigint): void {
    const { key, tx } = check;
    if (this.#pool.has(key)) return;
    const first = this.#pool.size === 0;
    this.#pool.set(key, { tx, gasWanted });
    this.#poolBytes += tx.length;
    this.#ports.metrics.addTx(tx.length);
    this.#reportSize();
    this.#batcher.add(tx, check.origin);
    if (first) for (const listener of this.#listeners) listener();
  }

  #remove(key: string): void {
    const pooled = this.#pool.get(key);
    if (pooled === undefined) return;
    this.#pool.delete(key);
    this.#poolBytes -= pooled.tx.length;
  }

  /** Checks all that is held again, in its order, in batches between which the event loop gets its turn. */
  async #recheck(): Promise<void> {
    const { yieldToOthers = nextTurn } = this.#ports;
    const held = [...this.#pool.entries()];
    for (let from = 0; from < held.length; from += this.#config.recheckBatch) {
      const batch = held.slice(from, from + this.#config.recheckBatch);
      await Promise.all(batch.map(([key, { tx }]) => this.#recheckOne(key, tx)));
      await yieldToOthers();
    }
    this.#ports.metrics.addRechecks(held.length);
  }

  async #recheckOne(key: string, tx: Uint8Array): Promise<void> {
    try {
      const response = await this.#ports.application.checkTx({ tx, type: CheckTxType.RECHECK });
      if (response.code === CODE_OK) return;
      this.#ports.logger.debug({ tx: key, code: response.code, log: response.log }, 'no longer valid');
    } catch (error) {
      this.#ports.logger.warn({ tx: key, error: messageOf(error) }, 'the application could not recheck a tx');
    }
    this.#remove(key);
    if (!this.#config.keepInvalidInCache) this.#cache.delete(key);
  }

  #reportSize(): void {
    this.#ports.metrics.setSize(this.#pool.size, this.#poolBytes);
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const startNodeTimer: StartTimer = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
};
