/**
 * `config/config.toml`: the settings of the node, under CometBFT's names, and `config/app.toml`: those of
 * the application.
 */
import { GOSSIPED_TX_BYTES_MAX } from '../../p2p/channels.ts';
import { parseListenAddress } from './address.ts';
import { choice, duration, type Fields, flag, list, orUndefined, text, whole } from './field.ts';
import { type P2pConfig, p2pFields } from './p2p.ts';
import { fileRule, listenRule } from './rules.ts';

/** Settings before the first section. */
export interface BaseConfig {
  readonly moniker: string;
  readonly dbBackend: 'leveldb';
  /** A level, or levels by module: `consensus:debug,p2p:warn,*:info`. */
  readonly logLevel: string;
  readonly logFormat: 'plain' | 'json';
  /** Files, relative to the home unless absolute. */
  readonly genesisFile: string;
  readonly privValidatorKeyFile: string;
  readonly privValidatorStateFile: string;
  /** Where a signer in another process connects; empty: the key file signs. */
  readonly privValidatorLaddr: string;
  readonly nodeKeyFile: string;
}

/** `[rpc]` */
export interface RpcConfig {
  readonly laddr: string;
  readonly corsAllowedOrigins: readonly string[];
  readonly maxOpenConnections: number;
  readonly maxSubscriptionClients: number;
  readonly maxSubscriptionsPerClient: number;
  readonly timeoutBroadcastTxCommitMs: number;
  readonly maxRequestBatchSize: number;
  readonly maxBodyBytes: number;
}

/** `[mempool]` */
export interface MempoolConfig {
  readonly recheck: boolean;
  readonly broadcast: boolean;
  readonly size: number;
  readonly maxTxsBytes: number;
  readonly maxTxBytes: number;
  /** 0: no limit of its own. So is `maxTxsBytesPerSender`. */
  readonly maxTxsPerSender: number;
  readonly maxTxsBytesPerSender: number;
  /** 0: as long as it takes. So is `ttlNumBlocks`. */
  readonly ttlDurationMs: number;
  readonly ttlNumBlocks: number;
  readonly cacheSize: number;
  readonly keepInvalidTxsInCache: boolean;
}

/** `[statesync]` */
export interface StateSyncConfig {
  readonly enable: boolean;
  /** Nodes whose RPC the light client asks: at least two. */
  readonly rpcServers: readonly string[];
  /** A height and its block hash, from a source that the operator trusts. */
  readonly trustHeight: number;
  readonly trustHash: string;
  readonly trustPeriodMs: number;
  readonly discoveryTimeMs: number;
  readonly chunkRequestTimeoutMs: number;
  readonly chunkFetchers: number;
}

/** `[consensus]` */
export interface ConsensusConfig {
  readonly timeoutProposeMs: number;
  readonly timeoutProposeDeltaMs: number;
  readonly timeoutPrevoteMs: number;
  readonly timeoutPrevoteDeltaMs: number;
  readonly timeoutPrecommitMs: number;
  readonly timeoutPrecommitDeltaMs: number;
  readonly timeoutCommitMs: number;
  readonly skipTimeoutCommit: boolean;
  readonly createEmptyBlocks: boolean;
  readonly createEmptyBlocksIntervalMs: number;
  readonly doubleSignCheckHeight: number;
}

/** `[tx_index]` */
export interface TxIndexConfig {
  readonly indexer: 'kv' | 'null';
}

/** `[instrumentation]` */
export interface InstrumentationConfig {
  readonly prometheus: boolean;
  readonly prometheusListenAddr: string;
  readonly namespace: string;
}

/** Everything in `config.toml`. */
export interface NodeConfig {
  readonly base: BaseConfig;
  readonly rpc: RpcConfig;
  readonly p2p: P2pConfig;
  readonly mempool: MempoolConfig;
  readonly stateSync: StateSyncConfig;
  readonly consensus: ConsensusConfig;
  readonly txIndex: TxIndexConfig;
  readonly instrumentation: InstrumentationConfig;
}

