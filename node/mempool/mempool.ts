/**
 * Transactions that wait for a block. Their way: known? → too large? → room to wait? → queue → the
 * application's check → room in the pool? → the pool, and on to the peers. The pool's order is the order in
 * which the application accepted them, which is the order in which they came: one sender's transactions keep
 * theirs.
 *
 * Calls of the application are bounded (`checksMax`), and so is what waits for one (`queueMax`,
 * `queueBytesMax`). `lock` lets the running checks end and holds the others back, for the time in which a
 * block is committed and the rest is checked again.
 *
 * Until the next block, the application's check state knows every transaction that it accepted, also those
 * that then found no room or made way. Later ones of their senders would leave a gap in the sequence: they
 * are refused until then (`#gaps`).
 */
import { messageOf } from '../../core/errors.ts';
import { CheckTxType, type ResponseCheckTx } from '../../proto/gen/tendermint/abci/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { txKey } from '../tx-key.ts';
import type { MempoolConfig } from './config.ts';
import { type Check, CheckQueue } from './check-queue.ts';
import {
  type FullBecause,
  type MempoolError,
  mempoolFull,
  txInCache,
  txTooLarge,
  txTooOld,
} from './errors.ts';
import { Fifo } from './fifo.ts';
import { BATCH_TXS_MAX, GossipBatcher, type StartTimer } from './gossip-batcher.ts';
import type { HeldTx, NewTx } from './held-tx.ts';
import type {
  MempoolLogger,
  MempoolMetrics,
  TxChecker,
  TxGossip,
  TxPool,
  TxReceiver,
  TxSubmission,
  WaitingTxs,
} from './ports.ts';
import { TxCache } from './tx-cache.ts';
import { bytesInBlock, ownBytes } from './tx-bytes.ts';
import { TxList } from './tx-list.ts';
import { reportOf } from './tx-report.ts';

const CODE_OK = 0;
const NO_LIMIT = -1;
/** To peers, whose copies are most of what comes: to make an error costs as much as all else about a copy. */
const KNOWN = txInCache();

/** Peers of a transaction that are remembered as having it. */
const SENDERS_MAX = 64;
/** Transactions that do not fit a block and are passed over while it is filled. */
const PASSED_OVER_MAX = 100;
/** Transactions, and senders, that are refused until the next block. */
const DEFERRED_MAX = 100_000;

/** What the mempool is joined to. */
export interface MempoolPorts {
  readonly application: TxChecker;
  readonly gossip: TxGossip;
  readonly metrics: MempoolMetrics;
  readonly logger: MempoolLogger;
  /** Default: Node's timers. */
  readonly startTimer?: StartTimer;
  /** Milliseconds of a clock that never goes back. Default: Node's. */
  readonly nowMs?: () => number;
  /**
   * Bytes that a transaction may take in a block as things stand, with its tag and length: what fits none is
   * not held. Default: no limit.
   */
  readonly roomInBlock?: () => number;
  /** Lets others have their turn between two batches of rechecks. Default: a turn of the event loop. */
  readonly yieldToOthers?: () => Promise<void>;
}

/** The mempool. It needs no start; `stop` ends its one timer. */
export class Mempool implements TxPool, TxSubmission, TxReceiver, WaitingTxs {
  readonly #ports: MempoolPorts;
  readonly #config: MempoolConfig;
  readonly #list: TxList;
  readonly #cache: TxCache;
  readonly #queue: CheckQueue;
  readonly #running = new Map<string, Check>();
  readonly #batcher: GossipBatcher;
  readonly #listeners = new Set<() => void>();
  readonly #lockWaiters = new Fifo<() => void>();
  /** Senders of whom the application's check state knows more than the pool holds, until the next block. */
  readonly #gaps = new Set<string>();
  /** What was turned away after its check, or put out, and why, until the next block. */
  readonly #deferred = new Map<string, FullBecause | 'too_old'>();
  readonly #nowMs: () => number;
  #blocks = 0;
  #locked = false;

