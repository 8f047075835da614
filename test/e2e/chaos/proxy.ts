/**
 * A wire between two nodes that can be cut: a TCP proxy on the loopback. A cut either stalls (bytes stay
 * where they are, connections stay open, as when a cable is pulled) or resets (connections end, new ones are
 * refused).
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** How a wire is cut. */
export type Cut = 'stall' | 'reset';

const LOOPBACK = '127.0.0.1';

interface Connection {
  readonly near: Socket;
  /** To the target; undefined while the wire has been cut since the connection came. */
  far: Socket | undefined;
}

/** One wire: what connects to `port` reaches the target. */
export class Wire {
  readonly port: number;
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #connections: Set<Connection> = new Set();
  #cut: Cut | undefined;

  private constructor(server: Server, ports: { readonly own: number; readonly target: number }) {
    this.#server = server;
    this.port = ports.own;
    this.#targetPort = ports.target;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** Opens one on any free port. */
  static async to(targetPort: number): Promise<Wire> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: LOOPBACK, port: 0 }, resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a proxy has no port');
    return new Wire(server, { own: address.port, target: targetPort });
  }

  cut(how: Cut): void {
    this.#cut = how;
    for (const connection of this.#connections) {
      if (how === 'reset') this.#end(connection);
      else {
        connection.near.pause();
        connection.far?.pause();
      }
    }
  }

  heal(): void {
    this.#cut = undefined;
    for (const connection of this.#connections) {
      if (connection.far === undefined) this.#connectFar(connection);
      connection.near.resume();
      connection.far?.resume();
    }
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) this.#end(connection);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(near: Socket): void {
    if (this.#cut === 'reset') {
      near.destroy();
      return;
    }
    const connection: Connection = { near, far: undefined };
    this.#connections.add(connection);
    near.on('error', () => this.#end(connection));
    near.on('close', () => this.#end(connection));
    if (this.#cut !== undefined) return; // `heal` connects it
    this.#connectFar(connection);
    near.resume();
  }

  #connectFar(connection: Connection): void {
    const { near } = connection;
    const far = connect({ host: LOOPBACK, port: this.#targetPort, allowHalfOpen: true });
    connection.far = far;
    far.on('error', () => this.#end(connection));
    far.on('close', () => this.#end(connection));
    this.#forward(near, far);
    this.#forward(far, near);
  }

  #forward(from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => {
        if (this.#cut === undefined) from.resume();
      });
    });
    from.on('end', () => to.end());
  }

  #end(connection: Connection): void {
    this.#connections.delete(connection);
    connection.near.destroy();
    connection.far?.destroy();
  }
}
