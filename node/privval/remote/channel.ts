/** Bytes in order over a socket, read when they are wanted: what nobody reads stays in the kernel. */
import type { Socket } from 'node:net';
import { LedgerError } from '../../../core/errors.ts';

/** A stream of bytes to one other process. One read at a time. */
export interface ByteChannel {
  /**
   * The next bytes, exactly so many; never more than a message or a frame may have.
   * @throws LedgerError `privval.closed` when the channel ends before them
   */
  read(length: number): Promise<Uint8Array>;
  /** Resolves when the bytes are with the system. Writes keep their order. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the channel; pending reads and writes fail with the reason. */
  destroy(reason?: LedgerError): void;
  /** Resolves once, when the channel is over for whatever reason. */
  readonly ended: Promise<void>;
}

interface PendingRead {
  readonly length: number;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/** A socket in the clear. */
export class SocketChannel implements ByteChannel {
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  #pending: PendingRead | undefined;
  #failure: LedgerError | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('readable', () => this.#serve());
    socket.on('end', () => this.#fail(closed('the other side closed the connection')));
    socket.on('error', (error) => this.#fail(closed(error.message, error)));
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        this.#fail(closed('the connection is closed'));
        resolve();
      });
    });
  }

  read(length: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#pending = { length, resolve, reject };
      this.#serve();
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#socket.write(bytes, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(this.#failure ?? closed(error.message, error));
      });
    });
  }

  destroy(reason?: LedgerError): void {
    this.#fail(reason ?? closed('the connection is closed'));
  }

  #serve(): void {
    const pending = this.#pending;
    if (pending === undefined) {
      this.#socket.read(0); // lets the end of the stream be noticed while nobody reads
      return;
    }
    const bytes: unknown = this.#socket.read(pending.length);
    if (!(bytes instanceof Uint8Array)) return; // not there yet
    this.#pending = undefined;
    if (bytes.length === pending.length) pending.resolve(Uint8Array.from(bytes));
    else this.#fail(closed('the other side closed the connection in the middle of a message'), pending);
  }

  #fail(reason: LedgerError, pending: PendingRead | undefined = this.#pending): void {
    this.#failure ??= reason;
    this.#pending = undefined;
    pending?.reject(this.#failure);
    this.#socket.destroy();
  }
}

function closed(why: string, cause?: unknown): LedgerError {
  return new LedgerError('privval.closed', why, {}, cause);
}
