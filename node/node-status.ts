/** What the RPC server tells about this node and its peers. */
import type { PublicKey } from '../consensus/types/validator.ts';
import { cometNodeId } from '../p2p/identity.ts';
import type { Network, PeerInfo as NetworkPeer } from '../p2p/network.ts';
import type { NodeConfig } from './config/config.ts';
import type { PeerInfo, PeerSource, StatusSource } from './rpc/ports.ts';
import type { ChainState } from './state/chain-state.ts';

/** Where the facts come from. */
export interface StatusPorts {
  readonly config: NodeConfig;
  readonly network: Network;
  readonly signer: { readonly address: Uint8Array; readonly publicKey: PublicKey };
  readonly sync: { isCatchingUp(): boolean };
  readonly executor: { readonly state: Pick<ChainState, 'chainId' | 'consensusParams'> };
}

/** This node, as `/status` shows it. */
export function nodeStatus(ports: StatusPorts): StatusSource {
  const { config, network, signer, sync, executor } = ports;
  return {
    nodeInfo: () => ({
      id: cometNodeId(network.nodeId),
      listenAddress: config.p2p.laddr,
      network: executor.state.chainId,
      moniker: config.base.moniker,
      appVersion: executor.state.consensusParams.version.app,
    }),
    catchingUp: () => sync.isCatchingUp(),
    validator: () => ({ address: signer.address, publicKey: signer.publicKey }),
  };
}

/** The network and what finds peers for it. */
export interface NetworkParts {
  readonly network: Network;
  readonly peers: { readonly book: { readonly size: number; readonly triedSize: number } | undefined };
  readonly validatorPeers: { validatorOf(peerId: string): Uint8Array | undefined };
}

/** The peers, as `/net_info` shows them. */
export function peerSource({ network, peers, validatorPeers }: NetworkParts, chainId: string): PeerSource {
  return {
    listening: () => network.listenAddresses().length > 0,
    listeners: () => network.listenAddresses(),
    peers: () =>
      network.peers().map((peer) => ({
        ...rpcPeer(network, peer, chainId),
        validator: validatorPeers.validatorOf(peer.id),
      })),
    bans: () => network.bans(),
    addressBook: () => peers.book,
  };
}

function rpcPeer(network: Network, peer: NetworkPeer, chainId: string): Omit<PeerInfo, 'validator'> {
  const { sent = NO_FLOW, received = NO_FLOW } = network.traffic(peer.id) ?? {};
  return {
    node: {
      id: cometNodeId(peer.id),
      listenAddress: peer.listenAddress === '' ? peer.remoteAddress : peer.listenAddress,
      network: chainId,
      moniker: peer.moniker,
      appVersion: 0n,
    },
    outbound: peer.direction === 'outbound',
    remoteIp: ipOf(peer.remoteAddress),
    connectedMs: Date.now() - peer.connectedAtMs,
    sent,
    received,
    peerId: peer.id,
    address: peer.remoteAddress,
    persistent: peer.persistent,
    score: network.standing(peer.id).points,
    claimedHeight: peer.claimedHeight,
  };
}

/** Of a peer that left while the list was made. */
const NO_FLOW: PeerInfo['sent'] = {
  bytes: 0,
  samples: 0,
  instantRate: 0,
  currentRate: 0,
  averageRate: 0,
  peakRate: 0,
  durationMs: 0,
  idleMs: 0,
};

/** The host in a multiaddr: `/ip4/10.0.0.1/tcp/26656` → `10.0.0.1`. */
function ipOf(multiaddr: string): string {
  return multiaddr.split('/')[2] ?? '';
}
