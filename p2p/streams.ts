/** libp2p streams as this project uses them: frames in, frames out, with back-pressure both ways. */
import type { Stream } from '@libp2p/interface';
import { DecodeError, LedgerError, messageOf } from '../core/errors.ts';
import { type DeadlineOptions, MovingDeadline } from './deadline.ts';
import { encodeFrame, FrameDecoder } from './frame.ts';
import type { ChannelSpec } from './network.ts';
import { SendQueue } from './sendqueue.ts';
import { systemTimers } from './timers.ts';

/** An answer is handed to its stream in pieces of this; each costs a wait for the other end. */
const PIECE_BYTES = 1024 * 1024;
/** Small frames are joined up to this before they are encrypted. */
const CHUNK_BYTES_MAX = 64 * 1024;

/**
 * A signal that aborts after a time unless it is cancelled: `AbortSignal.timeout` would make its error
 * either way.
 */
export class Deadline extends MovingDeadline {
  readonly signal: AbortSignal;

  constructor(options: DeadlineOptions) {
    const controller = new AbortController();
    super(systemTimers, options, () => controller.abort(new LedgerError('p2p.timeout', 'not done in time')));
    this.signal = controller.signal;
  }
}

/**
 * The one frame that the stream brings.
 * @throws DecodeError when it is malformed
 * @throws LedgerError `p2p.stream_ended` when the stream ends before it is whole
 */
