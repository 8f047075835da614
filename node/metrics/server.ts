import type { Server } from 'node:http';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { NodeMetrics } from './metrics.ts';
import type { MetricsLogger } from './ports.ts';

/** As in `rpc/server.ts`: an `import` would load more than a server needs. */
const { createServer } = process.getBuiltinModule('node:http');

/** Scrapes at once; Prometheus itself needs one. */
const CONNECTIONS_MAX = 16;
const TIMEOUT_MS = 10_000;

/** Where it listens. */
export interface MetricsServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Serves `/metrics`. */
export class MetricsServer {
  readonly #options: MetricsServerOptions;
  readonly #logger: MetricsLogger;
  readonly #server: Server;
  #port: number;

  constructor(
    ports: { readonly metrics: Pick<NodeMetrics, 'text' | 'registry'>; readonly logger: MetricsLogger },
    options: MetricsServerOptions,
  ) {
    this.#options = options;
    this.#port = options.port;
    this.#logger = ports.logger;
    this.#server = createServer(
      { requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS },
      (request, response) => {
        if (request.url !== '/metrics' && request.url !== '/') {
          response.writeHead(404).end();
          return;
        }
        ports.metrics.text().then(
          (text) => response.writeHead(200, { 'Content-Type': ports.metrics.registry.contentType }).end(text),
          (error: unknown) => {
            ports.logger.error({ error: messageOf(error) }, 'metrics could not be collected');
            response.writeHead(500).end();
          },
        );
      },
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** The port that is listened on. */
  get port(): number {
    return this.#port;
  }

  /** @throws LedgerError `metrics.listen` when the port is taken or the address is not ours */
  async start(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => {
        const message =
          `metrics cannot listen on ${host}:${port}: ${messageOf(error)}. ` +
          'Choose another port (instrumentation.prometheus_listen_addr).';
        reject(new LedgerError('metrics.listen', message, { host, port }, error));
      });
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    this.#logger.info({ host, port: this.#port }, 'metrics are served');
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}
