/**
 * The network in memory: the same interface and rules as on libp2p, on injected timers. With `VirtualTimers`
 * the delivery of every message is a function of the seed, which is what unit tests of reactors and the
 * simulator need. Addresses are `/memory/<node id>`.
 */
import { LedgerError, messageOf } from '../core/errors.ts';
import { Admission, type Candidate } from './admission.ts';
import { count, Dispatch, disconnectedError, openResponse, timeoutError } from './dispatch.ts';
import { MovingDeadline } from './deadline.ts';
import type { Traffic } from './flow.ts';
import { type MemoryHubOptions, MemorySession } from './memory-session.ts';
import type {
  MessageHandler,
  Network,
  NetworkMetrics,
  NetworkOptions,
  PeerInfo,
  PeerListener,
  Penalty,
  RequestHandler,
  RequestOptions,
} from './network.ts';
import { Pipe } from './pipe.ts';
import { Redialer } from './redial.ts';
import { type Ban, BAN_POINTS, PeerScores, scoreOptions, type Standing } from './scores.ts';
import { checkStatus, encodeStatus } from './status.ts';
import type { Timers } from './timers.ts';

const ADDRESS_PREFIX = '/memory/';
/** Where an answer takes its time, it arrives in pieces of this. */
const PIECE_BYTES = 64 * 1024;

const IN_TURN: readonly number[] = [0];

/** The wires between networks in memory. */
export class MemoryHub {
  readonly options: MemoryHubOptions;
  readonly #networks: Map<string, MemoryNetwork> = new Map();
  readonly #cuts: Set<string> = new Set();

  constructor(options: MemoryHubOptions) {
    this.options = options;
  }

  /** Adds a node. A node that was stopped is replaced by one of the same id. */
  createNetwork(nodeId: string, options: NetworkOptions): Network {
    const network = new MemoryNetwork(this, nodeId, options);
    this.#networks.set(nodeId, network);
    return network;
  }

  /** Ends the connection of two nodes and keeps them apart until `heal`. */
  cut(a: string, b: string): void {
    this.#cuts.add(linkName(a, b));
    this.find(a)?.endPeer(b, 'link was cut');
  }

  heal(a: string, b: string): void {
    this.#cuts.delete(linkName(a, b));
  }

  /** The node is gone from one moment to the next: its peers see the connection end, itself sees nothing. */
  kill(nodeId: string): void {
    this.find(nodeId)?.vanish();
  }

  timersOf(nodeId: string): Timers {
    const { timers, timersOf } = this.options;
    return timersOf?.(nodeId) ?? timers;
  }

  /** The running network of that id, if there is one. */
  find(nodeId: string): MemoryNetwork | undefined {
    const network = this.#networks.get(nodeId);
    return network?.running === true ? network : undefined;
  }

  addressOf(nodeId: string): string {
    return this.options.addressOf?.(nodeId) ?? ADDRESS_PREFIX + nodeId;
  }

  isCut(a: string, b: string): boolean {
    return this.#cuts.has(linkName(a, b));
  }
}