  constructor(ports: MempoolPorts, config: MempoolConfig) {
    this.#ports = ports;
    this.#config = config;
    this.#list = new TxList(config);
    this.#cache = new TxCache(config.cacheMax);
    this.#queue = new CheckQueue({ txsMax: config.queueMax, bytesMax: config.queueBytesMax });
    this.#nowMs = ports.nowMs ?? (() => performance.now());
    this.#batcher = new GossipBatcher(
      ports.gossip,
      { windowMs: config.gossipWindowMs, bytesMax: config.gossipBatchBytes },
      ports.startTimer ?? startNodeTimer,
    );
  }

  get size(): number {
    return this.#list.size;
  }

  get sizeBytes(): number {
    return this.#list.bytes;
  }

  get hasTransactions(): boolean {
    return this.#list.size > 0;
  }

  checkTx(tx: Uint8Array, key: string = txKey(tx)): Promise<ResponseCheckTx> {
    return new Promise((resolve, reject) => {
      const refusal = this.#admit(tx, key, { from: undefined, settle: { resolve, reject } });
      if (refusal !== undefined) reject(refusal);
    });
  }

  receive(txs: readonly Uint8Array[], peer: string): void {
    for (const tx of txs) {
      const key = txKey(tx);
      const refusal = this.#admit(tx, key, { from: peer, settle: undefined });
      if (refusal !== undefined && refusal !== KNOWN) {
        this.#ports.logger.debug({ tx: key, peer, reason: refusal.message }, 'transaction of a peer dropped');
      }
    }
  }

  peerLeft(peer: string): void {
    this.#list.forgetPeer(peer);
  }

  reap(maxBytes: number, maxGas: bigint): readonly Uint8Array[] {
    const txs: Uint8Array[] = [];
    const passedOver = new Set<string>();
    let passes = 0;
    let bytes = 0;
    let gas = 0n;
    for (const { tx, gasWanted, signers } of this.#list.values()) {
      const withBytes = bytes + bytesInBlock(tx);
      const withGas = gas + gasWanted;
      const fits = (maxBytes === NO_LIMIT || withBytes <= maxBytes) && (maxGas < 0n || withGas <= maxGas);
      if (!fits || signers.some((signer) => passedOver.has(signer))) {
        if (++passes > PASSED_OVER_MAX) break;
        for (const signer of signers) passedOver.add(signer);
        continue;
      }
      bytes = withBytes;
      gas = withGas;
      txs.push(tx);
    }
    return txs;
  }

  list(limit: number): readonly Uint8Array[] {
    const txs: Uint8Array[] = [];
    for (const { tx } of this.#list.values()) {
      if (txs.length >= limit) break;
      txs.push(tx);
    }
    return txs;
  }

  waitingFrom(
    first: number,
    peer: string,
    bytesMax: number,
  ): { readonly txs: readonly Uint8Array[]; readonly next: number | undefined } {
    const txs: Uint8Array[] = [];
    let bytes = 0;
    for (const { tx, senders, order } of this.#list.from(first)) {
      if (senders.includes(peer)) continue;
      const isFull = txs.length >= BATCH_TXS_MAX || (txs.length > 0 && bytes + tx.length > bytesMax);
      if (isFull) return { txs, next: order };
      txs.push(tx);
      bytes += tx.length;
    }
    return { txs, next: undefined };
  }

  async update(committed: CommittedBlock): Promise<void> {
    this.#blocks++;
    this.#gaps.clear();
    this.#deferred.clear();
    const { results } = committed;
    committed.block.txs.forEach((tx, index) => {
      const key = txKey(tx);
      const held = this.#list.get(key);
      if (held !== undefined) this.#list.remove(held);
      // What succeeded must not come back; what failed in the block may be sent again.
      if (results.txResults[index]?.code === CODE_OK || this.#config.keepInvalidInCache) {
        this.#cache.add(key);
        this.#queue.remove(key)?.settle?.reject(txInCache());
      } else this.#cache.delete(key);
    });
    this.#expire();
    if (this.#config.recheck) await this.#recheck();
    this.#list.forgetRanks();
    this.#reportSize();
  }

  onTransactions(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async lock(): Promise<() => void> {
    if (this.#locked || this.#running.size > 0) {
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

  /** Drops everything that is held. */
  flush(): void {
    for (const held of [...this.#list.values()]) {
      this.#list.remove(held);
      this.#leaveGap(held.signers);
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
  #admit(
    tx: Uint8Array,
    key: string,
    { from, settle }: Pick<Check, 'from' | 'settle'>,
  ): MempoolError | undefined {
    const { metrics } = this.#ports;
    const refusal = this.#tooLarge(tx);
    if (refusal !== undefined) {
      metrics.addFailed();
      return refusal;
    }
    if (this.#isKnown(key, from)) {
      metrics.addAlreadyReceived();
      return from === undefined ? txInCache() : KNOWN;
    }
    const deferred = this.#deferred.get(key) ?? (this.#isOverwhelmed() ? 'unplaced' : undefined);
    if (deferred !== undefined) {
      metrics.addRejected();
      return deferred === 'too_old' ? txTooOld() : this.#full(deferred);
    }
    const senders = from === undefined ? [] : [from];
    const { isTaken, dropped } = this.#queue.push({ key, tx: ownBytes(tx), from, senders, settle });
    for (const { settle: waiter } of dropped) {
      metrics.addRejected();
      waiter?.reject(this.#full('queue'));
    }
    this.#startChecks();
    if (isTaken) return undefined;
    metrics.addRejected();
    return this.#full('queue');
  }

  #tooLarge(tx: Uint8Array): MempoolError | undefined {
    const { txBytesMax } = this.#config;
    if (tx.length > txBytesMax) return txTooLarge(tx.length, txBytesMax);
    const room = this.#ports.roomInBlock?.() ?? Number.POSITIVE_INFINITY;
    return bytesInBlock(tx) > room ? txTooLarge(bytesInBlock(tx), room) : undefined;
  }

  /** Whether it waits here or is committed. A peer that sends it has it. */
  #isKnown(key: string, from: string | undefined): boolean {
    const waiting = this.#list.get(key) ?? this.#running.get(key) ?? this.#queue.get(key);
    if (waiting === undefined) return this.#cache.has(key);
    const { senders } = waiting;
    if (from !== undefined && senders.length < SENDERS_MAX && !senders.includes(from)) senders.push(from);
    return true;
  }

  #isOverwhelmed(): boolean {
    return this.#deferred.size >= DEFERRED_MAX || this.#gaps.size >= DEFERRED_MAX;
  }

  #full(because: FullBecause): MempoolError {
    const { txsMax, txsBytesMax } = this.#config;
    return mempoolFull(because, {
      txs: this.#list.size,
      txsMax,
      bytes: this.#list.bytes,
      bytesMax: txsBytesMax,
    });
  }

  #startChecks(): void {
    while (!this.#locked && this.#running.size < this.#config.checksMax) {
      const check = this.#queue.shift();
      if (check === undefined) return;
      this.#running.set(check.key, check);
      this.#ports.application.checkTx({ tx: check.tx, type: CheckTxType.NEW }).then(
        (response) => this.#checked(check, response),
        (error: unknown) => this.#checkFailed(check, error),
      );
    }
  }

  #checked(check: Check, response: ResponseCheckTx): void {
    if (response.code !== CODE_OK) {
      if (this.#config.keepInvalidInCache) this.#cache.add(check.key);
      this.#ports.metrics.addFailed();
      check.settle?.resolve(response);
    } else {
      const refusal = this.#place(check, response);
      if (refusal === undefined) check.settle?.resolve(response);
      else {
        this.#ports.metrics.addRejected();
        check.settle?.reject(refusal);
      }
    }
    this.#endCheck(check);
  }

  #checkFailed(check: Check, error: unknown): void {
    this.#ports.metrics.addFailed();
    this.#ports.logger.warn(
      { tx: check.key, error: messageOf(error) },
      'the application could not check a tx',
    );
    check.settle?.reject(error);
    this.#endCheck(check);
  }

  #endCheck(check: Check): void {
    this.#running.delete(check.key);
    if (!this.#locked) this.#startChecks();
    else if (this.#running.size === 0) this.#lockWaiters.shift()?.();
  }

  /** Puts what the application accepted into the pool, or says why there is no place for it. */
  #place(check: Check, response: ResponseCheckTx): MempoolError | undefined {
    const { key, tx, from, senders } = check;
    const { signers, price } = reportOf(response);
    const { gasWanted } = response;
    const since = { sinceBlock: this.#blocks, sinceMs: this.#nowMs() };
    const newTx = { key, tx, gasWanted, signers, price, from, senders, ...since };
    const because = this.#noPlaceFor(newTx);
    const victims = because === undefined ? this.#list.victimsFor(newTx) : undefined;
    if (victims === undefined) {
      const why = because ?? (this.#list.size >= this.#config.txsMax ? 'count' : 'bytes');
      this.#defer(newTx, why);
      return this.#full(why);
    }
    for (const victim of victims) this.#putOut(victim, 'evicted');
    this.#add(newTx);
    return undefined;
  }

  #noPlaceFor({ signers, tx }: NewTx): FullBecause | undefined {
    const { senderTxsMax, senderBytesMax } = this.#config;
    for (const signer of signers) {
      if (this.#gaps.has(signer)) return 'predecessor';
      const lane = this.#list.lane(signer);
      if (senderTxsMax > 0 && (lane?.count ?? 0) >= senderTxsMax) return 'sender_count';
      if (senderBytesMax > 0 && (lane?.bytes ?? 0) + tx.length > senderBytesMax) return 'sender_bytes';
    }
    return undefined;
  }

  #add(tx: NewTx): void {
    const first = this.#list.size === 0;
    const held = this.#list.add(tx);
    this.#ports.metrics.addTx(tx.tx.length);
    this.#reportSize();
    this.#batcher.add(held);
    if (first) for (const listener of this.#listeners) listener();
  }

  /** Takes an accepted transaction out that no block has taken. */
  #putOut(held: HeldTx, because: 'evicted' | 'too_old' | 'predecessor'): void {
    const { metrics, logger } = this.#ports;
    this.#list.remove(held);
    this.#defer(held, because);
    if (because === 'evicted') metrics.addEvicted();
    else metrics.addExpired();
    logger.debug({ tx: held.key, because }, 'a transaction that waited was dropped');
  }

  /** Refuses it until the next block, as the application would: its check state has it already. */
  #defer({ key, signers }: NewTx, because: FullBecause | 'too_old'): void {
    if (signers.length > 0 || because === 'too_old') this.#deferred.set(key, because);
    this.#leaveGap(signers);
  }

  #leaveGap(signers: readonly string[]): void {
    for (const signer of signers) this.#gaps.add(signer);
  }

  /** Drops what has waited for too long, and what can only be executed after it. */
  #expire(): void {
    const { ttlMs, ttlBlocks } = this.#config;
    if (ttlMs === 0 && ttlBlocks === 0) return;
    const nowMs = this.#nowMs();
    // The oldest come first.
    for (const held of [...this.#list.values()]) {
      const isOld =
        (ttlMs > 0 && nowMs - held.sinceMs >= ttlMs) ||
        (ttlBlocks > 0 && this.#blocks - held.sinceBlock >= ttlBlocks);
      if (!isOld) break;
      if (!held.isHeld) continue;
      for (const follower of this.#list.followersOf(held)) this.#putOut(follower, 'predecessor');
      this.#putOut(held, 'too_old');
    }
    // The check state is new, and knows nothing of them.
    this.#gaps.clear();
  }

  /** Checks all that is held again, in its order, in batches between which the event loop gets its turn. */
  async #recheck(): Promise<void> {
    const { yieldToOthers = nextTurn } = this.#ports;
    const held = [...this.#list.values()];
    for (let from = 0; from < held.length; from += this.#config.recheckBatch) {
      const batch = held.slice(from, from + this.#config.recheckBatch);
      await Promise.all(batch.map((one) => this.#recheckOne(one)));
      await yieldToOthers();
    }
    this.#ports.metrics.addRechecks(held.length);
  }

  async #recheckOne(held: HeldTx): Promise<void> {
    const { key, tx } = held;
    // A change of parameters may have made blocks too small for it.
    const reason = this.#tooLarge(tx)?.message ?? (await this.#refusalOf(key, tx));
    if (reason === undefined) return;
    this.#ports.logger.debug({ tx: key, reason }, 'no longer valid');
    this.#list.remove(held);
    this.#ports.metrics.addEvicted();
    if (this.#config.keepInvalidInCache) this.#cache.add(key);
  }

  /** Why the application no longer takes it; undefined when it does. */
  async #refusalOf(key: string, tx: Uint8Array): Promise<string | undefined> {
    try {
      const { code, log } = await this.#ports.application.checkTx({ tx, type: CheckTxType.RECHECK });
      return code === CODE_OK ? undefined : `code ${code}: ${log}`;
    } catch (error) {
      this.#ports.logger.warn({ tx: key, error: messageOf(error) }, 'the application could not recheck a tx');
      return messageOf(error);
    }
  }

  #reportSize(): void {
    this.#ports.metrics.setSize(this.#list.size, this.#list.bytes);
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const startNodeTimer: StartTimer = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
};
