/** One peer on one connection, from the handshake to the end: its channels and its requests. */
import type { Connection, Stream } from '@libp2p/interface';
import { DecodeError, LedgerError, messageOf } from '../core/errors.ts';
import type { AnswerMemory, AnswerPlace } from './answer-memory.ts';
import { wireName } from './channels.ts';
import {
  count,
  type Dispatch,
  disconnectedError,
  openResponse,
  RESPONSE_PREFIX_BYTES,
  timeoutError,
} from './dispatch.ts';
import { FlowMeter, type Traffic } from './flow.ts';
import { encodeFrame } from './frame.ts';
import type { ChannelSpec, NetworkLimits, PeerInfo, ProtocolSpec, RequestOptions } from './network.ts';
import { RateMeter } from './rate.ts';
import { ChannelSender, Deadline, readFrame, receiveChannel, writeFrame, writePieces } from './streams.ts';
import { systemTimers } from './timers.ts';

type SessionLimits = Pick<
  NetworkLimits,
  'stallTimeoutMs' | 'answerBytesPerSecondMin' | 'receive' | 'send' | 'answers' | 'answerWaitMs'
>;

/** What a frame has beside an answer: its length, and the first byte of the response. */
const FRAME_BYTES_MORE = RESPONSE_PREFIX_BYTES + 4;

/** What a session needs of its network. */
export interface SessionOptions {
  readonly chainId: string;
  readonly connection: Connection;
  readonly peer: PeerInfo;
  readonly dispatch: Dispatch;
  readonly limits: SessionLimits;
  /** Of all sessions of the network. */
  readonly answerMemory: AnswerMemory;
  /** Ends the session; `penalized` when the peer is at fault. */
  readonly onFailed: (session: Session, reason: string, fault: boolean) => void;
}

/** A handshaken connection. */
export class Session {
  readonly peer: PeerInfo;
  readonly connection: Connection;
  readonly #options: SessionOptions;
  readonly #senders: Map<string, ChannelSender> = new Map();
  readonly #requesting: Map<string, number> = new Map();
  /** Of the requests under way: what arrives for one of them moves all. */
  readonly #deadlines: Set<Deadline> = new Set();
  readonly #meter: RateMeter;
  readonly #sendMeter: RateMeter;
  readonly #answerMeter: RateMeter;
  /** From when on the peer is answered again: then the answers so far are within their rates. */
  #answerDueMs = 0;
  readonly #sent: FlowMeter = new FlowMeter(systemTimers);
  readonly #received: FlowMeter = new FlowMeter(systemTimers);
  readonly #ended: AbortController = new AbortController();

  constructor(options: SessionOptions) {
    this.peer = options.peer;
    this.connection = options.connection;
    this.#options = options;
    const { receive, send, answers } = options.limits;
    this.#meter = new RateMeter(receive, systemTimers);
    this.#sendMeter = new RateMeter(send, systemTimers);
    this.#answerMeter = new RateMeter(answers, systemTimers);
  }