/** `[state-sync]` of `app.toml`. */
export interface SnapshotConfig {
  /** Blocks between two snapshots for other nodes; 0: none are made. */
  readonly snapshotInterval: number;
  /** Snapshots that are kept; 0: all. */
  readonly snapshotKeepRecent: number;
}

/** Everything in `app.toml`. */
export interface AppConfig extends SnapshotConfig {
  /** Decimal coins: `0.0025uopen`. A validator's own floor for fees; empty: none. */
  readonly minimumGasPrices: string;
  /** Of states that queries reach back to; blocks are a matter of `minRetainBlocks`. */
  readonly pruning: 'default' | 'nothing' | 'everything' | 'custom';
  readonly pruningKeepRecent: number;
  readonly pruningInterval: number;
  /** Blocks, results and index entries that are kept at least; 0: all. */
  readonly minRetainBlocks: number;
}

const signerRule = {
  allowed: 'empty or an address such as "tcp://127.0.0.1:26659" or "unix:///run/openledgerd/signer.sock"',
  accepts: (value: string): boolean =>
    value === '' || /^unix:\/\/.+$/.test(value) || orUndefined(() => parseListenAddress(value)) !== undefined,
};
const serverRule = {
  allowed: 'a comma-separated list of RPC addresses such as "http://10.0.0.1:26657,http://10.0.0.2:26657"',
  accepts: (value: string): boolean =>
    /^(?:(?:https?|tcp):\/\/)?[^\s/:]+:\d{1,5}(?:\/\S*)?$|^https?:\/\/\S+$/.test(value),
};
const hashRule = {
  allowed: 'empty or a block hash of 64 hexadecimal digits',
  accepts: (value: string): boolean => /^(?:[0-9a-fA-F]{64})?$/.test(value),
};
const MONIKER_CHARACTERS_MAX = 70;
const LEVEL = '(?:trace|debug|info|warn|error|none)';
const LOG_LEVEL = new RegExp(`^(?:${LEVEL}|(?:[a-z0-9*_-]+:${LEVEL})(?:,[a-z0-9*_-]+:${LEVEL})*)$`);
const GAS_PRICES = /^(?:\d+(?:\.\d{1,18})?[a-zA-Z][a-zA-Z0-9/:._-]{2,127}(?:,(?!$)|$))*$/;

const base: Fields<BaseConfig> = {
  moniker: text(
    { key: 'moniker', comment: 'A name for this node, shown to its peers.', fallback: 'node' },
    {
      allowed: `1 to ${MONIKER_CHARACTERS_MAX} printable characters`,
      accepts: (value) => value.length <= MONIKER_CHARACTERS_MAX && /^[^\p{C}]+$/u.test(value),
    },
  ),
  dbBackend: choice({ key: 'db_backend', comment: 'The database.', fallback: 'leveldb' }, ['leveldb']),
  logLevel: text(
    {
      key: 'log_level',
      comment:
        'A level (trace, debug, info, warn, error, none) or levels by module: "consensus:debug,*:info".',
      fallback: 'info',
    },
    {
      allowed: 'a level (trace, debug, info, warn, error, none) or a list such as "consensus:debug,*:info"',
      accepts: (value) => LOG_LEVEL.test(value),
    },
  ),
  logFormat: choice(
    { key: 'log_format', comment: '"plain" for people, "json" for machines.', fallback: 'plain' },
    ['plain', 'json'],
  ),
  genesisFile: text(
    { key: 'genesis_file', comment: 'Files, relative to the home.', fallback: 'config/genesis.json' },
    fileRule,
  ),
  privValidatorKeyFile: text(
    {
      key: 'priv_validator_key_file',
      comment: 'The key that signs votes and proposals.',
      fallback: 'config/priv_validator_key.json',
    },
    fileRule,
  ),
  privValidatorStateFile: text(
    {
      key: 'priv_validator_state_file',
      comment: 'What was signed last; never delete it, never copy it back.',
      fallback: 'data/priv_validator_state.json',
    },
    fileRule,
  ),
  privValidatorLaddr: text(
    {
      key: 'priv_validator_laddr',
      comment:
        'Where `openledgerd signer` or another signer connects: "tcp://127.0.0.1:26659", "unix:///…"; empty: the files above sign.',
      fallback: '',
    },
    signerRule,
  ),
  nodeKeyFile: text(
    {
      key: 'node_key_file',
      comment: 'The key of the peer identity.',
      fallback: 'config/node_key.json',
    },
    fileRule,
  ),
};

