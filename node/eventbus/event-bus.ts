/**
 * Announces what happens to whoever subscribed: each subscription is a query, and gets the events that match
 * it, in order. Publishing never waits and, without subscribers, costs nothing per transaction.
 *
 * A subscriber that cannot keep up has a buffer of `bufferMax` events. When it overflows the subscription
 * ends, as in CometBFT, and the subscriber is told so, and how much it has missed: a gap that nobody hears of
 * is worse.
 */
import { LedgerError } from '../../core/errors.ts';
import type { EventData, EventMessage } from '../events.ts';
import { matches, type Query } from '../query.ts';
import type { EventBusConfig } from './config.ts';
import { Subscription } from './subscription.ts';

/** Where the events of one subscription go. */
export interface EventSink {
  /** Takes an event; false when it cannot take more now, and will call `resume` on the subscription. */
  deliver(message: EventMessage): boolean;
  /** The subscription has ended by the bus: too slow, or the node stops. Not called after `unsubscribe`. */
  cancelled(reason: string): void;
}

/** The data of a committed transaction. */
export type TxEvent = Extract<EventData, { readonly type: 'Tx' }>;

interface Waiter {
  readonly resolve: (event: TxEvent) => void;
}

/** The bus. */
export class EventBus {
  readonly #config: EventBusConfig;
  /** Client → canonical query → subscription. */
  readonly #clients = new Map<string, Map<string, Subscription>>();
  readonly #waiters = new Map<string, Set<Waiter>>();
  #waiterCount = 0;

  constructor(config: EventBusConfig) {
    this.#config = config;
  }

  /** @throws LedgerError `events.already_subscribed` when the client has that query already */
  subscribe(client: string, query: Query, sink: EventSink): Subscription {
    let own = this.#clients.get(client);
    if (own?.has(query.text) === true) {
      throw new LedgerError('events.already_subscribed', 'already subscribed');
    }
    if (own === undefined) {
      own = new Map();
      this.#clients.set(client, own);
    }
    const subscription = new Subscription(query, sink, this.#config.bufferMax);
    own.set(query.text, subscription);
    return subscription;
  }

  /** @throws LedgerError `events.subscription_not_found` */
  unsubscribe(client: string, query: Query): void {
    const subscription = this.#clients.get(client)?.get(query.text);
    if (subscription === undefined) throw notFound();
    subscription.end();
    this.#remove(client, query.text);
  }

  /** @throws LedgerError `events.subscription_not_found` when there is none */
  unsubscribeAll(client: string): void {
    const own = this.#clients.get(client);
    if (own === undefined) throw notFound();
    for (const subscription of own.values()) subscription.end();
    this.#clients.delete(client);
  }

  clientCount(): number {
    return this.#clients.size;
  }

  subscriptionCount(client: string): number {
    return this.#clients.get(client)?.size ?? 0;
  }

  /** True when an event would reach anybody: publishers need not make events that would not. */
  get hasSubscribers(): boolean {
    return this.#clients.size > 0;
  }

  /** Gives an event to every subscription that it matches. */
  publish(message: EventMessage): void {
    for (const [client, own] of this.#clients) {
      for (const [text, subscription] of own) {
        if (!matches(subscription.query, message.events)) continue;
        const overflow = subscription.push(message);
        if (overflow === undefined) continue;
        this.#remove(client, text);
        subscription.cancel(overflow);
      }
    }
  }

  /**
   * The next commit of a transaction (its name: `node/tx-key.ts`). `cancel` frees the place.
   * @throws LedgerError `events.too_many_waiters`
   */
  waitForTx(key: string): { readonly committed: Promise<TxEvent>; readonly cancel: () => void } {
    if (this.#waiterCount >= this.#config.waitersMax) {
      throw new LedgerError(
        'events.too_many_waiters',
        `max_subscription_clients ${this.#config.waitersMax} reached`,
        { waitersMax: this.#config.waitersMax },
      );
    }
    const { promise, resolve } = Promise.withResolvers<TxEvent>();
    const waiter: Waiter = { resolve };
    const waiters = this.#waiters.get(key) ?? new Set();
    waiters.add(waiter);
    this.#waiters.set(key, waiters);
    this.#waiterCount++;
    return { committed: promise, cancel: () => this.#removeWaiter(key, waiter) };
  }

  /** True when somebody waits for the commit of any transaction. */
  get hasWaiters(): boolean {
    return this.#waiterCount > 0;
  }

  /** Answers those who wait for this transaction. */
  txCommitted(event: TxEvent): void {
    for (const waiter of this.#waiters.get(event.txKey) ?? []) {
      this.#removeWaiter(event.txKey, waiter);
      waiter.resolve(event);
    }
  }

  /** Ends every subscription; the subscribers are told. */
  stop(): void {
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    for (const own of clients) {
      for (const subscription of own.values()) subscription.cancel('CometBFT exited');
    }
  }

  #remove(client: string, text: string): void {
    const own = this.#clients.get(client);
    own?.delete(text);
    if (own?.size === 0) this.#clients.delete(client);
  }

  #removeWaiter(key: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(key);
    if (waiters?.delete(waiter) !== true) return;
    this.#waiterCount--;
    if (waiters.size === 0) this.#waiters.delete(key);
  }
}

function notFound(): LedgerError {
  return new LedgerError('events.subscription_not_found', 'subscription not found');
}
