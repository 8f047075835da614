/**
 * Carries batches of transactions between mempools. What a mempool has accepted goes to every peer but those
 * that sent it, whatever the topology: a chain of nodes and a validator behind sentries need the relay. In a
 * full mesh most copies are superfluous; a mempool drops what it knows after one hash.
 *
 * A peer whose queue is full falls behind, and so begins a peer that connects: from there on it is given what
 * waits in the pool, in its order, as fast as it takes it, until it has all. What is remembered of it is one
 * number, the place in the pool from which it may lack some.
 */
import { DecodeError } from '../core/errors.ts';
import { TXS_CHANNEL } from '../p2p/channels.ts';
import type { Network } from '../p2p/network.ts';
import { Txs } from '../proto/gen/tendermint/mempool/types.ts';
import type { TxBatch, TxGossip, TxReceiver, WaitingTxs } from './mempool/ports.ts';

/** Transactions in one message; the bytes are bounded by the channel. */
const TXS_PER_MESSAGE_MAX = 10_000;
/** Bytes of one batch for a peer that is behind, unless a single transaction is larger. */
const BATCH_BYTES = 256 * 1024;
/** How soon a peer that is behind is tried again. */
const RETRY_MS = 100;
/** What tag and length of one transaction may take. */
const ENTRY_OVERHEAD_BYTES = 6;

/** What sending takes of the network. */
export interface TxSender {
  peers(): readonly { readonly id: string }[];
  send(peer: string, channel: string, bytes: Uint8Array): boolean;
}

/** What the courier is joined to. */
export interface TxCourierPorts {
  readonly network: TxSender;
  /** Starts a one-shot timer and returns how to stop it. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** The pool. It is asked for when it is needed: pool and courier know each other. */
  readonly waiting: () => WaitingTxs;
}

/** The mempool's way out. */
export class TxCourier implements TxGossip {
  readonly #ports: TxCourierPorts;
  /** From which place in the pool on each peer that is behind may lack transactions. */
  readonly #behind = new Map<string, number>();
  #stopTimer: (() => void) | undefined;

  constructor(ports: TxCourierPorts) {
    this.#ports = ports;
  }

  publish({ txs, senders, first }: TxBatch): void {
    const { network } = this.#ports;
    // Who is behind gets it in its turn, after what it lacks.
    const takers = network.peers().filter(({ id }) => !senders.includes(id) && !this.#behind.has(id));
    if (takers.length === 0) return;
    const bytes = Txs.encode({ txs });
    if (bytes.length > CHANNEL_BYTES) return; // no peer takes it; `max_tx_bytes` is below that
    for (const { id } of takers) {
      if (!network.send(id, TXS_CHANNEL.name, bytes)) this.#behind.set(id, first);
    }
    this.#retryLater();
  }

  /** Gives a peer that has connected all that waits. */
  connected(peer: string): void {
    this.#behind.set(peer, 0);
    this.#catchUp(peer, 0);
    this.#retryLater();
  }

  /** Forgets a peer. */
  disconnected(peer: string): void {
    this.#behind.delete(peer);
  }

  /** Ends the timer. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#behind.clear();
  }

  #retryLater(): void {
    if (this.#behind.size === 0) return;
    this.#stopTimer ??= this.#ports.after(RETRY_MS, () => {
      this.#stopTimer = undefined;
      const connected = new Set(this.#ports.network.peers().map(({ id }) => id));
      for (const [peer, first] of [...this.#behind]) {
        if (connected.has(peer)) this.#catchUp(peer, first);
        else this.#behind.delete(peer);
      }
      this.#retryLater();
    });
  }

  /** Sends until the peer takes no more, or has all. */
  #catchUp(peer: string, from: number): void {
    const waiting = this.#ports.waiting();
    let first: number | undefined = from;
    while (first !== undefined) {
      const { txs, next } = waiting.waitingFrom(first, peer, BATCH_BYTES);
      const fits = txs.reduce((sum, tx) => sum + tx.length + ENTRY_OVERHEAD_BYTES, 0) <= CHANNEL_BYTES;
      if (txs.length > 0 && fits) {
        if (!this.#ports.network.send(peer, TXS_CHANNEL.name, Txs.encode({ txs }))) {
          this.#behind.set(peer, first);
          return;
        }
      }
      first = next;
    }
    this.#behind.delete(peer);
  }
}

const CHANNEL_BYTES = TXS_CHANNEL.messageBytesMax;

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

/** Tells mempool and courier of peers that come and go; returns how to end it. */
export function followPeers(
  network: Network,
  parts: { readonly mempool: TxReceiver; readonly courier: TxCourier | undefined },
): () => void {
  const stop = network.onPeer({
    connected: ({ id }) => parts.courier?.connected(id),
    disconnected: ({ id }) => {
      parts.courier?.disconnected(id);
      parts.mempool.peerLeft(id);
    },
  });
  return () => {
    stop();
    parts.courier?.stop();
  };
}