const rpc: Fields<RpcConfig> = {
  laddr: text(
    { key: 'laddr', comment: 'Where RPC listens; port 0: any free one.', fallback: 'tcp://127.0.0.1:26657' },
    listenRule,
  ),
  corsAllowedOrigins: list({
    key: 'cors_allowed_origins',
    comment: 'Origins that browsers may call from; "*" for all.',
    fallback: [],
  }),
  maxOpenConnections: whole(
    { key: 'max_open_connections', comment: 'HTTP and websocket connections at once.', fallback: 900 },
    { min: 1, max: 100_000 },
  ),
  maxSubscriptionClients: whole(
    { key: 'max_subscription_clients', comment: 'Websocket clients with subscriptions.', fallback: 100 },
    { min: 0, max: 100_000 },
  ),
  maxSubscriptionsPerClient: whole(
    { key: 'max_subscriptions_per_client', comment: 'Subscriptions of one client.', fallback: 5 },
    { min: 1, max: 10_000 },
  ),
  timeoutBroadcastTxCommitMs: duration({
    key: 'timeout_broadcast_tx_commit',
    comment: 'How long broadcast_tx_commit waits for the block.',
    fallback: 10_000,
  }),
  maxRequestBatchSize: whole(
    { key: 'max_request_batch_size', comment: 'Requests in one JSON-RPC batch.', fallback: 10 },
    { min: 1, max: 100_000 },
  ),
  maxBodyBytes: whole(
    { key: 'max_body_bytes', comment: 'Bytes of a request body.', fallback: 1_000_000 },
    { min: 1_000, max: 100_000_000 },
  ),
};

const mempool: Fields<MempoolConfig> = {
  recheck: flag({
    key: 'recheck',
    comment: 'Check waiting transactions again after each block.',
    fallback: true,
  }),
  broadcast: flag({ key: 'broadcast', comment: 'Send transactions on to peers.', fallback: true }),
  size: whole(
    { key: 'size', comment: 'Transactions that may wait.', fallback: 5_000 },
    { min: 1, max: 10_000_000 },
  ),
  maxTxsBytes: whole(
    { key: 'max_txs_bytes', comment: 'Bytes of all waiting transactions.', fallback: 67_108_864 },
    { min: 1_000, max: 8_589_934_592 },
  ),
  maxTxBytes: whole(
    { key: 'max_tx_bytes', comment: 'Bytes of one transaction.', fallback: 1_048_576 },
    { min: 1_000, max: GOSSIPED_TX_BYTES_MAX },
  ),
  maxTxsPerSender: whole(
    {
      key: 'max_txs_per_sender',
      comment: 'Transactions of one sender that may wait; 0: all room that nobody else wants.',
      fallback: 0,
    },
    { min: 0, max: 10_000_000 },
  ),
  maxTxsBytesPerSender: whole(
    {
      key: 'max_txs_bytes_per_sender',
      comment: 'Bytes of transactions of one sender that may wait; 0: all room that nobody else wants.',
      fallback: 0,
    },
    { min: 0, max: 8_589_934_592 },
  ),
  ttlDurationMs: duration({
    key: 'ttl-duration',
    comment: 'Drop a transaction that has waited for so long; 0s: never.',
    fallback: 0,
  }),
  ttlNumBlocks: whole(
    {
      key: 'ttl-num-blocks',
      comment: 'Drop a transaction that so many blocks have not taken; 0: never.',
      fallback: 0,
    },
    { min: 0, max: 1_000_000_000 },
  ),
  cacheSize: whole(
    { key: 'cache_size', comment: 'Hashes of committed transactions remembered.', fallback: 10_000 },
    { min: 1, max: 100_000_000 },
  ),
  keepInvalidTxsInCache: flag({
    key: 'keep-invalid-txs-in-cache',
    comment: 'Remember refused transactions, too: they are not checked again.',
    fallback: false,
  }),
};

