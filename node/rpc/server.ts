/** The RPC server: one table of methods behind POST, URI and websocket. */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { RpcConfig } from './config.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Method } from './method.ts';
import { applicationMethods } from './methods/application.ts';
import { evidenceMethods } from './methods/evidence.ts';
import { blockMethods } from './methods/blocks.ts';
import { consensusMethods } from './methods/consensus.ts';
import { nodeMethods } from './methods/node.ts';
import { subscriptionMethods } from './methods/subscriptions.ts';
import { transactionMethods } from './methods/transactions.ts';
import type { RpcPorts } from './ports.ts';
import { HttpHandler } from './transport/http.ts';
import { WebsocketConnection } from './transport/websocket.ts';

/**
 * Not by `import`: that reads every export of the module, and one of them, `WebSocket`, loads the whole of
 * `fetch`: 59 ms of processor time instead of 5 (the least of three, on a busy machine).
 */
const { createServer } = process.getBuiltinModule('node:http');

const WEBSOCKET_PATH = '/websocket';
/** How often headers that do not end are looked for. */
const CONNECTION_CHECK_MS = 1000;
/** How long a stopping server waits for answers under way. */
const STOP_WAIT_MS = 2000;

/** The whole API, as a table. */
export function rpcMethods(ports: RpcPorts, config: RpcConfig, address: () => string): readonly Method[] {
  const identity = { reportedVersion: config.reportedVersion, address };
  return [
    ...nodeMethods(ports, identity),
    ...blockMethods(ports),
    ...transactionMethods(ports, config),
    ...consensusMethods(ports),
    ...applicationMethods(ports, identity),
    ...evidenceMethods(ports),
    ...subscriptionMethods(ports, config),
  ];
}

/** What requests are answered from. */
interface Serving {
  readonly ports: RpcPorts;
  readonly dispatcher: Dispatcher;
  readonly handler: HttpHandler;
}

/** The server. */
export class RpcServer {
  readonly #config: RpcConfig;
  #serving: Serving;
  readonly #server: Server;
  readonly #websockets: WebSocketServer;
  readonly #connections = new Set<WebsocketConnection>();
  #nextClient = 1;
  #port: number;
  #checkTimer: NodeJS.Timeout | undefined;

  constructor(ports: RpcPorts, config: RpcConfig) {
    this.#config = config;
    this.#port = config.port;
    this.#serving = this.#over(ports);
    this.#server = createServer({
      maxHeaderSize: config.headerBytesMax,
      requestTimeout: config.readTimeoutMs,
      headersTimeout: config.readTimeoutMs,
      keepAliveTimeout: config.readTimeoutMs,
      connectionsCheckingInterval: CONNECTION_CHECK_MS,
    });
    this.#server.maxConnections = config.connectionsMax;
    this.#server.on('request', (request, response) => void this.#serving.handler.handle(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#websockets = new WebSocketServer({
      noServer: true,
      maxPayload: config.bodyBytesMax,
      perMessageDeflate: false,
    });
  }

  /**
   * Answers from these ports from now on. Requests under way end as they began; websockets are closed,
   * because what they would wait for does not come any more.
   */
  use(ports: RpcPorts): void {
    this.#serving = this.#over(ports);
    for (const connection of this.#connections) connection.close();
  }

  #over(ports: RpcPorts): Serving {
    const config = this.#config;
    const { logger } = ports;
    const methods = rpcMethods(ports, config, () => `tcp://${config.host}:${this.#port}`);
    const dispatcher = new Dispatcher({ methods, logger });
    return { ports, dispatcher, handler: new HttpHandler({ dispatcher, config, logger }) };
  }

  /** The port that is listened on. */
  get port(): number {
    return this.#port;
  }

  /**
   * Starts to listen.
   * @throws LedgerError `rpc.listen` when the port is taken or the address is not ours
   */
  async start(): Promise<void> {
    const { host, port } = this.#config;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => {
        const message = `RPC cannot listen on ${host}:${port}: ${messageOf(error)}. Choose another port (rpc.laddr).`;
        reject(new LedgerError('rpc.listen', message, { host, port }, error));
      });
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    const { logger } = this.#serving.ports;
    this.#server.on('error', (error) => logger.error({ error: messageOf(error) }, 'RPC server'));
    this.#checkTimer = setInterval(() => {
      for (const connection of this.#connections) connection.check();
    }, this.#config.websocket.pingPeriodMs);
    this.#checkTimer.unref();
    logger.info({ host, port: this.#port }, 'RPC is listening');
  }

  /** Takes no more requests, lets those under way end, and closes every connection. */
  async stop(): Promise<void> {
    clearInterval(this.#checkTimer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.close();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const socket of this.#websockets.clients) socket.terminate();
      this.#server.closeAllConnections();
    }, STOP_WAIT_MS);
    await closed;
    clearTimeout(timer);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = (request.url ?? '').split('?')[0];
    if (path !== WEBSOCKET_PATH) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#websockets.handleUpgrade(request, socket, head, (client) => this.#connect(client, request.socket));
  }

  #connect(socket: WebSocket, remote: Socket): void {
    // Numbered, because a port can come again before the old connection's subscriptions are gone.
    const client = `${remote.remoteAddress ?? ''}:${remote.remotePort ?? 0}#${this.#nextClient++}`;
    const { dispatcher, ports } = this.#serving;
    const connection = new WebsocketConnection(socket, client, {
      dispatcher,
      events: ports.events,
      config: this.#config,
      logger: ports.logger,
      nowMs: Date.now,
    });
    this.#connections.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
  }
}
