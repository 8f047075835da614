/** The ports of a devnet: fixed ones that follow from the first, or any free ones. */
import { createServer, type Server } from 'node:net';
import { LedgerError } from '../../core/errors.ts';
import { systemCode } from '../failure.ts';

/** The ports of one node. */
export interface NodePorts {
  readonly rpc: number;
  readonly p2p: number;
}

/** All servers of a devnet listen here. */
export const LOOPBACK = '127.0.0.1';
/** From one node's ports to the next's. */
const PORT_STEP = 10;
const ATTEMPTS_MAX = 20;
const START_ATTEMPTS_MAX = 3;

/**
 * Ports for so many nodes, all free at this moment. Node i has RPC at `rpcPort + 10 i` and peers one below.
 * @throws LedgerError `devnet.port` naming the one that is taken
 */
export async function choosePorts(options: {
  readonly nodes: number;
  /** 0: any free ones. */
  readonly rpcPort: number;
}): Promise<readonly NodePorts[]> {
  const held: Server[] = [];
  const hold = async (port: number, what: string): Promise<number> => {
    const server = await listen(port, what);
    held.push(server);
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  };
  try {
    const ports: NodePorts[] = [];
    for (let i = 0; i < options.nodes; i++) {
      const rpc = options.rpcPort === 0 ? 0 : options.rpcPort + PORT_STEP * i;
      ports.push({
        rpc: await hold(rpc, `RPC of node${i}`),
        p2p: await hold(rpc === 0 ? 0 : rpc - 1, `peers of node${i}`),
      });
    }
    return ports;
  } finally {
    // All are held until the last is chosen: otherwise the system may give the same one twice.
    await Promise.all(held.map(close));
  }
}

/**
 * Starts what listens on ports that were chosen before. When any will do and one was taken in between, what
 * has started is undone and it starts again, with others.
 * @throws whatever the last attempt throws
 */
export async function withOtherPorts(options: {
  readonly start: () => Promise<void>;
  readonly undo: () => Promise<void>;
  readonly anyPort: boolean;
}): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await options.start();
    } catch (error) {
      const again = options.anyPort && systemCode(error) === 'EADDRINUSE' && attempt < START_ATTEMPTS_MAX;
      if (!again) throw error;
      await options.undo();
    }
  }
}

/**
 * The first of `port`, `port + step`, … that is free on a host; the first one when none of the next few is.
 */
export async function nextFreePort(from: {
  readonly host: string;
  readonly port: number;
  readonly step: number;
}): Promise<number> {
  for (let i = 0; i < ATTEMPTS_MAX; i++) {
    const port = from.port + from.step * i;
    if (await isFree(from.host, port)) return port;
  }
  return from.port;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function listen(port: number, what: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause) => {
      const taken = systemCode(cause) === 'EADDRINUSE';
      const message = taken
        ? `port ${port} (${what}) is taken; stop what uses it, or choose others with --rpc-port (0: any free ones)`
        : `cannot listen on port ${port} (${what}): ${cause.message}`;
      reject(new LedgerError('devnet.port', message, { port }, taken ? undefined : cause));
    });
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
