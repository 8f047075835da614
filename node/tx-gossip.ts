/**
 * Carries batches of transactions between mempools. What a mempool has accepted goes to every peer but the
 * one it came from, whatever the topology: a chain of nodes and a validator behind sentries need the relay.
 * In a full mesh most copies are superfluous; a mempool drops what it knows after one hash. A peer that
 * connects is given what waits here: it may have missed it.
 */
import { DecodeError } from '../core/errors.ts';
import { TXS_CHANNEL } from '../p2p/channels.ts';
import type { Network } from '../p2p/network.ts';
import { Txs } from '../proto/gen/tendermint/mempool/types.ts';
import type { TxGossip, TxReceiver } from './mempool/ports.ts';

/** Transactions in one message; the bytes are bounded by the channel. */
const TXS_PER_MESSAGE_MAX = 10_000;
/** Waiting transactions that a peer is given when it connects. */
const TXS_FOR_NEW_PEER_MAX = 5_000;
/** Bytes of one batch for a peer that connects, unless a single transaction is larger. */
const BATCH_BYTES = 256 * 1024;

/** What sending takes of the network. */
export interface TxSender {
  peers(): readonly { readonly id: string }[];
  send(peer: string, channel: string, bytes: Uint8Array): boolean;
}

/** The mempool's way out. */
export function txGossip(network: TxSender): TxGossip {
  return {
    publish(txs, origin) {
      const others = network.peers().filter(({ id }) => id !== origin);
      if (others.length === 0) return;
      const bytes = Txs.encode({ txs });
      for (const { id } of others) network.send(id, TXS_CHANNEL.name, bytes);
    },
  };
}

/** Hands what peers send to the mempool. */
export function receiveTxs(network: Network, mempool: TxReceiver): void {
  network.handle(TXS_CHANNEL.name, (peer, bytes) => {
    mempool.receive(decodeTxs(bytes), peer.id);
  });
}

/**
 * The transactions of a message. They are counted as they are read: two bytes may claim to be one.
 * @throws DecodeError when it is malformed, empty or holds too many
 */
export function decodeTxs(bytes: Uint8Array): readonly Uint8Array[] {
  const { txs } = Txs.decode(bytes, { elementsMax: TXS_PER_MESSAGE_MAX });
  if (txs.length === 0) throw new DecodeError('a batch of transactions is empty');
  return txs;
}

/** Gives each peer that connects what waits in the mempool; returns how to end it. */
export function shareWaitingTxs(
  network: Network,
  mempool: { list(limit: number): readonly Uint8Array[] },
): () => void {
  return network.onPeer({
    connected: (peer) => {
      for (const txs of batchesOf(mempool.list(TXS_FOR_NEW_PEER_MAX))) {
        if (!network.send(peer.id, TXS_CHANNEL.name, Txs.encode({ txs }))) return;
      }
    },
    disconnected: () => undefined,
  });
}

function batchesOf(txs: readonly Uint8Array[]): readonly Uint8Array[][] {
  const batches: Uint8Array[][] = [];
  let bytes = BATCH_BYTES;
  for (const tx of txs) {
    if (bytes + tx.length > BATCH_BYTES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(tx);
    bytes += tx.length;
  }
  return batches;
}
