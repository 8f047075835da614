/**
 * Carries batches of transactions between mempools. Transactions that were submitted here go to every peer; those of a
 * peer are passed on only across the edge of the mesh of persistent peers, because within it everybody has heard
 * them from their origin.
 */
import { DecodeError } from '../core/errors.ts';
import { Txs } from '../proto/gen/tendermint/mempool/types.ts';
import { TXS_CHANNEL } from '../p2p/channels.ts';
import type { Network } from '../p2p/network.ts';
import type { TxGossip, TxReceiver } from './mempool/ports.ts';

/** Transactions in one message; the bytes are bounded by the channel. */
const TXS_PER_MESSAGE_MAX = 10_000;

/** The mempool's way out. */
export function txGossip(network: Network): TxGossip {
  return {
    publish(txs, origin) {
      const bytes = Txs.encode({ txs });
      const fromMesh = origin !== undefined && isPersistent(network, origin);
      for (const peer of network.peers()) {
        if (peer.id === origin || (fromMesh && peer.persistent)) continue;
        network.send(peer.id, TXS_CHANNEL.name, bytes);
      }
    },
  };
}

/** Hands what peers send to the mempool. */
export function receiveTxs(network: Network, mempool: TxReceiver): void {
  network.handle(TXS_CHANNEL.name, (peer, bytes) => {
    const { txs } = Txs.decode(bytes);
    if (txs.length === 0 || txs.length > TXS_PER_MESSAGE_MAX) {
      throw new DecodeError('a batch of transactions is empty or too long', { count: txs.length });
    }
    mempool.receive(txs, peer.id);
  });
}

function isPersistent(network: Network, peerId: string): boolean {
  return network.peers().some((peer) => peer.id === peerId && peer.persistent);
}
