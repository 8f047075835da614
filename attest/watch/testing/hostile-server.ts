/** Servers that do not do what they should. */
import { createServer, type RequestListener } from 'node:http';

/** A server on a free port. */
export interface HostileServer {
  readonly url: string;
  /** Requests that arrived. */
  readonly asked: () => number;
  /** Resolves when so many requests have arrived. */
  arrived(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one; the listener hears how many requests there were before this one. */
export async function hostileServer(
  listener: (before: number, ...about: Parameters<RequestListener>) => void,
): Promise<HostileServer> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    listener(asked - 1, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    asked: () => asked,
    async arrived(count) {
      while (asked < count) await new Promise((resolve) => setImmediate(resolve));
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
