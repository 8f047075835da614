/**
 * What every implementation of the network does alike: hands messages and requests to their handlers, keeps
 * errors of handlers away from sockets, books faults, tells listeners of sessions, and counts.
 */
import { assert, DecodeError, defined, LedgerError } from '../core/errors.ts';
import type {
  ChannelSpec,
  Logger,
  MessageHandler,
  NetworkMetrics,
  PeerInfo,
  PeerListener,
  ProtocolSpec,
  RequestHandler,
} from './network.ts';

/** First byte of a response: what follows is the answer. */
export const RESPONSE_OK = 1;
/** First byte of a response: the byte that follows says why. */
export const RESPONSE_REFUSED = 2;
/** A response is one byte longer than its answer. */
export const RESPONSE_PREFIX_BYTES = 1;

/** The refusals a peer can give. */
export type Refusal = 'busy' | 'refused' | 'malformed';

/** What `Dispatch` needs of the network around it. */
export interface DispatchOptions {
  readonly channels: readonly ChannelSpec[];
  readonly protocols: readonly ProtocolSpec[];
  readonly log: Logger;
  /** Books a fault of the peer. */
  readonly onFault: (peer: PeerInfo, reason: string) => void;
}

/** Handlers, listeners and counters of one network. */
export class Dispatch {
  readonly metrics: NetworkMetrics = emptyMetrics();
  readonly #options: DispatchOptions;
  readonly #channels: ReadonlyMap<string, ChannelSpec>;
  readonly #protocols: ReadonlyMap<string, ProtocolSpec>;
  readonly #handlers: Map<string, MessageHandler> = new Map();
  readonly #servers: Map<string, RequestHandler> = new Map();
  readonly #listeners: Set<PeerListener> = new Set();
  /** Requests being served, by peer and protocol. */
  readonly #serving: Map<string, number> = new Map();

  constructor(options: DispatchOptions) {
    this.#options = options;
    this.#channels = new Map(options.channels.map((spec) => [spec.name, spec]));
    this.#protocols = new Map(options.protocols.map((spec) => [spec.name, spec]));
  }

