/**
 * A websocket connection: JSON-RPC in text frames, answers and events out. Reading pauses while too many
 * requests are being answered or too much waits to be taken; a client that takes nothing, or is silent, is
 * cut off.
 */
import type { RpcConfig } from '../config.ts';
import type { Dispatcher } from '../dispatcher.ts';
import { parseError, RpcError } from '../errors.ts';
import { errorText, NO_ID, readRequests } from '../message.ts';
import type { Connection } from '../method.ts';
import type { EventSource, RpcLogger } from '../ports.ts';

/** What a connection is made of. */
export interface WebsocketOptions {
  readonly dispatcher: Dispatcher;
  readonly events: EventSource;
  readonly config: RpcConfig;
  readonly logger: RpcLogger;
  readonly nowMs: () => number;
}

/** What a connection does with its socket: a part of a WebSocket of `ws`. */
export interface ClientSocket {
  readonly readyState: number;
  readonly OPEN: number;
  /** Bytes that are on their way. */
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  /** Calls back when the text has left. */
  send(text: string, sent: () => void): void;
  pause(): void;
  resume(): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'message', listener: (data: { toString(): string }, isBinary: boolean) => void): unknown;
  on(event: 'pong' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** One client. */
export class WebsocketConnection implements Connection {
  readonly client: string;
  readonly #socket: ClientSocket;
  readonly #options: WebsocketOptions;
  readonly #drainCallbacks: (() => void)[] = [];
  #running = 0;
  #lastReadMs: number;
  /** Since when nothing of what waits was taken; undefined when nothing waits. */
  #waitsSinceMs: number | undefined;

  constructor(socket: ClientSocket, client: string, options: WebsocketOptions) {
    this.client = client;
    this.#socket = socket;
    this.#options = options;
    this.#lastReadMs = options.nowMs();
    socket.on('message', (data, isBinary) => {
      this.#lastReadMs = options.nowMs();
      if (isBinary) this.send(errorText(NO_ID, parseError('error unmarshaling request: binary frame')));
      else void this.#answer(data.toString());
    });
    socket.on('pong', () => {
      this.#lastReadMs = options.nowMs();
    });
    socket.on('error', (error) => {
      options.logger.debug({ client, error: error.message }, 'websocket failed');
    });
    socket.on('close', () => {
      if (options.events.subscriptionCount(client) > 0) options.events.unsubscribeAll(client);
    });
  }

  send(text: string): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return false;
    this.#socket.send(text, () => this.#sent());
    if (this.#socket.bufferedAmount > 0) this.#waitsSinceMs ??= this.#options.nowMs();
    return !this.#isClogged();
  }

  onDrain(callback: () => void): void {
    this.#drainCallbacks.push(callback);
  }

  /** Pings, and cuts off who is silent or takes nothing. Called every so often. */
  check(): void {
    const { readWaitMs, writeWaitMs } = this.#options.config.websocket;
    const now = this.#options.nowMs();
    const isSilent = now - this.#lastReadMs > readWaitMs;
    const isStuck = this.#waitsSinceMs !== undefined && now - this.#waitsSinceMs > writeWaitMs;
    if (isSilent || isStuck) {
      const reason = isSilent ? 'nothing came from the client' : 'the client takes nothing';
      this.#options.logger.info({ client: this.client, reason }, 'websocket closed');
      this.#socket.terminate();
    } else if (this.#socket.readyState === this.#socket.OPEN) {
      this.#socket.ping();
    }
  }

  /** Says goodbye. */
  close(): void {
    this.#socket.close(1001, 'node is stopping');
  }

  async #answer(text: string): Promise<void> {
    const { dispatcher, config } = this.#options;
    try {
      // One request per frame, as CometBFT takes them; batches are for POST.
      if (text.trimStart().startsWith('['))
        throw parseError('error unmarshaling request: batches are not taken here');
      const { requests } = readRequests(text, { jsonDepthMax: config.jsonDepthMax, batchMax: 1 });
      for (const request of requests) {
        this.#begin();
        const context = { remote: this.client, connection: this, id: request.id };
        const answer = await dispatcher.answerRequest(request, context);
        this.send(answer.text);
        this.#end();
      }
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.send(errorText(NO_ID, error));
    }
  }

  #begin(): void {
    this.#running++;
    if (this.#running >= this.#options.config.websocket.requestsMax) this.#socket.pause();
  }

  #end(): void {
    this.#running--;
    this.#resumeReading();
  }

  #isClogged(): boolean {
    if (this.#socket.bufferedAmount <= this.#options.config.websocket.bufferedBytesMax) return false;
    this.#socket.pause();
    return true;
  }

  #sent(): void {
    this.#waitsSinceMs = this.#socket.bufferedAmount > 0 ? this.#options.nowMs() : undefined;
    if (this.#socket.bufferedAmount > this.#options.config.websocket.bufferedBytesMax / 2) return;
    for (const callback of this.#drainCallbacks.splice(0)) callback();
    this.#resumeReading();
  }

  #resumeReading(): void {
    const { requestsMax, bufferedBytesMax } = this.#options.config.websocket;
    if (!this.#socket.isPaused) return;
    if (this.#running < requestsMax && this.#socket.bufferedAmount <= bufferedBytesMax) this.#socket.resume();
  }
}
