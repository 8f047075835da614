import { EMPTY_BYTES } from '../core/bytes.ts';
import type { KVReader, KVStore, MultiStoreBranch, MultiStoreReader } from '../store/kv.ts';
import type { Event } from './events.ts';
import { type GasMeter, GasMeteredReader, GasMeteredStore } from './gas.ts';

/** A moment as protobuf writes it: seconds since 1970 and nanoseconds within the second. */
export interface Timestamp {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** Who voted for the previous block. */
export interface VoteInfo {
  /** 20 bytes. */
  readonly validatorAddress: Uint8Array;
  readonly power: bigint;
  /** True when the commit has no vote of it: one for no block counts as being there. */
  readonly absent: boolean;
}

/** What a validator did against the rules of consensus, as the block that is executed proves it. */
export interface Misbehavior {
  readonly kind: 'duplicate-vote' | 'light-client-attack';
  /** 20 bytes. */
  readonly validatorAddress: Uint8Array;
  /** Of the validator, when it did so. */
  readonly power: bigint;
  readonly height: bigint;
  readonly time: Timestamp;
}

/** The block in which a transaction runs: the same on every node. */
export interface BlockInfo {
  readonly chainId: string;
  readonly height: bigint;
  readonly time: Timestamp;
  /** 20 bytes; empty at genesis. */
  readonly proposerAddress: Uint8Array;
  /** Hash of the block; empty where it is not known (CheckTx, genesis, queries). */
  readonly hash: Uint8Array;
  readonly lastCommit: readonly VoteInfo[];
  readonly misbehavior: readonly Misbehavior[];
  /** Of its header: who may sign the next block. Empty where it is not known. */
  readonly nextValidatorsHash: Uint8Array;
  /** Of its header: the state before it. Empty where it is not known. */
  readonly appHash: Uint8Array;
}

/**
 * Why state is touched. `check` and `recheck` run the ante chain on the check state only; `simulate` runs
 * everything and keeps nothing.
 */
export type ExecutionMode = 'genesis' | 'check' | 'recheck' | 'simulate' | 'finalize' | 'query';

/** State to read: what queries and the `check` phase of a message get. */
export interface ReadContext {
  readonly block: BlockInfo;
  readonly mode: ExecutionMode;
  readonly gas: GasMeter;
  /** The named substore. Only collections call this. */
  reader(storeName: string): KVReader;
}

/** What a context is made of. */
export interface ContextOptions {
  readonly branch: MultiStoreBranch;
  readonly block: BlockInfo;
  readonly mode: ExecutionMode;
  readonly gas: GasMeter;
  /** SHA-256 of the transaction under way; default empty. */
  readonly txHash?: Uint8Array;
}

interface UsedStore {
  readonly name: string;
  readonly store: KVStore;
  readonly next: UsedStore | undefined;
}

/** State to write, with gas and events: one for each block hook, ante chain and message. */
export class Context implements ReadContext {
  readonly block: BlockInfo;
  readonly mode: ExecutionMode;
  readonly gas: GasMeter;
  /** SHA-256 of the transaction under way; empty outside of one. */
  readonly txHash: Uint8Array;
  readonly #branch: MultiStoreBranch;
  /** Those used so far, the last one first: one or two. */
  #stores: UsedStore | undefined;
  readonly #events: Event[] = [];

  constructor(options: ContextOptions) {
    this.#branch = options.branch;
    this.block = options.block;
    this.mode = options.mode;
    this.gas = options.gas;
    this.txHash = options.txHash ?? EMPTY_BYTES;
  }

  /** False in CheckTx, whose events nobody sees: a hot path asks before it makes them. */
  get recordsEvents(): boolean {
    return this.mode !== 'check' && this.mode !== 'recheck';
  }

  /** What was emitted so far, in order. */
  get events(): readonly Event[] {
    return this.#events;
  }

  reader(storeName: string): KVReader {
    return this.store(storeName);
  }

  /** The named substore, metered. Only collections call this. */
  store(storeName: string): KVStore {
    for (let used = this.#stores; used !== undefined; used = used.next)
      if (used.name === storeName) return used.store;
    const store = new GasMeteredStore(this.#branch.store(storeName), this.gas);
    this.#stores = { name: storeName, store, next: this.#stores };
    return store;
  }

  emit(...events: readonly Event[]): void {
    this.#events.push(...events);
  }

  /** A context over a branch of this one's state, with the same gas and no events yet. */
  branch(): BranchedContext {
    const branch = this.#branch.branch();
    const { block, mode, gas, txHash } = this;
    const context = new Context({ branch, block, mode, gas, txHash });
    return { context, write: () => branch.write() };
  }
}

/**
 * A context whose writes are kept only by `write`. Its events stay with it: the caller decides what becomes
 * of them.
 */
export interface BranchedContext {
  readonly context: Context;
  write(): void;
}

/** Reads one version of the state: for queries. */
export class QueryContext implements ReadContext {
  readonly block: BlockInfo;
  readonly mode = 'query';
  readonly gas: GasMeter;
  readonly #stores: MultiStoreReader;

  constructor(stores: MultiStoreReader, block: BlockInfo, gas: GasMeter) {
    this.#stores = stores;
    this.block = block;
    this.gas = gas;
  }

  reader(storeName: string): KVReader {
    return new GasMeteredReader(this.#stores.reader(storeName), this.gas);
  }
}