  /** @throws AssertionError for a channel that the network was not made with */
  channel(name: string): ChannelSpec {
    return defined(this.#channels.get(name), `channel ${name}`);
  }

  /** @throws AssertionError for a protocol that the network was not made with */
  protocol(name: string): ProtocolSpec {
    return defined(this.#protocols.get(name), `protocol ${name}`);
  }

  /** @throws AssertionError for a message that every peer would refuse: the sender's bug */
  requireSendable(channel: string, bytes: Uint8Array): void {
    const { messageBytesMax } = this.channel(channel);
    const fits = bytes.length > 0 && bytes.length <= messageBytesMax;
    assert(fits, 'a message is within the limit of its channel', { channel, length: bytes.length });
  }

  handle(channel: string, handler: MessageHandler): void {
    this.channel(channel);
    assert(!this.#handlers.has(channel), 'a channel has one handler', { channel });
    this.#handlers.set(channel, handler);
  }

  serve(protocol: string, handler: RequestHandler): void {
    this.protocol(protocol);
    assert(!this.#servers.has(protocol), 'a protocol has one handler', { protocol });
    this.#servers.set(protocol, handler);
  }

  listen(listener: PeerListener, standing: Iterable<PeerInfo>): () => void {
    this.#listeners.add(listener);
    for (const peer of standing) this.#guard('onPeer', () => listener.connected(peer));
    return () => {
      this.#listeners.delete(listener);
    };
  }

  connected(peer: PeerInfo): void {
    this.metrics.connected++;
    for (const listener of this.#listeners) this.#guard('onPeer', () => listener.connected(peer));
  }

  disconnected(peer: PeerInfo, reason: string): void {
    this.metrics.disconnected++;
    for (const listener of this.#listeners) this.#guard('onPeer', () => listener.disconnected(peer, reason));
  }

  /**
   * Hands over one message. The promise, if there is one, resolves when the handler is done and never
   * rejects.
   */
  deliver(peer: PeerInfo, channel: string, bytes: Uint8Array): Promise<void> | undefined {
    count(this.metrics.messagesReceived, channel);
    count(this.metrics.bytesReceived, channel, bytes.length);
    const handler = this.#handlers.get(channel);
    if (handler === undefined) {
      count(this.metrics.messagesUnhandled, channel);
      return undefined;
    }
    try {
      const pending = handler(peer, bytes);
      if (pending === undefined) return undefined;
      return pending.catch((error: unknown) => this.#handlerFailed(peer, channel, error));
    } catch (error) {
      this.#handlerFailed(peer, channel, error);
      return undefined;
    }
  }

  /** The response to one request: its first byte says whether it was answered. Never rejects. */
  async answer(peer: PeerInfo, protocol: string, bytes: Uint8Array): Promise<Uint8Array> {
    const spec = this.protocol(protocol);
    const server = this.#servers.get(protocol);
    const key = `${peer.id} ${protocol}`;
    const serving = this.#serving.get(key) ?? 0;
    if (server === undefined || serving >= spec.concurrentMax) {
      count(this.metrics.requestsRefused, protocol);
      return refusal(server === undefined ? 'refused' : 'busy');
    }
    this.#serving.set(key, serving + 1);
    try {
      const answer = await server(peer, bytes);
      assert(answer.length <= spec.responseBytesMax, 'a response is within its limit', { protocol });
      count(this.metrics.requestsServed, protocol);
      const response = new Uint8Array(RESPONSE_PREFIX_BYTES + answer.length);
      response[0] = RESPONSE_OK;
      response.set(answer, RESPONSE_PREFIX_BYTES);
      return response;
    } catch (error) {
      count(this.metrics.requestsRefused, protocol);
      this.#handlerFailed(peer, protocol, error);
      return refusal(error instanceof DecodeError ? 'malformed' : 'refused');
    } finally {
      const left = (this.#serving.get(key) ?? 1) - 1;
      if (left === 0) this.#serving.delete(key);
      else this.#serving.set(key, left);
    }
  }

  /** The response to a request that is not answered now. */
  busy(protocol: string): Uint8Array {
    count(this.metrics.requestsRefused, protocol);
    return refusal('busy');
  }

  #handlerFailed(peer: PeerInfo, where: string, error: unknown): void {
    if (error instanceof DecodeError) {
      this.#options.onFault(peer, `${where}: ${error.message}`);
      return;
    }
    count(this.metrics.handlerErrors, where);
    this.#options.log.error({ peer: peer.id, where, err: error }, 'handler of a peer message failed');
  }

  #guard(where: string, callback: () => void): void {
    try {
      callback();
    } catch (error) {
      count(this.metrics.handlerErrors, where);
      this.#options.log.error({ where, err: error }, 'peer listener failed');
    }
  }
}

/**
 * The answer inside a response.
 * @throws LedgerError `p2p.busy`, `p2p.refused` or `p2p.malformed`: what the peer says of the request
 * @throws DecodeError when it is no response
 */
export function openResponse(protocol: string, response: Uint8Array): Uint8Array {
  const kind = response[0];
  if (kind === RESPONSE_OK) return response.subarray(RESPONSE_PREFIX_BYTES);
  const code = kind === RESPONSE_REFUSED ? REFUSALS[response[1] ?? -1] : undefined;
  if (code === undefined) throw new DecodeError(`response to ${protocol} is malformed`);
  throw new LedgerError(`p2p.${code}`, `peer answered a ${protocol} request with: ${code}`, { protocol });
}

/** The error of a request whose peer is not, or no longer, connected. */
export function disconnectedError(peerId: string, protocol: string): LedgerError {
  return new LedgerError('p2p.disconnected', `peer ${peerId} is not connected`, { protocol });
}

/** The error of a request without an answer in time. */
export function timeoutError(peerId: string, protocol: string, timeoutMs: number): LedgerError {
  const facts = { peerId, protocol, timeoutMs };
  return new LedgerError('p2p.timeout', `peer ${peerId} did not answer within ${timeoutMs} ms`, facts);
}

/** Adds to a counter that may not exist yet. */
export function count(counters: Record<string, number>, name: string, amount = 1): void {
  counters[name] = (counters[name] ?? 0) + amount;
}

const REFUSALS: readonly Refusal[] = ['busy', 'refused', 'malformed'];

function refusal(code: Refusal): Uint8Array {
  return Uint8Array.of(RESPONSE_REFUSED, REFUSALS.indexOf(code));
}

function emptyMetrics(): NetworkMetrics {
  return {
    connected: 0,
    disconnected: 0,
    handshakesRefused: 0,
    penalties: 0,
    bans: 0,
    dials: 0,
    dialsFailed: 0,
    refused: {},
    messagesSent: {},
    messagesReceived: {},
    bytesSent: {},
    bytesReceived: {},
    messagesDropped: {},
    messagesUnhandled: {},
    handlerErrors: {},
    throttled: 0,
    requestsSent: {},
    requestsFailed: {},
    requestsServed: {},
    requestsRefused: {},
    answerBytes: 0,
    answersBrokenOff: 0,
  };
}
