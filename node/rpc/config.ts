/** Settings and limits of the RPC server; CometBFT's `[rpc]` names in brackets. */
export interface RpcConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** What `/status` reports as `node_info.version`: clients choose their decoder by it. */
  readonly reportedVersion: string;
  /** Origins that browsers may call from; `*` for all (`cors_allowed_origins`). */
  readonly corsOrigins: readonly string[];
  /** Connections open at once; more are closed at once (`max_open_connections`). */
  readonly connectionsMax: number;
  /** Largest body of a request, and largest websocket message (`max_body_bytes`). */
  readonly bodyBytesMax: number;
  /** Largest header of a request, its URI included (`max_header_bytes`). */
  readonly headerBytesMax: number;
  /** Longest URI. */
  readonly uriLengthMax: number;
  /** Deepest nesting of arrays and objects in a request. */
  readonly jsonDepthMax: number;
  /** Requests in one batch; 0: no limit (`max_request_batch_size`). */
  readonly batchMax: number;
  /** Clients with subscriptions (`max_subscription_clients`). */
  readonly subscriptionClientsMax: number;
  /** Subscriptions of one client (`max_subscriptions_per_client`). */
  readonly subscriptionsPerClientMax: number;
  /** How long `broadcast_tx_commit` waits for the block (`timeout_broadcast_tx_commit`). */
  readonly broadcastCommitTimeoutMs: number;
  /** How long a request may take to arrive. */
  readonly readTimeoutMs: number;
  readonly websocket: WebsocketConfig;
}

/** Limits of a websocket connection. */
export interface WebsocketConfig {
  /** A connection from which nothing came for so long, not even a pong, is closed. */
  readonly readWaitMs: number;
  readonly pingPeriodMs: number;
  /** A connection that takes nothing for so long is closed. */
  readonly writeWaitMs: number;
  /** Requests of a connection that are answered at once; reading pauses beyond. */
  readonly requestsMax: number;
  /** Bytes on their way to a client before events are kept back and reading pauses. */
  readonly bufferedBytesMax: number;
}

/** What a node starts with. */
export const DEFAULT_RPC_CONFIG: RpcConfig = {
  host: '127.0.0.1',
  port: 26657,
  reportedVersion: '0.38.17',
  corsOrigins: [],
  connectionsMax: 900,
  bodyBytesMax: 1_000_000,
  headerBytesMax: 1 << 20,
  uriLengthMax: 1_000_000,
  jsonDepthMax: 64,
  batchMax: 10,
  subscriptionClientsMax: 100,
  subscriptionsPerClientMax: 5,
  broadcastCommitTimeoutMs: 10_000,
  readTimeoutMs: 10_000,
  websocket: {
    readWaitMs: 30_000,
    pingPeriodMs: 27_000,
    writeWaitMs: 10_000,
    requestsMax: 256,
    bufferedBytesMax: 1 << 20,
  },
};

/** Items per page when nothing is said, and at most (CometBFT `rpc/core/env.go`). */
export const PER_PAGE_DEFAULT = 30;
export const PER_PAGE_MAX = 100;
/** Most block metas in an answer of `blockchain`. */
export const BLOCK_METAS_MAX = 20n;
/** Bytes of a piece of the genesis file in `genesis_chunked`. */
export const GENESIS_CHUNK_BYTES: number = 16 * 1024 * 1024;
