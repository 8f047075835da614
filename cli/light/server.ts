/** Serves a table of methods over POST and URI; no websocket, because nothing vouches for events. */
import { createServer } from 'node:http';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { DEFAULT_RPC_CONFIG, type RpcConfig } from '../../node/rpc/config.ts';
import { Dispatcher } from '../../node/rpc/dispatcher.ts';
import type { Method } from '../../node/rpc/method.ts';
import type { RpcLogger } from '../../node/rpc/ports.ts';
import { HttpHandler } from '../../node/rpc/transport/http.ts';

const STOP_WAIT_MS = 2000;

/** A server at work. */
export interface LightServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Listens.
 * @throws LedgerError `rpc.listen` when the port is taken or the address is not ours
 */
export async function serve(
  methods: readonly Method[],
  at: { readonly host: string; readonly port: number; readonly logger: RpcLogger },
): Promise<LightServer> {
  const { host, logger } = at;
  const config: RpcConfig = { ...DEFAULT_RPC_CONFIG, host, port: at.port };
  const dispatcher = new Dispatcher({ methods, logger });
  const handler = new HttpHandler({ dispatcher, config, logger });
  const server = createServer({
    maxHeaderSize: config.headerBytesMax,
    requestTimeout: config.readTimeoutMs,
    headersTimeout: config.readTimeoutMs,
  });
  server.maxConnections = config.connectionsMax;
  server.on('request', (request, response) => void handler.handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const message = `cannot listen on ${host}:${at.port}: ${messageOf(error)}. Choose another address (--laddr).`;
      reject(new LedgerError('rpc.listen', message, { host, port: at.port }, error));
    });
    server.listen(at.port, host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : at.port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), STOP_WAIT_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}
