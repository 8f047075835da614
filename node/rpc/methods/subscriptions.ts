/** Subscriptions over a websocket. */
import { LedgerError, messageOf } from '../../../core/errors.ts';
import type { EventMessage } from '../../events.ts';
import { parseQuery, type Query, QUERY_LENGTH_MAX } from '../../query.ts';
import type { RpcConfig } from '../config.ts';
import { serverError } from '../errors.ts';
import { eventText } from '../json/event.ts';
import type { Json } from '../../../light/json/json.ts';
import { type CallContext, type Connection, type Method, method } from '../method.ts';
import { errorText, resultText } from '../message.ts';
import type { EventSink, RpcPorts, Subscription } from '../ports.ts';

/** The methods that only a websocket has. */
export function subscriptionMethods(ports: RpcPorts, config: RpcConfig): readonly Method[] {
  return [
    method({
      name: 'subscribe',
      params: { query: 'string' },
      websocketOnly: true,
      call: ({ query }, context) => subscribe(ports, config, { query, context }),
    }),
    method({
      name: 'unsubscribe',
      params: { query: 'string' },
      websocketOnly: true,
      call: ({ query }, context) => {
        ports.events.unsubscribe(connectionOf(context).client, parsed(query));
        return {};
      },
    }),
    method({
      name: 'unsubscribe_all',
      params: {},
      websocketOnly: true,
      call: (_params, context) => {
        ports.events.unsubscribeAll(connectionOf(context).client);
        return {};
      },
    }),
  ];
}

function connectionOf(context: CallContext): Connection {
  if (context.connection === undefined) {
    throw new LedgerError('rpc.websocket_only', 'subscriptions need a websocket connection');
  }
  return context.connection;
}

function parsed(text: string): Query {
  if (text.length > QUERY_LENGTH_MAX) throw new LedgerError('rpc.query', 'maximum query length exceeded');
  try {
    return parseQuery(text);
  } catch (error) {
    throw new LedgerError('rpc.query', `failed to parse query: ${messageOf(error)}`, {}, error);
  }
}

function subscribe(
  ports: RpcPorts,
  config: RpcConfig,
  call: { readonly query: string; readonly context: CallContext },
): Json {
  const connection = connectionOf(call.context);
  const { events } = ports;
  const { client } = connection;
  if (events.subscriptionCount(client) === 0 && events.clientCount() >= config.subscriptionClientsMax) {
    throw limitReached(`max_subscription_clients ${config.subscriptionClientsMax} reached`);
  }
  if (events.subscriptionCount(client) >= config.subscriptionsPerClientMax) {
    throw limitReached(`max_subscriptions_per_client ${config.subscriptionsPerClientMax} reached`);
  }
  const sink = new ConnectionSink(connection, { id: call.context.id, query: call.query });
  sink.start(events.subscribe(client, parsed(call.query), sink));
  // The acknowledgement goes out when the promises of this turn are settled: no event may come before it.
  setImmediate(() => sink.open());
  return {};
}

function limitReached(message: string): LedgerError {
  return new LedgerError('rpc.subscription_limit', message);
}

/** Writes a subscription's events to its connection, under the id of the request that made it. */
class ConnectionSink implements EventSink {
  readonly #connection: Connection;
  readonly #id: string;
  readonly #query: string;
  #subscription: Subscription | undefined;
  /** Events that came before the acknowledgement; undefined from then on. */
  #held: EventMessage[] | undefined = [];

  constructor(connection: Connection, request: { readonly id: string; readonly query: string }) {
    this.#connection = connection;
    this.#id = request.id;
    this.#query = request.query;
  }

  start(subscription: Subscription): void {
    this.#subscription = subscription;
  }

  /** Lets the events through. */
  open(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) this.deliver(message);
  }

  deliver(message: EventMessage): boolean {
    if (this.#held !== undefined) {
      this.#held.push(message);
      return true;
    }
    if (this.#connection.send(resultText(this.#id, eventText(message, this.#query)))) return true;
    this.#connection.onDrain(() => this.#subscription?.resume());
    return false;
  }

  cancelled(reason: string): void {
    const error = serverError(`subscription was canceled (reason: ${reason})`);
    this.#connection.send(errorText(this.#id, error));
  }
}