  traffic(): Traffic {
    return { sent: this.#sent.flow(), received: this.#received.flow() };
  }

  /** Queues an encoded frame; false when the queue is full. */
  send(channel: string, frame: Uint8Array): boolean {
    const { metrics } = this.#options.dispatch;
    const sender = this.#senders.get(channel) ?? this.#openSender(channel);
    if (!sender.push(frame)) {
      count(metrics.messagesDropped, channel);
      return false;
    }
    count(metrics.messagesSent, channel);
    count(metrics.bytesSent, channel, frame.length);
    this.#sent.count(frame.length);
    return true;
  }

  /** Reads a channel that the peer opened. */
  receive(spec: ChannelSpec, stream: Stream): void {
    const { dispatch, onFailed } = this.#options;
    receiveChannel(stream, {
      spec,
      deliver: (bytes) =>
        this.#ended.signal.aborted ? undefined : dispatch.deliver(this.peer, spec.name, bytes),
      onMalformed: (reason) => onFailed(this, reason, true),
      book: (bytes) => {
        this.#received.count(bytes);
        const waitMs = this.#meter.book(bytes);
        if (waitMs > 0) dispatch.metrics.throttled++;
        return waitMs;
      },
    });
  }

  async request(protocol: string, bytes: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    const { dispatch, chainId, onFailed } = this.#options;
    const spec = dispatch.protocol(protocol);
    const under = this.#requesting.get(protocol) ?? 0;
    if (under >= spec.concurrentMax)
      throw new LedgerError('p2p.busy', `too many ${protocol} requests are under way`, {
        peerId: this.peer.id,
      });
    this.#requesting.set(protocol, under + 1);
    count(dispatch.metrics.requestsSent, protocol);
    const bytesMax = spec.responseBytesMax * spec.concurrentMax;
    const deadline = new Deadline({ ...options, bytesMax });
    this.#deadlines.add(deadline);
    const signal = AbortSignal.any([deadline.signal, this.#ended.signal]);
    let stream: Stream | undefined;
    try {
      stream = await this.connection.newStream(wireName(chainId, spec), {
        signal,
        maxOutboundStreams: spec.concurrentMax,
      });
      await writeFrame(stream, bytes, signal);
      this.#sent.count(bytes.length);
      stream.addEventListener('message', ({ data }) => {
        for (const each of this.#deadlines) each.moved(data.byteLength);
      });
      const response = await readFrame(stream, spec.responseBytesMax + RESPONSE_PREFIX_BYTES, signal);
      this.#received.count(response.length);
      const answer = openResponse(protocol, response);
      await stream.close({ signal });
      return answer;
    } catch (error) {
      count(dispatch.metrics.requestsFailed, protocol);
      stream?.abort(new LedgerError('p2p.request_failed', 'request failed'));
      const timedOut = deadline.signal.aborted;
      const failure = this.#requestError(error, { protocol, timeoutMs: deadline.elapsedMs(), timedOut });
      // Whoever asked cannot tell a broken frame from a stream that broke: it is judged here.
      if (error instanceof DecodeError && !this.#ended.signal.aborted) onFailed(this, failure.message, true);
      throw failure;
    } finally {
      deadline.cancel();
      this.#deadlines.delete(deadline);
      this.#requesting.set(protocol, (this.#requesting.get(protocol) ?? 1) - 1);
    }
  }

  /** Answers a request that the peer opened. */
  async serve(protocol: string, stream: Stream): Promise<void> {
    const { dispatch, limits, onFailed } = this.#options;
    const spec = dispatch.protocol(protocol);
    const { stallTimeoutMs: timeoutMs, answerBytesPerSecondMin: bytesPerSecondMin } = limits;
    const deadline = new Deadline({ timeoutMs, bytesPerSecondMin });
    const brokenOff = new AbortController();
    const signal = AbortSignal.any([deadline.signal, this.#ended.signal, brokenOff.signal]);
    let place: AnswerPlace | undefined;
    try {
      const request = await readFrame(stream, spec.requestBytesMax, signal);
      this.#received.count(request.length);
      place = await this.#answerPlace(spec, signal, () => brokenOff.abort());
      signal.throwIfAborted();
      // Only the frame is held while the peer reads: it is what was counted.
      const frame = encodeFrame(
        place === undefined ? dispatch.busy(protocol) : await dispatch.answer(this.peer, protocol, request),
      );
      place?.made(frame.length);
      this.#bookAnswer(frame.length);
      const taken = (bytes: number): void => {
        deadline.moved(bytes);
        place?.taken(bytes);
      };
      await writePieces(stream, frame, { signal, taken });
      this.#sent.count(frame.length);
      await stream.close({ signal });
    } catch (error) {
      stream.abort(new LedgerError('p2p.request_failed', 'request failed'));
      if (error instanceof DecodeError && !this.#ended.signal.aborted)
        onFailed(this, `protocol ${protocol}: ${messageOf(error)}`, true);
    } finally {
      deadline.cancel();
      place?.release();
    }
  }

  /** Room for an answer, when it is the peer's turn; undefined when that takes too long. */
  async #answerPlace(
    spec: ProtocolSpec,
    signal: AbortSignal,
    giveWay: () => void,
  ): Promise<AnswerPlace | undefined> {
    const { answerMemory, limits } = this.#options;
    const startMs = systemTimers.nowMs();
    if (!(await this.#answerTurn(signal))) return undefined;
    const waitMs = startMs + limits.answerWaitMs - systemTimers.nowMs();
    const bytesMax = spec.responseBytesMax + FRAME_BYTES_MORE;
    return answerMemory.reserve({ peerId: this.peer.id, bytesMax, waitMs, signal, giveWay });
  }

  /**
   * Resolves when what the peer was answered is within its rates; false when that takes too long. Before the
   * answer is made, so that no answer waits in memory; how many requests wait is bounded by `concurrentMax`
   * of their protocols.
   */
  async #answerTurn(signal: AbortSignal): Promise<boolean> {
    const { limits, dispatch } = this.#options;
    const startMs = systemTimers.nowMs();
    if (this.#answerDueMs > startMs) dispatch.metrics.throttled++;
    for (let nowMs = startMs; nowMs < this.#answerDueMs; nowMs = systemTimers.nowMs()) {
      const leftMs = startMs + limits.answerWaitMs - nowMs;
      if (leftMs <= 0) return false;
      await pause(Math.min(leftMs, this.#answerDueMs - nowMs), signal);
    }
    return true;
  }

  #bookAnswer(bytes: number): void {
    this.#answerDueMs = systemTimers.nowMs() + this.#answerMeter.book(bytes);
  }

  /** Stops everything; the connection is closed by the network. */
  end(): void {
    this.#ended.abort(new LedgerError('p2p.disconnected', 'peer is not connected'));
    for (const sender of this.#senders.values()) sender.close();
  }

  #openSender(channel: string): ChannelSender {
    const { dispatch, chainId, limits, onFailed } = this.#options;
    const spec = dispatch.channel(channel);
    const sender = new ChannelSender({
      spec,
      stallTimeoutMs: limits.stallTimeoutMs,
      open: () => this.connection.newStream(wireName(chainId, spec), { signal: this.#ended.signal }),
      onFailed: (reason) => onFailed(this, reason, false),
      book: (bytes) => this.#sendMeter.book(bytes),
    });
    this.#senders.set(channel, sender);
    return sender;
  }

  #requestError(error: unknown, about: RequestFacts): LedgerError {
    if (about.timedOut) return timeoutError(this.peer.id, about.protocol, about.timeoutMs);
    const ended = error instanceof LedgerError && error.code === 'p2p.stream_ended';
    if (ended || this.#ended.signal.aborted) return disconnectedError(this.peer.id, about.protocol);
    if (error instanceof LedgerError && error.code.startsWith('p2p.')) return error;
    const message = `peer ${this.peer.id} broke a ${about.protocol} request: ${messageOf(error)}`;
    return new LedgerError('p2p.malformed', message, {}, error);
  }
}

interface RequestFacts {
  readonly protocol: string;
  readonly timeoutMs: number;
  readonly timedOut: boolean;
}

/** @throws the signal's reason when it aborts first */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = systemTimers.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
