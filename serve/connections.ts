/**
 * Connections of a server: how many an address has, and which answers they have not taken yet. Whoever reads
 * slowly or never holds a connection and an answer's memory, so both are bounded, for each address and in all.
 *
 * | what a client does | what becomes of it |
 * | --- | --- |
 * | more connections than one address may have | 429, closed (`address`) |
 * | more connections than there may be | closed (`full`) |
 * | requests ahead of their answers | answered in turn; more than a few: closed (`pipelined`) |
 * | asks, and does not read at a modest rate | closed when the answer's time is over (`stalled`) |
 * | sends no whole request | 408, closed (`request`) |
 */
import type { Server, ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { ServerLimits } from './limits.ts';

/** Why a connection was refused or closed. */
export type CutReason = 'address' | 'full' | 'pipelined' | 'stalled' | 'request';

/** Requests of one connection that are not answered yet, with the one that is being answered. */
const REQUESTS_MAX = 4;
/** Answers up to this size are sent whatever waits: somebody has to be told how it stands. */
const SMALL_BYTES = 1 << 16;

interface Peer {
  connections: number;
  unsentBytes: number;
}

interface Connection {
  readonly peer: Peer;
  readonly closed: Promise<void>;
  requests: number;
  /** Resolves when the last request so far is answered. */
  turn: Promise<void>;
}

/** What a server allows, and what is told of it. */
export interface ConnectionsOptions {
  readonly limits: ServerLimits;
  /** What codes of errors begin with. */
  readonly codespace: string;
  readonly onCut: (reason: CutReason) => void;
}

/** Keeps account of a server's connections. */
export class Connections {
  readonly #limits: ServerLimits;
  readonly #codespace: string;
  readonly #onCut: (reason: CutReason) => void;
  readonly #peers = new Map<string, Peer>();
  readonly #connections = new WeakMap<Socket, Connection>();
  #unsentBytes = 0;

  constructor(server: Server, { limits, codespace, onCut }: ConnectionsOptions) {
    this.#limits = limits;
    this.#codespace = codespace;
    this.#onCut = onCut;
    server.maxConnections = limits.connectionsMax;
    server.on('drop', () => onCut('full'));
    server.on('connection', (socket: Socket) => this.#open(socket));
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
      if (isLate) onCut('request');
      if (socket.writable)
        socket.write(refusal(codespace, isLate ? '408 Request Timeout' : '400 Bad Request'));
      socket.destroy();
    });
  }

  /** Bytes of answers that clients have not taken. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /**
   * Runs what answers a request when those before it on its connection are answered: answers that wait for
   * each other would all be held. It is over when its answer has left or its connection is closed.
   */
  async inTurn(socket: Socket, response: ServerResponse, answer: () => Promise<void>): Promise<void> {
    const connection = this.#connections.get(socket);
    if (connection === undefined || socket.writableEnded) return;
    if (connection.requests >= REQUESTS_MAX) {
      if (!socket.destroyed) this.#cut(socket, 'pipelined');
      return;
    }
    connection.requests++;
    const over = Promise.race([
      connection.closed,
      new Promise<void>((resolve) => response.once('close', resolve)),
    ]);
    const before = connection.turn;
    connection.turn = over.then(() => {
      connection.requests--;
    });
    await before;
    if (!socket.destroyed) await answer();
  }

  /**
   * Takes an answer into account until it has left; false when too much waits already. From then on it has to
   * be read at the least rate, or its connection is closed.
   */
  admit(socket: Socket, response: ServerResponse, bytes: number): boolean {
    const connection = this.#connections.get(socket);
    if (connection === undefined || socket.destroyed) return true; // it is not sent at all
    const { peer } = connection;
    const { unsentBytesMax, unsentBytesPerAddressMax, sendMs, sendBytesPerSecondMin } = this.#limits;
    // One answer may be larger than all that may wait: then it is alone.
    const fits = (waiting: number, most: number): boolean => waiting === 0 || waiting + bytes <= most;
    if (bytes > SMALL_BYTES) {
      if (!fits(peer.unsentBytes, unsentBytesPerAddressMax)) return false;
      if (!fits(this.#unsentBytes, unsentBytesMax)) return false;
    }
    peer.unsentBytes += bytes;
    this.#unsentBytes += bytes;
    const timer = setTimeout(
      () => this.#cut(socket, 'stalled'),
      sendMs + (bytes / sendBytesPerSecondMin) * 1000,
    );
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      peer.unsentBytes -= bytes;
      this.#unsentBytes -= bytes;
    };
    response.once('close', end);
    void connection.closed.then(end);
    return true;
  }

  #open(socket: Socket): void {
    const key = peerKey(socket.remoteAddress ?? '');
    const peer = this.#peers.get(key) ?? { connections: 0, unsentBytes: 0 };
    const { connectionsPerAddressMax } = this.#limits;
    if (peer.connections >= connectionsPerAddressMax) {
      this.#onCut('address');
      const sentence = `there are ${connectionsPerAddressMax} connections of your address already`;
      socket.write(refusal(this.#codespace, '429 Too Many Requests', sentence));
      socket.destroySoon();
      return;
    }
    this.#peers.set(key, peer);
    peer.connections++;
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        peer.connections--;
        if (peer.connections === 0) this.#peers.delete(key);
        resolve();
      });
    });
    this.#connections.set(socket, { peer, closed, requests: 0, turn: Promise.resolve() });
  }

  #cut(socket: Socket, reason: CutReason): void {
    this.#onCut(reason);
    socket.destroy();
  }
}

function refusal(codespace: string, status: string, message = status): string {
  const body = `${JSON.stringify({ error: { code: `${codespace}.connection`, message } })}\n`;
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${length}\r\nConnection: close\r\n\r\n${body}`;
}

/** Who an address belongs to: of IPv6 the first 64 bits, of which a single host has all that follow. */
export function peerKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail = ''] = (plain.split('%')[0] ?? '').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === '' ? [] : tail.split(':');
  const groups = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last];
  return groups.slice(0, 4).join(':');
}
