/**
 * The network on libp2p. A connection becomes a session once both ends have seen each other's status; of two
 * connections between the same peers one survives, and both ends choose the same one. A session is the life
 * of a peer for the reactors: when its connection goes, they hear `disconnected`, even if another connection
 * takes over.
 */
import type { Connection, ConnectionGater, Libp2p, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { DecodeError, LedgerError, messageOf } from '../core/errors.ts';
import { Admission, type Candidate } from './admission.ts';
import { AnswerMemory } from './answer-memory.ts';
import { STATUS_BYTES_MAX, STATUS_PROTOCOL, wireName } from './channels.ts';
import { count, Dispatch, disconnectedError } from './dispatch.ts';
import { encodeFrame } from './frame.ts';
import { Handshake, STREAMS_WAITING_MAX } from './handshake.ts';
import { createHost, listenError } from './host.ts';
import { nodeKey } from './identity.ts';
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
import type { Status } from '../proto/gen/openledger/p2p/v1/p2p.ts';
import { Redialer } from './redial.ts';
import { type Ban, BAN_POINTS, PeerScores, scoreOptions, type Standing } from './scores.ts';
import type { Traffic } from './flow.ts';
import { Session } from './session.ts';
import { checkStatus, encodeStatus } from './status.ts';
import { readFrame, writeFrame } from './streams.ts';
import { systemTimers } from './timers.ts';

/** Two connections that opened within this time of each other are one simultaneous dial. */
const SIMULTANEOUS_DIAL_MS = 5_000;
/** A refused dialler may hold its connection for this long, to read why. */
const REFUSAL_GRACE_MS = 1_000;
/** Between two log lines about refused peers. */
const REFUSAL_LOG_INTERVAL_MS = 1_000;

/** What a libp2p network needs beyond what every network needs. */
export interface Libp2pNetworkOptions extends NetworkOptions {
  /** Ed25519: seed, or seed and public key. */
  readonly privateKey: Uint8Array;
  /** Multiaddrs to listen on, such as `/ip4/127.0.0.1/tcp/0`. */
  readonly listen: readonly string[];
}

/** Makes the network of one node; `start` opens its sockets. */
export async function createLibp2pNetwork(options: Libp2pNetworkOptions): Promise<Network> {
  const gates: { current: ConnectionGater } = { current: {} };
  const gater: ConnectionGater = {
    denyDialMultiaddr: () => false,
    denyInboundEncryptedConnection: (peer, connection) =>
      gates.current.denyInboundEncryptedConnection?.(peer, connection) ?? false,
  };
  const host = await createHost({
    privateKey: await nodeKey(options.privateKey),
    listen: options.listen,
    limits: options.limits,
    gater,
  });
  const network = new Libp2pNetwork(host, options);
  gates.current = network.gater();
  return network;
}

class Libp2pNetwork implements Network {
  readonly nodeId: string;
  readonly metrics: NetworkMetrics;
  readonly #host: Libp2p;
  readonly #options: Libp2pNetworkOptions;
  readonly #dispatch: Dispatch;
  readonly #scores: PeerScores;
  readonly #redialer: Redialer;
  readonly #admission: Admission;
  readonly #answerMemory: AnswerMemory;
  /** By peer id. */
  readonly #sessions: Map<string, Session> = new Map();
  /** Connections whose handshake is not done, by connection id, and who waits for each. */
  readonly #handshakes: Map<string, Handshake> = new Map();
  #running = false;
  #refusalLoggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(host: Libp2p, options: Libp2pNetworkOptions) {
    const { limits, log, channels, protocols } = options;
    this.nodeId = host.peerId.toString();
    this.#host = host;
    this.#options = options;
    this.#scores = new PeerScores(systemTimers, scoreOptions(limits), options.banStore);
    this.#dispatch = new Dispatch({
      channels,
      protocols,
      log,
      onFault: (peer, reason) => this.penalize(peer.id, { reason }),
    });
    this.metrics = this.#dispatch.metrics;
    this.#answerMemory = new AnswerMemory(limits.answerMemory, systemTimers, this.metrics);
    this.#redialer = new Redialer({
      limits,
      log,
      timers: systemTimers,
      random: Math.random,
      dial: (address) => this.#dial(address),
      isConnected: (peerId) => this.#sessions.has(peerId),
    });
    this.#admission = new Admission({
      nodeId: this.nodeId,
      limits,
      unconditionalPeers: new Set(options.unconditionalPeers),
      isPersistent: (peerId) => this.#redialer.has(peerId),
      isBanned: (peerId) => this.#scores.isBanned(peerId),
      peers: () => this.peers(),
    });
    for (const address of options.persistentPeers) this.addPersistentPeer(address);
  }

  gater(): ConnectionGater {
    return {
      denyInboundEncryptedConnection: (peer, { remoteAddr }) => {
        const candidate = { peerId: peer.toString(), remoteAddress: remoteAddr.toString() };
        const refusal = this.#refusal({ ...candidate, direction: 'inbound' });
        if (refusal !== undefined) this.#logRefusal(candidate.peerId, refusal);
        return refusal !== undefined;
      },
    };
  }

  async start(): Promise<void> {
    this.#host.addEventListener('connection:open', (event) => this.#connectionOpened(event.detail));
    this.#host.addEventListener('connection:close', (event) => this.#connectionClosed(event.detail));
    await this.#registerProtocols();
    try {
      await this.#host.start();
    } catch (cause) {
      throw listenError(this.#options.listen, cause);
    }
    this.#running = true;
    this.#redialer.start();
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#redialer.stop();
    for (const session of [...this.#sessions.values()]) this.#endSession(session, 'this node stops');
    await this.#host.stop();
  }

  listenAddresses(): readonly string[] {
    return this.#host.getMultiaddrs().map((address) => address.toString());
  }

  peers(): readonly PeerInfo[] {
    return [...this.#sessions.values()].map((session) => session.peer);
  }

  traffic(peerId: string): Traffic | undefined {
    return this.#sessions.get(peerId)?.traffic();
  }

  send(peerId: string, channel: string, bytes: Uint8Array): boolean {
    this.#dispatch.requireSendable(channel, bytes);
    return this.#sessions.get(peerId)?.send(channel, encodeFrame(bytes)) ?? false;
  }

  broadcast(channel: string, bytes: Uint8Array, exceptPeerId?: string): number {
    this.#dispatch.requireSendable(channel, bytes);
    const frame = encodeFrame(bytes);
    let taken = 0;
    for (const [peerId, session] of this.#sessions)
      if (peerId !== exceptPeerId && session.send(channel, frame)) taken++;
    return taken;
  }

  handle(channel: string, handler: MessageHandler): void {
    this.#dispatch.handle(channel, handler);
  }

  serve(protocol: string, handler: RequestHandler): void {
    this.#dispatch.serve(protocol, handler);
  }

  async request(
    peerId: string,
    protocol: string,
    bytes: Uint8Array,
    options: RequestOptions,
  ): Promise<Uint8Array> {
    const session = this.#sessions.get(peerId);
    if (session === undefined) throw disconnectedError(peerId, protocol);
    return await session.request(protocol, bytes, options);
  }

  onPeer(listener: PeerListener): () => void {
    return this.#dispatch.listen(listener, this.peers());
  }

  penalize(peerId: string, penalty: Penalty): void {
    if (this.#scores.isBanned(peerId)) return;
    const points = penalty.points ?? BAN_POINTS;
    const session = this.#sessions.get(peerId);
    this.metrics.penalties++;
    const banned = this.#scores.book(peerId, points, penalty.reason);
    const fields = { peer: peerId, moniker: session?.peer.moniker, points, banned };
    this.#options.log.warn(fields, `peer at fault: ${penalty.reason}`);
    if (!banned) return;
    this.metrics.bans++;
    if (session !== undefined) this.#endSession(session, `banned: ${penalty.reason}`);
  }

  addPersistentPeer(address: string): void {
    const peerId = peerIdOfAddress(address);
    if (peerId !== this.nodeId) this.#redialer.add(peerId, address);
  }

  async dial(address: string): Promise<void> {
    await this.#dial(address);
  }

  disconnect(peerId: string, reason: string): void {
    const session = this.#sessions.get(peerId);
    if (session !== undefined) this.#endSession(session, reason);
  }

  prefer(peerId: string): void {
    if (this.#sessions.has(peerId)) this.#admission.prefer(peerId);
  }

  unprefer(peerId: string): void {
    this.#admission.unprefer(peerId);
  }

  isPreferred(peerId: string): boolean {
    return this.#admission.isPreferred(peerId);
  }

  hasRoomFor(peerId: string): boolean {
    return this.#admission.hasRoomFor(peerId);
  }

  standing(peerId: string): Standing {
    return this.#scores.standing(peerId);
  }

  bans(): readonly Ban[] {
    return this.#scores.bans();
  }

  #refusal(candidate: Candidate): LedgerError | undefined {
    const refusal = this.#admission.refusal(candidate);
    if (refusal !== undefined) count(this.metrics.refused, refusal.code);
    return refusal;
  }

  async #registerProtocols(): Promise<void> {
    const { chainId, channels, protocols } = this.#options;
    await this.#host.handle(STATUS_PROTOCOL, (stream, connection) => this.#statusOpened(stream, connection), {
      maxInboundStreams: 1,
    });
    for (const spec of channels) {
      const opened = (stream: Stream, connection: Connection): void =>
        this.#whenSession(stream, connection, (session) => session.receive(spec, stream));
      await this.#host.handle(wireName(chainId, spec), opened, {
        maxInboundStreams: 1,
        maxOutboundStreams: 1,
      });
    }
    for (const spec of protocols) {
      const opened = (stream: Stream, connection: Connection): void =>
        this.#whenSession(stream, connection, (session) => void session.serve(spec.name, stream));
      await this.#host.handle(wireName(chainId, spec), opened, {
        maxInboundStreams: spec.concurrentMax,
        maxOutboundStreams: spec.concurrentMax,
      });
    }
  }

  /** Streams may arrive before this end has finished the handshake: they wait for it, unread. */
  #whenSession(stream: Stream, connection: Connection, use: (session: Session) => void): void {
    const session = this.#sessions.get(connection.remotePeer.toString());
    if (session?.connection.id === connection.id) {
      use(session);
      return;
    }
    const handshake = this.#handshakes.get(connection.id);
    if (handshake === undefined || handshake.waiting.length >= STREAMS_WAITING_MAX) {
      stream.abort(new LedgerError('p2p.no_session', 'stream without a session'));
      return;
    }
    stream.pause();
    handshake.waiting.push((ready) => {
      if (stream.status !== 'open') return;
      use(ready);
      stream.resume();
    });
  }

  async #dial(address: string): Promise<void> {
    this.metrics.dials++;
    try {
      const candidate = { peerId: peerIdOfAddress(address), remoteAddress: address };
      if (this.#sessions.has(candidate.peerId)) return;
      const refusal = this.#refusal({ ...candidate, direction: 'outbound' });
      if (refusal !== undefined) throw refusal;
      const signal = AbortSignal.timeout(this.#options.limits.dialTimeoutMs);
      const connection = await this.#host.dial(multiaddr(address), { signal });
      await this.#handshakes.get(connection.id)?.done;
    } catch (error) {
      this.metrics.dialsFailed++;
      throw error;
    }
  }

  #connectionOpened(connection: Connection): void {
    if (!this.#running) {
      connection.abort(new LedgerError('p2p.stopped', 'node is stopping'));
      return;
    }
    const handshake = new Handshake(connection);
    this.#handshakes.set(connection.id, handshake);
    const { handshakeTimeoutMs } = this.#options.limits;
    handshake.cancelTimeout = systemTimers.after(handshakeTimeoutMs, () =>
      this.#refuse(handshake, new LedgerError('p2p.timeout', `no handshake within ${handshakeTimeoutMs} ms`)),
    );
    if (connection.direction === 'outbound')
      void this.#greet(handshake).catch((error: unknown) => this.#refuse(handshake, error));
  }

  /** The dialler's half of the handshake: it speaks first. */
  async #greet(handshake: Handshake): Promise<void> {
    const signal = AbortSignal.timeout(this.#options.limits.handshakeTimeoutMs);
    const stream = await handshake.connection.newStream(STATUS_PROTOCOL, { signal });
    await writeFrame(stream, this.#ownStatus(), signal);
    const status = checkStatus(this.#options, await readFrame(stream, STATUS_BYTES_MAX, signal));
    await stream.close({ signal });
    this.#establish(handshake, status);
  }

  /** The other half: answers even who will be refused, so that both ends can say why. */
  async #statusOpened(stream: Stream, connection: Connection): Promise<void> {
    const handshake = this.#handshakes.get(connection.id);
    if (handshake === undefined || connection.direction === 'outbound') {
      stream.abort(new LedgerError('p2p.malformed', 'unexpected handshake'));
      return;
    }
    try {
      const signal = AbortSignal.timeout(this.#options.limits.handshakeTimeoutMs);
      const theirs = await readFrame(stream, STATUS_BYTES_MAX, signal);
      await writeFrame(stream, this.#ownStatus(), signal);
      await stream.close({ signal });
      this.#establish(handshake, checkStatus(this.#options, theirs));
    } catch (error) {
      this.#refuse(handshake, error);
    }
  }

  #ownStatus(): Uint8Array {
    return encodeStatus(this.#options, this.#options.externalAddress ?? this.listenAddresses()[0] ?? '');
  }

  #establish(handshake: Handshake, status: Status): void {
    const { connection } = handshake;
    if (!this.#handshakes.has(connection.id) || connection.status !== 'open') return;
    const peerId = connection.remotePeer.toString();
    const existing = this.#sessions.get(peerId);
    const { direction, remoteAddr } = connection;
    const refusal = this.#refusal({ peerId, direction, remoteAddress: remoteAddr.toString() });
    if (refusal !== undefined) {
      this.#refuse(handshake, refusal);
      return;
    }
    if (existing !== undefined && !this.#prefer(connection, existing.connection)) {
      this.#refuse(handshake, new LedgerError('p2p.duplicate', 'peer is already connected'));
      return;
    }
    if (existing !== undefined) this.#endSession(existing, 'replaced by a newer connection');
    this.#handshakes.delete(connection.id);
    const session = this.#openSession(connection, status);
    this.#sessions.set(peerId, session);
    this.#options.log.info(
      { peer: peerId, moniker: status.moniker, direction: connection.direction },
      'peer connected',
    );
    this.#redialer.connected(peerId);
    this.#dispatch.connected(session.peer);
    handshake.finish();
    for (const use of handshake.waiting) use(session);
  }

  #openSession(connection: Connection, status: Status): Session {
    const peerId = connection.remotePeer.toString();
    return new Session({
      chainId: this.#options.chainId,
      connection,
      dispatch: this.#dispatch,
      limits: this.#options.limits,
      answerMemory: this.#answerMemory,
      peer: {
        id: peerId,
        moniker: status.moniker,
        softwareVersion: status.softwareVersion,
        direction: connection.direction,
        remoteAddress: connection.remoteAddr.toString(),
        listenAddress: status.listenAddress,
        claimedHeight: status.latestHeight,
        connectedAtMs: Date.now(),
        persistent: this.#redialer.has(peerId),
      },
      onFailed: (session, reason, fault) => {
        if (fault) this.penalize(session.peer.id, { reason });
        this.#endSession(session, reason);
      },
    });
  }

  /** Of two connections of a simultaneous dial, both ends keep the one that the smaller peer id dialled. */
  #prefer(candidate: Connection, standing: Connection): boolean {
    const apartMs = Math.abs(candidate.timeline.open - standing.timeline.open);
    if (apartMs > SIMULTANEOUS_DIAL_MS || candidate.direction === standing.direction) return true;
    const candidateDialler =
      candidate.direction === 'outbound' ? this.nodeId : candidate.remotePeer.toString();
    const standingDialler = standing.direction === 'outbound' ? this.nodeId : standing.remotePeer.toString();
    return candidateDialler < standingDialler;
  }

  #refuse(handshake: Handshake, error: unknown): void {
    const { connection } = handshake;
    if (!this.#handshakes.delete(connection.id)) return;
    const peerId = connection.remotePeer.toString();
    const code = error instanceof LedgerError ? error.code : 'p2p.handshake_failed';
    handshake.fail(error);
    const abort = (): void => connection.abort(new LedgerError(code, 'handshake refused'));
    // The answer to a dialler of another chain may still be on its way, and tells it why.
    if (connection.direction === 'inbound' && code.startsWith('p2p.other_'))
      systemTimers.after(REFUSAL_GRACE_MS, abort);
    else abort();
    // The loser of a simultaneous dial: one end says so, the other only sees it close.
    if (code === 'p2p.duplicate' || code === 'p2p.closed') return;
    this.metrics.handshakesRefused++;
    if (error instanceof DecodeError) this.penalize(peerId, { reason: `handshake: ${error.message}` });
    this.#logRefusal(peerId, error);
  }

  /** Anybody can connect and be refused: at most one line a second. */
  #logRefusal(peerId: string, error: unknown): void {
    const nowMs = systemTimers.nowMs();
    if (nowMs - this.#refusalLoggedAtMs < REFUSAL_LOG_INTERVAL_MS) return;
    this.#refusalLoggedAtMs = nowMs;
    const fields = { peer: peerId, refusals: this.metrics.handshakesRefused };
    this.#options.log.warn(fields, `refused a peer: ${messageOf(error)}`);
  }

  #connectionClosed(connection: Connection): void {
    const handshake = this.#handshakes.get(connection.id);
    if (handshake !== undefined)
      this.#refuse(handshake, new LedgerError('p2p.closed', 'connection was closed'));
    const session = this.#sessions.get(connection.remotePeer.toString());
    if (session?.connection.id === connection.id) this.#endSession(session, 'connection was closed');
  }

  #endSession(session: Session, reason: string): void {
    const { id } = session.peer;
    if (this.#sessions.get(id) !== session) return;
    this.#sessions.delete(id);
    session.end();
    session.connection.abort(new LedgerError('p2p.session_ended', 'session ended'));
    this.#options.log.info({ peer: id, moniker: session.peer.moniker }, `peer disconnected: ${reason}`);
    this.#admission.disconnected(id);
    this.#dispatch.disconnected(session.peer, reason);
    this.#redialer.disconnected(id);
  }
}

/**
 * The peer id at the end of an address.
 * @throws LedgerError `p2p.bad_address` when the address is malformed or has none
 */
export function peerIdOfAddress(address: string): string {
  const hint = 'expected <multiaddr>/p2p/<peer id>, such as /ip4/127.0.0.1/tcp/26656/p2p/12D3KooW…';
  try {
    const last = multiaddr(address).getComponents().at(-1);
    if (last?.name === 'p2p' && last.value !== undefined) return last.value;
  } catch (cause) {
    throw new LedgerError('p2p.bad_address', `not a peer address: "${address}"; ${hint}`, {}, cause);
  }
  throw new LedgerError('p2p.bad_address', `peer address "${address}" has no peer id; ${hint}`);
}
