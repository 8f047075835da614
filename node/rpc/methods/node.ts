/** The node itself: health, status, peers, genesis. */
import { publicKeyToJson } from '../../../consensus/types/genesis.ts';
import { validatorByAddress } from '../../../consensus/types/validator-set.ts';
import { LedgerError } from '../../../core/errors.ts';
import type { Instant } from '../../../core/time.ts';
import type { BlockMeta } from '../../../proto/gen/tendermint/types/types.ts';
import { genesisChunks, genesisDocument } from '../genesis-document.ts';
import { latestUncommittedHeight } from '../heights.ts';
import { hexJson, type Json, timeJson } from '../../../light/json/json.ts';
import { RawJson } from '../json/raw.ts';
import { type Method, method } from '../method.ts';
import type { BanInfo, NodeInfo, PeerFlow, PeerInfo, RpcPorts } from '../ports.ts';

/**
 * CometBFT v0.38's version of the peer-to-peer protocol. Nobody connects by it; clients want a number here.
 */
const P2P_PROTOCOL = '8';
const BLOCK_PROTOCOL = '11';
const EPOCH = { seconds: 0n, nanos: 0 };
const NANOS_PER_MS = 1_000_000;

/** What the server says of itself. */
export interface ServerInfo {
  /** See `RpcConfig`. */
  readonly reportedVersion: string;
  /** Where it listens: `tcp://127.0.0.1:26657`. */
  readonly address: () => string;
}

/** The methods about the node. */
export function nodeMethods(ports: RpcPorts, config: ServerInfo): readonly Method[] {
  let document: string | undefined;
  let chunks: readonly string[] | undefined;
  const genesis = (): string => (document ??= genesisDocument(ports.genesis.text()));
  const pieces = (): readonly string[] => (chunks ??= genesisChunks(genesis()));
  return [
    method({ name: 'health', params: {}, call: () => ({}) }),
    method({ name: 'status', params: {}, call: () => status(ports, config) }),
    method({ name: 'net_info', params: {}, call: () => netInfo(ports, config) }),
    method({
      name: 'genesis',
      params: {},
      cacheable: 'always',
      call: () => {
        if (pieces().length > 1) {
          throw new LedgerError(
            'rpc.genesis',
            'genesis response is large, please use the genesis_chunked API instead',
          );
        }
        return new RawJson(`{"genesis":${genesis()}}`);
      },
    }),
    method({
      name: 'genesis_chunked',
      params: { chunk: 'uint' },
      cacheable: 'always',
      call: ({ chunk }) => {
        const data = pieces()[chunk];
        if (data === undefined) {
          throw new LedgerError(
            'rpc.genesis',
            `there are ${pieces().length - 1} chunks, ${chunk} is invalid`,
          );
        }
        return { chunk: chunk.toString(), total: pieces().length.toString(), data };
      },
    }),
  ];
}

function nodeInfoJson(info: NodeInfo, version: string, rpcAddress: string, hasIndex: boolean): Json {
  return {
    protocol_version: { p2p: P2P_PROTOCOL, block: BLOCK_PROTOCOL, app: info.appVersion.toString() },
    id: info.id,
    listen_addr: info.listenAddress,
    network: info.network,
    version,
    channels: '',
    moniker: info.moniker,
    other: { tx_index: hasIndex ? 'on' : 'off', rpc_address: rpcAddress },
  };
}

function status(ports: RpcPorts, config: ServerInfo): Json {
  const { base, height } = ports.blocks.range();
  const latest = height === 0n ? undefined : ports.blocks.meta(height);
  const earliest = height === 0n ? undefined : ports.blocks.meta(base);
  const { address, publicKey } = ports.status.validator();
  const validators = ports.state.validators(latestUncommittedHeight(ports));
  const own = validators === undefined ? undefined : validatorByAddress(validators, address);
  const key = publicKeyToJson(publicKey);
  return {
    node_info: nodeInfoJson(
      ports.status.nodeInfo(),
      config.reportedVersion,
      config.address(),
      ports.index !== undefined,
    ),
    sync_info: {
      ...blockInfo('latest', latest, height),
      ...blockInfo('earliest', earliest, base),
      catching_up: ports.status.catchingUp(),
    },
    validator_info: {
      address: hexJson(address),
      pub_key: { type: key.type, value: key.value },
      voting_power: (own?.votingPower ?? 0n).toString(),
    },
  };
}

function blockInfo(
  which: 'latest' | 'earliest',
  meta: BlockMeta | undefined,
  height: bigint,
): { readonly [key: string]: Json } {
  return {
    [`${which}_block_hash`]: meta === undefined ? '' : hexJson(meta.blockId.hash),
    [`${which}_app_hash`]: meta === undefined ? '' : hexJson(meta.header.appHash),
    [`${which}_block_height`]: height.toString(),
    [`${which}_block_time`]: timeJson(meta?.header.time ?? EPOCH),
  };
}

function netInfo(ports: RpcPorts, config: ServerInfo): Json {
  const peers = ports.peers.peers();
  const book = ports.peers.addressBook();
  return {
    listening: ports.peers.listening(),
    listeners: ports.peers.listeners(),
    n_peers: peers.length.toString(),
    peers: peers.map((peer) => peerJson(peer, config.reportedVersion)),
    // Not CometBFT's: what makes it a map.
    bans: ports.peers.bans().map(banJson),
    ...(book === undefined ? {} : { address_book: { addresses: book.size, met: book.triedSize } }),
  };
}

function peerJson(peer: PeerInfo, version: string): Json {
  const startedMs = Date.now() - peer.connectedMs;
  return {
    node_info: nodeInfoJson(peer.node, version, '', false),
    is_outbound: peer.outbound,
    connection_status: {
      Duration: nanosText(peer.connectedMs),
      SendMonitor: flowJson(peer.sent, startedMs),
      RecvMonitor: flowJson(peer.received, startedMs),
      Channels: [],
    },
    remote_ip: peer.remoteIp,
    peer_id: peer.peerId,
    address: peer.address,
    persistent: peer.persistent,
    score: Math.ceil(peer.score),
    claimed_height: peer.claimedHeight.toString(),
    validator: peer.validator === undefined ? null : hexJson(peer.validator),
  };
}

function banJson({ peerId, reason, remainingMs, times }: BanInfo): Json {
  return { peer_id: peerId, reason, seconds_left: Math.ceil(remainingMs / 1000), times };
}

/** CometBFT's `flowrate.Status`. Nothing is known of a transfer's end, so nothing remains of it. */
function flowJson(flow: PeerFlow, startedMs: number): Json {
  return {
    Start: timeJson(instantOfMs(startedMs)),
    Bytes: flow.bytes.toString(),
    Samples: flow.samples.toString(),
    InstRate: flow.instantRate.toString(),
    CurRate: flow.currentRate.toString(),
    AvgRate: flow.averageRate.toString(),
    PeakRate: flow.peakRate.toString(),
    BytesRem: '0',
    Duration: nanosText(flow.durationMs),
    Idle: nanosText(flow.idleMs),
    TimeRem: '0',
    Progress: 0,
    Active: true,
  };
}

function instantOfMs(ms: number): Instant {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor(ms % 1000) * NANOS_PER_MS };
}

function nanosText(ms: number): string {
  return (BigInt(Math.floor(ms)) * BigInt(NANOS_PER_MS)).toString();
}
