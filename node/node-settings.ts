/** The settings of `config.toml` and the genesis document in the forms that the parts take. */
import type { TimeoutConfig } from '../consensus/config.ts';
import { DEFAULT_CONSENSUS_PARAMS, updateConsensusParams } from '../consensus/types/params.ts';
import type { GenesisDocument } from '../genesis/document.ts';
import { initChainRequest } from '../genesis/encode.ts';
import { parseListenAddress } from './config/address.ts';
import type {
  MempoolConfig as MempoolSection,
  NodeConfig,
  RpcConfig as RpcSection,
} from './config/config.ts';
import type { MempoolConfig } from './mempool/config.ts';
import { DEFAULT_RPC_CONFIG, type RpcConfig } from './rpc/config.ts';
import type { Genesis } from './state/chain-state.ts';

/** What the chain begins with, of a genesis document. */
export function genesisOf(document: GenesisDocument): Genesis {
  return {
    chainId: document.chainId,
    genesisTime: document.genesisTime,
    initialHeight: document.initialHeight,
    consensusParams: updateConsensusParams(DEFAULT_CONSENSUS_PARAMS, document.consensusParams),
    validators: document.validators.map(({ keyType, pubKey, power }) => ({
      publicKey: { type: keyType, bytes: pubKey },
      votingPower: power,
    })),
    appHash: document.appHash,
    appState: initChainRequest(document).appStateBytes,
  };
}

/** The waits of the consensus core. */
export function timeoutsOf({ consensus }: NodeConfig): TimeoutConfig {
  return {
    proposeMs: consensus.timeoutProposeMs,
    proposeDeltaMs: consensus.timeoutProposeDeltaMs,
    prevoteMs: consensus.timeoutPrevoteMs,
    prevoteDeltaMs: consensus.timeoutPrevoteDeltaMs,
    precommitMs: consensus.timeoutPrecommitMs,
    precommitDeltaMs: consensus.timeoutPrecommitDeltaMs,
    commitMs: consensus.timeoutCommitMs,
    skipCommitWhenComplete: consensus.skipTimeoutCommit,
  };
}

/** What `[mempool]` says of the mempool's limits. */
export function mempoolConfigOf(section: MempoolSection): Partial<MempoolConfig> {
  return {
    txsMax: section.size,
    txsBytesMax: section.maxTxsBytes,
    txBytesMax: section.maxTxBytes,
    senderTxsMax: section.maxTxsPerSender,
    senderBytesMax: section.maxTxsBytesPerSender,
    ttlMs: section.ttlDurationMs,
    ttlBlocks: section.ttlNumBlocks,
    cacheMax: section.cacheSize,
    keepInvalidInCache: section.keepInvalidTxsInCache,
    recheck: section.recheck,
  };
}

/** The RPC server's settings. */
export function rpcConfigOf(section: RpcSection): RpcConfig {
  return {
    ...DEFAULT_RPC_CONFIG,
    ...parseListenAddress(section.laddr),
    corsOrigins: section.corsAllowedOrigins,
    connectionsMax: section.maxOpenConnections,
    bodyBytesMax: section.maxBodyBytes,
    batchMax: section.maxRequestBatchSize,
    subscriptionClientsMax: section.maxSubscriptionClients,
    subscriptionsPerClientMax: section.maxSubscriptionsPerClient,
    broadcastCommitTimeoutMs: section.timeoutBroadcastTxCommitMs,
  };
}
