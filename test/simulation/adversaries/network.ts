/** A network under the hand of an adversary: what the node sends and serves can be changed on its way. */
import type { Network } from '../../../p2p/network.ts';

/** What an adversary does to a network. */
export interface Tampering {
  /** What is sent instead; nothing keeps it back. Default: the message. */
  readonly send?: (message: {
    readonly peer: string;
    readonly channel: string;
    readonly bytes: Uint8Array;
  }) => readonly Uint8Array[];
  /** What is answered instead; undefined never answers. */
  readonly answer?: (protocol: string, response: Uint8Array) => Uint8Array | undefined;
}

/** The network, tampered with. */
export function tamperedNetwork(network: Network, { send, answer }: Tampering): Network {
  const sendInstead = (peer: string, channel: string, bytes: Uint8Array): boolean => {
    let taken = true;
    for (const instead of send?.({ peer, channel, bytes }) ?? [bytes]) {
      taken = network.send(peer, channel, instead) && taken;
    }
    return taken;
  };
  return {
    nodeId: network.nodeId,
    metrics: network.metrics,
    traffic: (peer) => network.traffic(peer),
    start: () => network.start(),
    stop: () => network.stop(),
    listenAddresses: () => network.listenAddresses(),
    peers: () => network.peers(),
    send: sendInstead,
    broadcast: (channel, bytes, except) =>
      network.peers().filter(({ id }) => id !== except && sendInstead(id, channel, bytes)).length,
    handle: (channel, handler) => network.handle(channel, handler),
    request: (peer, protocol, bytes, options) => network.request(peer, protocol, bytes, options),
    serve: (protocol, handler) =>
      network.serve(protocol, async (peer, bytes) => {
        const response = await handler(peer, bytes);
        const instead = answer === undefined ? response : answer(protocol, response);
        return instead ?? new Promise<never>(() => undefined);
      }),
    onPeer: (listener) => network.onPeer(listener),
    penalize: (peer, penalty) => network.penalize(peer, penalty),
    addPersistentPeer: (address) => network.addPersistentPeer(address),
    dial: (address) => network.dial(address),
    disconnect: (peer, reason) => network.disconnect(peer, reason),
    prefer: (peer) => network.prefer(peer),
    unprefer: (peer) => network.unprefer(peer),
    isPreferred: (peer) => network.isPreferred(peer),
    hasRoomFor: (peer) => network.hasRoomFor(peer),
    standing: (peer) => network.standing(peer),
    bans: () => network.bans(),
  };
}