function linkName(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

type Session = MemorySession<MemoryNetwork>;

/** The network of one node of a hub. */
class MemoryNetwork implements Network {
  readonly nodeId: string;
  readonly metrics: NetworkMetrics;
  readonly dispatch: Dispatch;
  readonly scores: PeerScores;
  readonly admission: Admission;
  readonly options: NetworkOptions;
  running = false;
  readonly #hub: MemoryHub;
  readonly #timers: Timers;
  readonly #redialer: Redialer;
  readonly #sessions: Map<string, Session> = new Map();

  constructor(hub: MemoryHub, nodeId: string, options: NetworkOptions) {
    const { limits, log, channels, protocols } = options;
    const { random } = hub.options;
    const timers = hub.timersOf(nodeId);
    this.nodeId = nodeId;
    this.#timers = timers;
    this.options = options;
    this.#hub = hub;
    this.scores = new PeerScores(timers, scoreOptions(limits), options.banStore);
    const onFault = (peer: PeerInfo, reason: string): void => this.penalize(peer.id, { reason });
    this.dispatch = new Dispatch({ channels, protocols, log, onFault });
    this.metrics = this.dispatch.metrics;
    this.#redialer = new Redialer({
      limits,
      log,
      timers,
      random,
      dial: (address) => this.#dial(address),
      isConnected: (peerId) => this.#sessions.has(peerId),
    });
    this.admission = new Admission({
      nodeId,
      limits,
      unconditionalPeers: new Set(options.unconditionalPeers),
      isPersistent: (peerId) => this.#redialer.has(peerId),
      isBanned: (peerId) => this.scores.isBanned(peerId),
      peers: () => this.peers(),
    });
    for (const address of options.persistentPeers) this.addPersistentPeer(address);
  }

  start(): Promise<void> {
    this.running = true;
    this.#redialer.start();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#redialer.stop();
    for (const peerId of [...this.#sessions.keys()]) this.endPeer(peerId, 'this node stops');
    this.running = false;
    return Promise.resolve();
  }

  listenAddresses(): readonly string[] {
    return this.running ? [this.#hub.addressOf(this.nodeId)] : [];
  }

  peers(): readonly PeerInfo[] {
    return [...this.#sessions.values()].map((session) => session.peer);
  }

  traffic(peerId: string): Traffic | undefined {
    const session = this.#sessions.get(peerId);
    return session && { sent: session.sent.flow(), received: session.received.flow() };
  }

  send(peerId: string, channel: string, bytes: Uint8Array): boolean {
    this.dispatch.requireSendable(channel, bytes);
    const session = this.#sessions.get(peerId);
    if (session === undefined) return false;
    const pipe = this.#pipe(session, channel);
    if (!pipe.reserve(bytes.length)) {
      count(this.metrics.messagesDropped, channel);
      return false;
    }
    count(this.metrics.messagesSent, channel);
    count(this.metrics.bytesSent, channel, bytes.length);
    session.sent.count(bytes.length);
    const copy = Uint8Array.from(bytes);
    const way = { from: this.nodeId, to: peerId, channel, bytes: copy };
    const fates = this.#hub.options.fate?.(way) ?? IN_TURN;
    if (fates.length === 0) pipe.release(bytes.length);
    for (const [index, laterMs] of fates.entries()) {
      const again = index > 0; // only the first copy has taken room
      this.#later(session, () => (again ? pipe.arriveAgain(copy) : pipe.arrive(copy)), laterMs);
    }
    return true;
  }

  broadcast(channel: string, bytes: Uint8Array, exceptPeerId?: string): number {
    let taken = 0;
    for (const peerId of this.#sessions.keys())
      if (peerId !== exceptPeerId && this.send(peerId, channel, bytes)) taken++;
    return taken;
  }

  handle(channel: string, handler: MessageHandler): void {
    this.dispatch.handle(channel, handler);
  }

  serve(protocol: string, handler: RequestHandler): void {
    this.dispatch.serve(protocol, handler);
  }

  request(peerId: string, protocol: string, bytes: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    const session = this.#sessions.get(peerId);
    if (session === undefined) return Promise.reject(disconnectedError(peerId, protocol));
    const spec = this.dispatch.protocol(protocol);
    const under = session.requesting.get(protocol) ?? 0;
    if (under >= spec.concurrentMax)
      return Promise.reject(new LedgerError('p2p.busy', `too many ${protocol} requests are under way`));
    session.requesting.set(protocol, under + 1);
    count(this.metrics.requestsSent, protocol);
    return this.#ask(session, protocol, Uint8Array.from(bytes), options)
      .catch((error: unknown) => {
        count(this.metrics.requestsFailed, protocol);
        throw error;
      })
      .finally(() => session.requesting.set(protocol, (session.requesting.get(protocol) ?? 1) - 1));
  }

  onPeer(listener: PeerListener): () => void {
    return this.dispatch.listen(listener, this.peers());
  }

  penalize(peerId: string, penalty: Penalty): void {
    if (this.scores.isBanned(peerId)) return;
    this.metrics.penalties++;
    const banned = this.scores.book(peerId, penalty.points ?? BAN_POINTS, penalty.reason);
    this.options.log.warn({ peer: peerId, banned }, `peer at fault: ${penalty.reason}`);
    if (!banned) return;
    this.metrics.bans++;
    this.endPeer(peerId, `banned: ${penalty.reason}`);
  }

  addPersistentPeer(address: string): void {
    const peerId = peerIdOf(address);
    if (peerId !== this.nodeId) this.#redialer.add(peerId, address);
  }

  dial(address: string): Promise<void> {
    return this.#dial(address);
  }

  disconnect(peerId: string, reason: string): void {
    this.endPeer(peerId, reason);
  }

  prefer(peerId: string): void {
    if (this.#sessions.has(peerId)) this.admission.prefer(peerId);
  }

  unprefer(peerId: string): void {
    this.admission.unprefer(peerId);
  }

  isPreferred(peerId: string): boolean {
    return this.admission.isPreferred(peerId);
  }

  hasRoomFor(peerId: string): boolean {
    return this.admission.hasRoomFor(peerId);
  }

  standing(peerId: string): Standing {
    return this.scores.standing(peerId);
  }

  bans(): readonly Ban[] {
    return this.scores.bans();
  }

  /** Ends the session with a peer, at both ends. */
  endPeer(peerId: string, reason: string): void {
    const session = this.#sessions.get(peerId);
    if (session === undefined) return;
    this.#end(session, reason);
    const theirs = session.other.#sessions.get(this.nodeId);
    if (theirs?.connection === session.connection) session.other.#end(theirs, 'connection was closed');
  }

  /** See `MemoryHub.kill`. */
  vanish(): void {
    this.running = false;
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of sessions) {
      // Behind what was sent before.
      this.#later(session, () => {
        session.ended = true;
        const theirs = session.other.#sessions.get(this.nodeId);
        if (theirs?.connection === session.connection) session.other.#end(theirs, 'connection was lost');
      });
    }
  }

  #end(session: Session, reason: string): void {
    this.#sessions.delete(session.peer.id);
    session.ended = true;
    for (const callback of session.onEnd) callback();
    this.admission.disconnected(session.peer.id);
    this.dispatch.disconnected(session.peer, reason);
    this.#redialer.disconnected(session.peer.id);
  }

  #pipe(session: Session, channel: string): Pipe {
    const known = session.pipes.get(channel);
    if (known !== undefined) return known;
    const { other } = session;
    const pipe = new Pipe(this.dispatch.channel(channel), (bytes) => {
      const theirs = other.#sessions.get(this.nodeId);
      if (session.ended || theirs === undefined) return undefined;
      theirs.received.count(bytes.length);
      return other.dispatch.deliver(theirs.peer, channel, bytes);
    });
    session.pipes.set(channel, pipe);
    return pipe;
  }

  /** On the receiver's time, behind what was sent before; `laterMs` lets what is sent next overtake it. */
  #later(session: Session, callback: () => void, laterMs = 0): void {
    const { timers, latencyMs } = this.#hub.options;
    const nowMs = timers.nowMs();
    session.lastArrivalMs = Math.max(
      session.lastArrivalMs,
      nowMs + latencyMs(this.nodeId, session.other.nodeId),
    );
    session.other.#timers.after(session.lastArrivalMs - nowMs + laterMs, () => {
      if (!session.ended) callback();
    });
  }

  /** As `#later`, in pieces that take their time where the hub says how fast answers go. */
  #transfer(session: Session, length: number, arrived: (bytes: number) => void): void {
    const { timers, answerBytesPerSecond } = this.#hub.options;
    const rate = answerBytesPerSecond?.(this.nodeId, session.other.nodeId) ?? Number.POSITIVE_INFINITY;
    const piece = rate === Number.POSITIVE_INFINITY ? length : Math.min(length, PIECE_BYTES);
    const nowMs = timers.nowMs();
    session.answersGoneMs = Math.max(session.answersGoneMs, nowMs) + (piece * 1000) / rate;
    const arrive = (): void => {
      arrived(piece);
      if (piece < length) this.#transfer(session, length - piece, arrived);
    };
    this.#later(session, arrive, session.answersGoneMs - nowMs);
  }

  #ask(session: Session, protocol: string, bytes: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    const { other } = session;
    const { responseBytesMax, concurrentMax } = this.dispatch.protocol(protocol);
    return new Promise<Uint8Array>((resolve, reject) => {
      const onEnd = (): void => settle(() => reject(disconnectedError(other.nodeId, protocol)));
      const bytesMax = responseBytesMax * concurrentMax;
      const deadline = new MovingDeadline(this.#timers, { ...options, bytesMax }, () =>
        settle(() => reject(timeoutError(other.nodeId, protocol, deadline.elapsedMs()))),
      );
      session.deadlines.add(deadline);
      const settle = (callback: () => void): void => {
        deadline.cancel();
        session.deadlines.delete(deadline);
        session.onEnd.delete(onEnd);
        callback();
      };
      session.onEnd.add(onEnd);
      session.sent.count(bytes.length);
      this.#later(session, () => {
        const theirs = other.#sessions.get(this.nodeId);
        if (theirs === undefined) return;
        theirs.received.count(bytes.length);
        void other.dispatch.answer(theirs.peer, protocol, bytes).then((response) => {
          theirs.sent.count(response.length);
          let left = response.length;
          other.#transfer(theirs, response.length, (arrived) => {
            session.received.count(arrived);
            for (const each of session.deadlines) each.moved(arrived);
            left -= arrived;
            if (left === 0) settle(() => resolveWith(protocol, response, { resolve, reject }));
          });
        });
      });
    });
  }

  #dial(address: string): Promise<void> {
    const peerId = peerIdOf(address);
    const { latencyMs } = this.#hub.options;
    this.metrics.dials++;
    return new Promise<void>((resolve, reject) => {
      this.#timers.after(2 * latencyMs(this.nodeId, peerId), () => {
        try {
          this.#connect(peerId, address);
          resolve();
        } catch (error) {
          this.metrics.dialsFailed++;
          reject(error);
        }
      });
    });
  }

  /** Both ends shake hands at one moment. */
  #connect(peerId: string, address: string): void {
    const other = this.#hub.find(peerId);
    const reached = other !== undefined && this.#hub.addressOf(peerId) === address;
    if (!this.running || !reached || this.#hub.isCut(this.nodeId, peerId))
      throw new LedgerError('p2p.unreachable', `node ${peerId} cannot be reached`);
    if (this.#sessions.has(peerId)) return;
    const stale = other.#sessions.get(this.nodeId); // of a node of this id that is gone
    if (stale !== undefined) other.#end(stale, 'connection was replaced');
    this.#admit({ peerId, direction: 'outbound', remoteAddress: address });
    const remoteAddress = this.#hub.addressOf(this.nodeId);
    other.#admit({ peerId: this.nodeId, direction: 'inbound', remoteAddress });
    const mine = this.#meet(other, 'outbound');
    const theirs = other.#meet(this, 'inbound');
    const connection = {};
    const session = new MemorySession(mine, { other, connection, timers: this.#timers });
    const theirSession = new MemorySession(theirs, { other: this, connection, timers: other.#timers });
    this.#sessions.set(peerId, session);
    other.#sessions.set(this.nodeId, theirSession);
    this.dispatch.connected(mine);
    if (!theirSession.ended) other.dispatch.connected(theirs);
  }

  #admit(candidate: Candidate): void {
    const refusal = this.admission.refusal(candidate);
    if (refusal === undefined) return;
    count(this.metrics.refused, refusal.code);
    throw refusal;
  }

  /** Checks the other's status, as its bytes would arrive. */
  #meet(other: MemoryNetwork, direction: 'inbound' | 'outbound'): PeerInfo {
    try {
      const address = this.#hub.addressOf(other.nodeId);
      const told = other.options.externalAddress ?? address;
      const status = checkStatus(this.options, encodeStatus(other.options, told));
      return {
        id: other.nodeId,
        moniker: status.moniker,
        softwareVersion: status.softwareVersion,
        direction,
        remoteAddress: address,
        listenAddress: status.listenAddress,
        claimedHeight: status.latestHeight,
        connectedAtMs: this.#timers.nowMs(),
        persistent: this.#redialer.has(other.nodeId),
      };
    } catch (error) {
      this.metrics.handshakesRefused++;
      if (direction === 'outbound') other.metrics.handshakesRefused++;
      this.options.log.warn({ peer: other.nodeId }, `refused a peer: ${messageOf(error)}`);
      throw error;
    }
  }
}

function peerIdOf(address: string): string {
  const peerId = /^\/[a-z0-9]+\/(?:[^\s]+\/)?([^/\s]+)$/.exec(address)?.[1];
  if (peerId !== undefined) return peerId;
  const message = `not a peer address: "${address}"; expected /memory/<node id>`;
  throw new LedgerError('p2p.bad_address', message);
}

interface Settle {
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

function resolveWith(protocol: string, response: Uint8Array, { resolve, reject }: Settle): void {
  try {
    resolve(openResponse(protocol, response));
  } catch (error) {
    reject(error);
  }
}
