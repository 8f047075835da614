/** Transfers that keep coming while nodes fail: each account asks some node where it stands, and sends. */
import { setTimeout as delay } from 'node:timers/promises';
import { toBase64 } from '../../../core/bytes.ts';
import { accountAt } from '../account.ts';
import { call } from '../rpc.ts';
import { type LoadChain, type Sender, signedSend } from '../senders.ts';

/** Transactions that an account sends before it looks at the chain again. */
const BURST = 5;
const PAUSE_MS = 700;
const PAUSE_AFTER_FAILURE_MS = 300;

/** What a load works with. */
export interface LoadPorts {
  readonly chain: LoadChain;
  readonly senders: readonly Sender[];
  /** URLs of nodes that may be asked now. */
  readonly rpcs: () => readonly string[];
}

/** A load under way. */
export class Load {
  /** Transactions that some node took into its mempool. */
  accepted = 0;
  readonly #ports: LoadPorts;
  #running = true;
  readonly #ended: Promise<unknown>;

  constructor(ports: LoadPorts) {
    this.#ports = ports;
    this.#ended = Promise.all(ports.senders.map((sender, i) => this.#keepSending(sender, i)));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#ended;
  }

  async #keepSending(sender: Sender, index: number): Promise<void> {
    const { rpcs, senders } = this.#ports;
    for (let turn = index; this.#running; turn++) {
      const urls = rpcs();
      const to = senders[(index + 1) % senders.length] ?? sender;
      try {
        await this.#burst(urls[turn % Math.max(1, urls.length)] ?? '', sender, to);
        await delay(PAUSE_MS);
      } catch {
        // The node is down, paused or behind: what was sent may or may not be committed. Ask another.
        await delay(PAUSE_AFTER_FAILURE_MS);
      }
    }
  }

  async #burst(rpc: string, from: Sender, to: Sender): Promise<void> {
    const { accountNumber, sequence } = await accountAt(rpc, from.address);
    for (let i = 0n; i < BURST && this.#running; i++) {
      const order = { from, to: to.address, accountNumber, sequence: sequence + i };
      const tx = toBase64(signedSend(this.#ports.chain, order));
      const { code } = await call<{ code: number }>(rpc, 'broadcast_tx_sync', { tx });
      if (code !== 0) return;
      this.accepted++;
    }
  }
}
