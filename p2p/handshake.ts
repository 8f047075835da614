/** A connection on its way to a session. */
import type { Connection } from '@libp2p/interface';
import type { Session } from './session.ts';

/** Streams that may wait for a handshake to end. */
export const STREAMS_WAITING_MAX = 16;

/** A connection before it is a session. */
export class Handshake {
  readonly connection: Connection;
  readonly waiting: ((session: Session) => void)[] = [];
  readonly done: Promise<void>;
  cancelTimeout: () => void = () => undefined;
  readonly #resolvers: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(connection: Connection) {
    this.connection = connection;
    this.done = this.#resolvers.promise;
    this.done.catch(() => undefined);
  }

  finish(): void {
    this.cancelTimeout();
    this.#resolvers.resolve();
  }

  fail(error: unknown): void {
    this.cancelTimeout();
    this.#resolvers.reject(error);
  }
}