export function readFrame(stream: Stream, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
  const decoder = new FrameDecoder(bytesMax);
  return new Promise((resolve, reject) => {
    const onMessage = (event: { readonly data: { subarray(): Uint8Array } }): void => {
      try {
        decoder.push(event.data.subarray());
        const frame = decoder.next();
        if (frame !== undefined) finish(() => resolve(frame));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const onEnd = (): void =>
      finish(() => reject(new LedgerError('p2p.stream_ended', 'stream ended before a whole frame')));
    const onAbort = (): void => finish(() => reject(signal.reason));
    const finish = (settle: () => void): void => {
      stream.removeEventListener('message', onMessage);
      stream.removeEventListener('end', onEnd);
      stream.removeEventListener('close', onEnd);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    stream.addEventListener('end', onEnd);
    stream.addEventListener('close', onEnd);
    stream.addEventListener('message', onMessage);
  });
}

/** What writing needs of a stream. */
export interface Outlet {
  readonly writableNeedsDrain: boolean;
  readonly writeBufferLength: number;
  readonly status: string;
  send(bytes: Uint8Array): boolean;
  addEventListener(event: 'drain' | 'close', listener: () => void): void;
  removeEventListener(event: 'drain' | 'close', listener: () => void): void;
}

/**
 * Resolves when the stream takes bytes again; `progressed` is called whenever some went. Not `stream.onDrain()`: after its first use that resolves at
 * once, and the stream would buffer without bound.
 */
async function drained(stream: Outlet, signal: AbortSignal, progressed?: () => void): Promise<void> {
  while (stream.writableNeedsDrain) {
    signal.throwIfAborted();
    if (stream.status !== 'open') throw new LedgerError('p2p.stream_closed', 'stream was closed');
    await new Promise<void>((resolve, reject) => {
      const onDrain = (): void => finish(resolve);
      const onClose = (): void =>
        finish(() => reject(new LedgerError('p2p.stream_closed', 'stream was closed')));
      const onAbort = (): void => finish(() => reject(new LedgerError('p2p.stalled', 'peer takes no bytes')));
      const finish = (settle: () => void): void => {
        stream.removeEventListener('drain', onDrain);
        stream.removeEventListener('close', onClose);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      stream.addEventListener('drain', onDrain);
      stream.addEventListener('close', onClose);
      signal.addEventListener('abort', onAbort);
    });
    progressed?.();
  }
}

/** Writes one frame, waiting as long as the signal allows for the other end to take it. */
export async function writeFrame(stream: Stream, payload: Uint8Array, signal: AbortSignal): Promise<void> {
  if (!stream.send(encodeFrame(payload))) await drained(stream, signal);
}

/**
 * Writes one frame in pieces, each when the other end has taken most of those before: what the stream copies
 * is small. `taken` hears of bytes as they go, also of parts of a piece: how fast a peer reads is known long
 * before it has read a whole one.
 */
export async function writePieces(
  stream: Outlet,
  frame: Uint8Array,
  { signal, taken }: { readonly signal: AbortSignal; readonly taken: (bytes: number) => void },
): Promise<void> {
  let told = 0;
  const tell = (gone: number): void => {
    if (gone > told) taken(gone - told);
    told = Math.max(told, gone);
  };
  for (let at = 0; at < frame.length; at += PIECE_BYTES) {
    const piece = frame.subarray(at, at + PIECE_BYTES);
    const end = at + piece.length;
    if (!stream.send(piece)) await drained(stream, signal, () => tell(end - stream.writeBufferLength));
    tell(end);
  }
}

/** What a sender needs: how to open its stream, and whom to tell when the stream fails. */
export interface SenderOptions {
  readonly spec: ChannelSpec;
  readonly stallTimeoutMs: number;
  readonly open: () => Promise<Stream>;
  readonly onFailed: (reason: string) => void;
  /** Books bytes; returns for how many milliseconds to send nothing more. */
  readonly book: (bytes: number) => number;
}

/** The outbound stream of one channel to one peer: opened with the first message, then kept. */
export class ChannelSender {
  readonly #options: SenderOptions;
  readonly #queue: SendQueue;
  #stream: Stream | undefined;
  #pumping = false;
  #closed = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#queue = new SendQueue(options.spec.queueBytesMax);
  }

  /** Queues an encoded frame; false when it does not fit. */
  push(frame: Uint8Array): boolean {
    if (this.#closed || !this.#queue.push(frame)) return false;
    if (!this.#pumping) {
      this.#pumping = true;
      // A microtask later, so that what one step of a reactor sends travels together.
      queueMicrotask(() => void this.#pump());
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#queue.clear();
  }

  async #pump(): Promise<void> {
    try {
      this.#stream ??= await this.#open();
      for (let chunk = this.#take(); chunk !== undefined; chunk = this.#take()) {
        const taken = this.#stream.send(chunk);
        const waitMs = this.#options.book(chunk.length);
        if (waitMs > 0) await new Promise<void>((resolve) => void systemTimers.after(waitMs, resolve));
        if (taken) continue;
        const deadline = new Deadline({ timeoutMs: this.#options.stallTimeoutMs });
        await drained(this.#stream, deadline.signal).finally(() => deadline.cancel());
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#pumping = false;
    }
  }

  #take(): Uint8Array | undefined {
    return this.#closed ? undefined : this.#queue.take(CHUNK_BYTES_MAX);
  }

  async #open(): Promise<Stream> {
    const stream = await this.#options.open();
    stream.addEventListener('close', () =>
      this.#fail(new LedgerError('p2p.stream_closed', 'stream was closed')),
    );
    return stream;
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    // A peer of another version may lack a channel: it hears nothing there, and keeps the others.
    if (error instanceof Error && error.name === 'UnsupportedProtocolError') return;
    this.#options.onFailed(`channel ${this.#options.spec.name}: ${messageOf(error)}`);
  }
}

/** What a receiver needs: where messages go, and whom to tell of malformed ones. */
export interface ReceiverOptions {
  readonly spec: ChannelSpec;
  readonly deliver: (bytes: Uint8Array) => Promise<void> | undefined;
  readonly onMalformed: (reason: string) => void;
  /** Books a message; returns for how many milliseconds to read nothing more. */
  readonly book: (bytes: number) => number;
}

/**
 * Reads the inbound stream of one channel from one peer. Stops reading while too many handlers are
 * unresolved.
 */
export function receiveChannel(stream: Stream, options: ReceiverOptions): void {
  const { spec, deliver, onMalformed, book } = options;
  const decoder = new FrameDecoder(spec.messageBytesMax);
  let inFlight = 0;
  let throttled = false;
  let paused = false;
  let failed = false;
  const isFull = (): boolean => throttled || inFlight >= spec.inFlightMax;

  const fail = (error: unknown): void => {
    failed = true;
    stream.abort(new LedgerError('p2p.malformed', 'malformed frame'));
    onMalformed(`channel ${spec.name}: ${messageOf(error)}`);
  };

  const drain = (): void => {
    try {
      while (!failed && !isFull()) {
        const frame = decoder.next();
        if (frame === undefined) break;
        const waitMs = book(frame.length);
        if (waitMs > 0) throttle(waitMs);
        const pending = deliver(frame);
        if (pending === undefined) continue;
        inFlight++;
        void pending.then(() => {
          inFlight--;
          drain();
        });
      }
    } catch (error) {
      if (error instanceof DecodeError) fail(error);
      else throw error;
    }
    // A microtask later: to pause within `resume` would leave the muxer's window open.
    queueMicrotask(updatePause);
  };

  const throttle = (waitMs: number): void => {
    throttled = true;
    systemTimers.after(waitMs, () => {
      throttled = false;
      drain();
    });
  };

  const updatePause = (): void => {
    if (failed || stream.readStatus === 'closed' || stream.readStatus === 'closing') return;
    const full = isFull();
    if (full && !paused) {
      paused = true;
      stream.pause();
    } else if (!full && paused) {
      paused = false;
      stream.resume();
    }
  };

  stream.addEventListener('message', (event) => {
    if (failed) return;
    decoder.push(event.data.subarray());
    drain();
  });
  stream.addEventListener('end', () => {
    if (!failed && decoder.pendingBytes > 0 && !isFull() && stream.status !== 'reset')
      onMalformed(`channel ${spec.name}: stream ended within a frame`);
  });
}