const stateSync: Fields<StateSyncConfig> = {
  enable: flag({
    key: 'enable',
    comment: 'A node without a state fetches one from its peers instead of executing every block.',
    fallback: false,
  }),
  rpcServers: list(
    {
      key: 'rpc_servers',
      comment:
        'Nodes whose RPC vouches for the state: at least two, of different operators, comma-separated.',
      fallback: [],
    },
    serverRule,
  ),
  trustHeight: whole(
    { key: 'trust_height', comment: 'A recent height and its block hash that you trust.', fallback: 0 },
    { min: 0, max: Number.MAX_SAFE_INTEGER },
  ),
  trustHash: text(
    {
      key: 'trust_hash',
      comment: 'The hash: "curl RPC/commit?height=HEIGHT", from several sources.',
      fallback: '',
    },
    hashRule,
  ),
  trustPeriodMs: duration({
    key: 'trust_period',
    comment: 'How old the trusted block may be: clearly less than the unbonding time.',
    fallback: 168 * 3_600_000,
  }),
  discoveryTimeMs: duration({
    key: 'discovery_time',
    comment: 'How long offers of snapshots are gathered.',
    fallback: 15_000,
  }),
  chunkRequestTimeoutMs: duration({
    key: 'chunk_request_timeout',
    comment: 'How long a peer may take for a chunk, before another one is asked.',
    fallback: 10_000,
  }),
  chunkFetchers: whole(
    { key: 'chunk_fetchers', comment: 'Chunks fetched at the same time.', fallback: 4 },
    { min: 1, max: 64 },
  ),
};

const wait = (key: string, fallback: number, comment: string): ReturnType<typeof duration> =>
  duration({ key, fallback, comment });

const consensus: Fields<ConsensusConfig> = {
  timeoutProposeMs: wait('timeout_propose', 3_000, 'Wait for a proposal before voting nil.'),
  timeoutProposeDeltaMs: wait('timeout_propose_delta', 500, 'Added with each further round.'),
  timeoutPrevoteMs: wait('timeout_prevote', 1_000, 'Wait for more prevotes after two thirds of any.'),
  timeoutPrevoteDeltaMs: wait('timeout_prevote_delta', 500, 'Added with each further round.'),
  timeoutPrecommitMs: wait('timeout_precommit', 1_000, 'Wait for more precommits after two thirds of any.'),
  timeoutPrecommitDeltaMs: wait('timeout_precommit_delta', 500, 'Added with each further round.'),
  timeoutCommitMs: wait('timeout_commit', 1_000, 'Pause after a commit: in effect the block time.'),
  skipTimeoutCommit: flag({
    key: 'skip_timeout_commit',
    comment: 'Do not pause once all precommits are there.',
    fallback: false,
  }),
  createEmptyBlocks: flag({
    key: 'create_empty_blocks',
    comment: 'Make blocks also when no transaction waits.',
    fallback: true,
  }),
  createEmptyBlocksIntervalMs: wait(
    'create_empty_blocks_interval',
    0,
    'Without empty blocks: make one after this all the same; "0s" never.',
  ),
  doubleSignCheckHeight: whole(
    {
      key: 'double_sign_check_height',
      comment:
        'A validator does not start when its key has signed one of so many last blocks: wait, then start. 0: off.',
      fallback: 0,
    },
    { min: 0, max: 100_000 },
  ),
};

