/**
 * What the RPC server needs of the node. Reads of stored blocks and state are synchronous: each is some
 * microseconds. `node/node.ts` passes the engine's stores, the mempool, the indexes and the event bus.
 */
import type { PublicKey, ValidatorSet } from '../../consensus/types/validator.ts';
import type { Commit } from '../../consensus/types/commit.ts';
import type { Evidence } from '../../consensus/types/evidence.ts';
import type { ConsensusReader } from '../../consensus/view.ts';
import type {
  ResponseCheckTx,
  ResponseFinalizeBlock,
  TxResult,
} from '../../proto/gen/tendermint/abci/types.ts';
import type { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import type { BlockMeta } from '../../proto/gen/tendermint/types/types.ts';
import type { Timers } from '../../p2p/timers.ts';
import type { Application } from '../application.ts';
import type { EventData, EventMessage } from '../events.ts';
import type { Query } from '../query.ts';

/** Stored blocks. */
export interface BlockSource {
  /** Lowest and highest stored height; both 0n when there is none. */
  range(): { readonly base: bigint; readonly height: bigint };
  /** Block id, header, size and number of transactions. */
  meta(height: bigint): BlockMeta | undefined;
  /** The encoded tendermint.types.Block. */
  blockBytes(height: bigint): Uint8Array | undefined;
  /** The height of the block with that header hash (32 bytes). */
  heightOf(hash: Uint8Array): bigint | undefined;
  /**
   * The precommits for a height: those in the next block when it is stored, else those that this node saw.
   */
  commit(height: bigint): Commit | undefined;
}

/**
 * What was saved beside the blocks. Validators and parameters are known for the height after the last block,
 * too.
 */
export interface StateSource {
  results(height: bigint): ResponseFinalizeBlock | undefined;
  validators(height: bigint): ValidatorSet | undefined;
  consensusParams(height: bigint): ConsensusParams | undefined;
}

/**
 * How a node introduces itself (CometBFT `p2p.DefaultNodeInfo`). The reported version is the server's own
 * setting.
 */
export interface NodeInfo {
  /** 40 hexadecimal digits, lower case: clients decode it as such. */
  readonly id: string;
  /** `tcp://0.0.0.0:26656`; never empty. */
  readonly listenAddress: string;
  /** The chain id. */
  readonly network: string;
  readonly moniker: string;
  /** Version of the application protocol, as in block headers. */
  readonly appVersion: bigint;
}

/** This node. */
export interface StatusSource {
  nodeInfo(): NodeInfo;
  /** True while blocks are fetched instead of voted on. */
  catchingUp(): boolean;
  /** The consensus key of this node, whether it is in the validator set or not. Address: 20 bytes. */
  validator(): { readonly address: Uint8Array; readonly publicKey: PublicKey };
}

/** A connected peer. */
export interface PeerInfo {
  readonly node: NodeInfo;
  readonly outbound: boolean;
  readonly remoteIp: string;
  readonly connectedMs: number;
  readonly sent: PeerFlow;
  readonly received: PeerFlow;
  /** The libp2p peer id, by which settings and bans name the peer. */
  readonly peerId: string;
  /** Where it is met: a multiaddr. */
  readonly address: string;
  /** This node keeps the connection up. */
  readonly persistent: boolean;
  /** Penalty points, 0 to 100; at 100 the peer is banned. */
  readonly score: number;
  /** What it said when it connected. */
  readonly claimedHeight: bigint;
  /** Address (20 bytes) of the validator of the current set that it proved to be. */
  readonly validator: Uint8Array | undefined;
}

/** A peer that is banned for some time. */
export interface BanInfo {
  readonly peerId: string;
  readonly reason: string;
  readonly remainingMs: number;
  /** The how many-th ban it is. */
  readonly times: number;
}

/** What went to or came from a peer; rates in bytes a second. */
export interface PeerFlow {
  readonly bytes: number;
  readonly samples: number;
  /** Of the last sample. */
  readonly instantRate: number;
  /** Moving average. */
  readonly currentRate: number;
  readonly averageRate: number;
  readonly peakRate: number;
  readonly durationMs: number;
  /** Since the last byte. */
  readonly idleMs: number;
}

/** The network. */
export interface PeerSource {
  listening(): boolean;
  listeners(): readonly string[];
  peers(): readonly PeerInfo[];
  bans(): readonly BanInfo[];
  /** Known addresses, and those at which a peer was met; undefined without peer exchange. */
  addressBook(): { readonly size: number; readonly triedSize: number } | undefined;
}

/** The chain's genesis file. */
export interface GenesisSource {
  /** The file's JSON text: passed on as it is, so that it hashes to the same value everywhere. */
  text(): string;
}

/** Where transactions are submitted. Errors carry their text in `message` (see `node/mempool`). */
export interface TxSubmission {
  checkTx(tx: Uint8Array, key?: string): Promise<ResponseCheckTx>;
  readonly size: number;
  readonly sizeBytes: number;
  list(limit: number): readonly Uint8Array[];
}

/** The order of a search's results. */
export type SearchOrder = 'asc' | 'desc';

/** One page of results and how many there are in all. */
export interface SearchPage<T> {
  readonly items: readonly T[];
  readonly total: number;
}

/** A search of an index. */
export interface SearchRequest {
  readonly query: Query;
  readonly order: SearchOrder;
  /**
   * Chooses the page when the total is known.
   * @throws RpcError when there is no such page
   */
  readonly page: (total: number) => { readonly skip: number; readonly take: number };
}

/**
 * Transactions by hash and event, and heights of blocks by event. A committed transaction is found at once.
 */
export interface TransactionIndex {
  /** `key`: see `node/tx-key.ts`. */
  get(key: string): Promise<TxResult | undefined>;
  /** @throws LedgerError `index.query_too_costly` when more would have to be read than one query may */
  searchTxs(request: SearchRequest): Promise<SearchPage<TxResult>>;
  /** @throws LedgerError `index.query_too_costly` when more would have to be read than one query may */
  searchBlocks(request: SearchRequest): Promise<SearchPage<bigint>>;
}

/** Where the events of one subscription go. */
export interface EventSink {
  /** Takes an event; false when it cannot take more now, and will call `resume` on the subscription. */
  deliver(message: EventMessage): boolean;
  /** The subscription has ended by the bus: too slow, or the node stops. Not called after `unsubscribe`. */
  cancelled(reason: string): void;
}

/** A running subscription. */
export interface Subscription {
  /** The sink can take events again. */
  resume(): void;
}

/** The event bus. */
export interface EventSource {
  /** @throws LedgerError `events.already_subscribed` when the client has that query already */
  subscribe(client: string, query: Query, sink: EventSink): Subscription;
  /** @throws LedgerError `events.subscription_not_found` */
  unsubscribe(client: string, query: Query): void;
  /** @throws LedgerError `events.subscription_not_found` when there is none */
  unsubscribeAll(client: string): void;
  clientCount(): number;
  subscriptionCount(client: string): number;
  /**
   * The next commit of a transaction. `cancel` frees the place.
   * @throws LedgerError `events.too_many_waiters`
   */
  waitForTx(key: string): {
    readonly committed: Promise<Extract<EventData, { readonly type: 'Tx' }>>;
    readonly cancel: () => void;
  };
}

/** The consensus core; undefined before the node takes part in it. */
export interface ConsensusSource {
  consensus(): ConsensusReader | undefined;
}

/** Log lines with facts. */
export interface RpcLogger {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void;
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** Where evidence goes. */
export interface EvidenceSubmission {
  /** @throws LedgerError when it is not true or too old, or when this node cannot judge it */
  add(evidence: Evidence): 'added' | 'known' | 'full';
}

/** Everything the server is joined to. Without an index the search methods say that indexing is disabled. */
export interface RpcPorts {
  readonly application: Pick<Application, 'info' | 'query' | 'checkTx'>;
  readonly blocks: BlockSource;
  readonly state: StateSource;
  readonly status: StatusSource;
  readonly peers: PeerSource;
  readonly genesis: GenesisSource;
  readonly mempool: TxSubmission;
  readonly evidence: EvidenceSubmission;
  readonly index: TransactionIndex | undefined;
  readonly events: EventSource;
  readonly consensus: ConsensusSource;
  readonly timers: Pick<Timers, 'after'>;
  readonly logger: RpcLogger;
}
