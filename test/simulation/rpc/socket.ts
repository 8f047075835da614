/** A client's end of a websocket: what the node writes leaves as fast as the client reads. */
import type { ClientSocket } from '../../../node/rpc/transport/websocket.ts';
import type { Timers } from '../../../p2p/timers.ts';

/** How a client is connected. */
export interface SocketOptions {
  /** Of the node's process: they end with it. */
  readonly timers: Timers;
  /** Bytes that the client takes in a millisecond; 0: it takes none. */
  readonly bytesPerMs: number;
  readonly onText: (text: string) => void;
  readonly onClose: () => void;
}

const OPEN = 1;
const CLOSED = 3;
const LEAST_MS = 1;

/** See the file comment. */
export class SimSocket implements ClientSocket {
  readonly OPEN: number = OPEN;
  readyState: number = OPEN;
  isPaused = false;
  bufferedAmount = 0;
  /** Characters of the longest text that the node has sent. */
  longestSent = 0;
  readonly #options: SocketOptions;
  readonly #leaving: { readonly text: string; readonly sent: () => void }[] = [];
  #unread: string[] = [];
  #message: (data: { toString(): string }, isBinary: boolean) => void = () => undefined;
  #pong: () => void = () => undefined;
  #closed: () => void = () => undefined;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  /** The client says something. */
  say(text: string): void {
    if (this.isPaused) this.#unread.push(text);
    else if (this.readyState === OPEN) this.#message(text, false);
  }

  /** The client hangs up. */
  hangUp(): void {
    this.#end();
  }

  send(text: string, sent: () => void): void {
    this.bufferedAmount += text.length;
    this.longestSent = Math.max(this.longestSent, text.length);
    this.#leaving.push({ text, sent });
    if (this.#leaving.length === 1) this.#leave();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    while (!this.isPaused && this.readyState === OPEN) {
      const text = this.#unread.shift();
      if (text === undefined) return;
      this.#message(text, false);
    }
  }

  ping(): void {
    this.#options.timers.after(LEAST_MS, () => this.#pong());
  }

  close(): void {
    this.#end();
  }

  terminate(): void {
    this.#end();
  }

  on(event: string, listener: (...args: never[]) => void): void;
  on(event: 'message' | 'pong' | 'close' | 'error', listener: () => void): void {
    if (event === 'message') this.#message = listener;
    else if (event === 'pong') this.#pong = listener;
    else if (event === 'close') this.#closed = listener;
  }

  #leave(): void {
    const next = this.#leaving[0];
    const { bytesPerMs, timers, onText } = this.#options;
    if (next === undefined || bytesPerMs === 0) return;
    timers.after(Math.max(LEAST_MS, next.text.length / bytesPerMs), () => {
      if (this.readyState !== OPEN) return;
      this.#leaving.shift();
      this.bufferedAmount -= next.text.length;
      onText(next.text);
      next.sent();
      this.#leave();
    });
  }

  #end(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#unread = [];
    this.#closed();
    this.#options.onClose();
  }
}