const txIndex: Fields<TxIndexConfig> = {
  indexer: choice(
    { key: 'indexer', comment: '"kv" answers tx and tx_search, "null" keeps no index.', fallback: 'kv' },
    ['kv', 'null'],
  ),
};

const instrumentation: Fields<InstrumentationConfig> = {
  prometheus: flag({ key: 'prometheus', comment: 'Serve metrics.', fallback: false }),
  prometheusListenAddr: text(
    {
      key: 'prometheus_listen_addr',
      comment: 'Where metrics are served.',
      fallback: 'tcp://127.0.0.1:26660',
    },
    listenRule,
  ),
  namespace: text({ key: 'namespace', comment: 'Prefix of the metric names.', fallback: 'cometbft' }),
};

/** The table of `config.toml`: one entry for each section, the first for the keys before all sections. */
export const nodeSections: {
  readonly [Name in keyof NodeConfig]: { readonly header: string; readonly fields: Fields<NodeConfig[Name]> };
} = {
  base: { header: '', fields: base },
  rpc: { header: 'rpc', fields: rpc },
  p2p: { header: 'p2p', fields: p2pFields },
  mempool: { header: 'mempool', fields: mempool },
  stateSync: { header: 'statesync', fields: stateSync },
  consensus: { header: 'consensus', fields: consensus },
  txIndex: { header: 'tx_index', fields: txIndex },
  instrumentation: { header: 'instrumentation', fields: instrumentation },
};

/** The table of `[state-sync]` in `app.toml`. */
export const snapshotFields: Fields<SnapshotConfig> = {
  snapshotInterval: whole(
    {
      key: 'snapshot-interval',
      comment: 'Blocks between two snapshots of the state for nodes that join by state sync; 0: none.',
      fallback: 0,
    },
    { min: 0, max: 1_000_000_000 },
  ),
  snapshotKeepRecent: whole(
    { key: 'snapshot-keep-recent', comment: 'Snapshots to keep; 0: all.', fallback: 2 },
    { min: 0, max: 1_000_000 },
  ),
};

/** The table of what stands before all sections of `app.toml`, under the Cosmos SDK's names. */
export const appFields: Fields<Omit<AppConfig, keyof SnapshotConfig>> = {
  minimumGasPrices: text(
    {
      key: 'minimum-gas-prices',
      comment: 'The least fee per gas that this node takes into its mempool: "0.0025uopen"; empty: any.',
      fallback: '',
    },
    {
      allowed: 'empty or decimal coins such as "0.0025uopen"',
      accepts: (value) => GAS_PRICES.test(value),
    },
  ),
  pruning: choice(
    {
      key: 'pruning',
      comment:
        'States that queries reach back to, as far as 64 MiB of memory for them go: "default" 100, "nothing" all, "everything" 2, "custom" as said below.',
      fallback: 'default',
    },
    ['default', 'nothing', 'everything', 'custom'],
  ),
  pruningKeepRecent: whole(
    { key: 'pruning-keep-recent', comment: 'States to keep, with pruning "custom".', fallback: 100 },
    { min: 2, max: 1_000_000 },
  ),
  pruningInterval: whole(
    {
      key: 'pruning-interval',
      comment: 'Blocks between two times that older states are dropped, with pruning "custom".',
      fallback: 10,
    },
    { min: 10, max: 1_000_000 },
  ),
  minRetainBlocks: whole(
    {
      key: 'min-retain-blocks',
      comment:
        'Blocks to keep, with results and index; 0: all. More are kept as evidence and snapshots need them.',
      fallback: 0,
    },
    { min: 0, max: 1_000_000_000_000 },
  ),
};
