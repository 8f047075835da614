/**
 * The network as reactors see it: peers, channels (ordered, bounded, no loss while the peer stays connected
 * unless `send` said false) and request/response protocols. Two implementations pass one compliance suite:
 * libp2p (`libp2p.ts`) and memory (`memory.ts`).
 */

import type { AnswerMemoryLimits } from './answer-memory.ts';
import type { Traffic } from './flow.ts';
import type { RateLimits } from './rate.ts';
import type { Ban, BanStore, Standing } from './scores.ts';

/** Where log lines go: the shape of pino. Fields never hold raw bytes from a peer. */
export interface Logger {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** One kind of message stream between two peers. */
export interface ChannelSpec {
  /** Part of the protocol name: lower-case letters. */
  readonly name: string;
  /** Part of the protocol name: raised when the messages change incompatibly. */
  readonly version: number;
  /** Largest message; a longer one is refused before it is read and its sender penalised. */
  readonly messageBytesMax: number;
  /** Bytes waiting for one peer; `send` refuses (returns false, counted) what does not fit. */
  readonly queueBytesMax: number;
  /**
   * Messages of one peer whose handler has not resolved; at the limit the stream is paused (back-pressure).
   */
  readonly inFlightMax: number;
}

/** One request/response protocol. */
export interface ProtocolSpec {
  readonly name: string;
  readonly version: number;
  readonly requestBytesMax: number;
  readonly responseBytesMax: number;
  /** Requests under way with one peer, counted for each direction; more are refused with `p2p.busy`. */
  readonly concurrentMax: number;
}

/** A connected peer after its handshake. What it claims about itself is a hint, never a fact. */
export interface PeerInfo {
  /** The libp2p peer id, proved by the noise handshake. */
  readonly id: string;
  readonly moniker: string;
  readonly softwareVersion: string;
  readonly direction: 'inbound' | 'outbound';
  /** The address of the other end of the connection. */
  readonly remoteAddress: string;
  /** The address at which the peer says it listens; may be empty. */
  readonly listenAddress: string;
  /** The height that the peer claimed when it connected. */
  readonly claimedHeight: bigint;
  readonly connectedAtMs: number;
  /** True when this node keeps the connection up by itself. */
  readonly persistent: boolean;
}

/**
 * Takes one message. A promise holds back further messages of the peer on this channel once `inFlightMax` are
 * unresolved. A DecodeError, thrown or rejected, penalises the peer.
 */
export type MessageHandler = (peer: PeerInfo, bytes: Uint8Array) => void | Promise<void>;

/** Answers one request. A DecodeError penalises the peer; any other error reaches it as `p2p.refused`. */
export type RequestHandler = (peer: PeerInfo, bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** Told of each session: `disconnected` follows `connected` once, and a reconnection is a new pair. */
export interface PeerListener {
  connected(peer: PeerInfo): void;
  disconnected(peer: PeerInfo, reason: string): void;
}

/** Why a peer is penalised, and how much. */
export interface Penalty {
  readonly reason: string;
  /** 1 to 100; at 100 within the decay time the peer is banned. Absent: 100. */
  readonly points?: number;
}

/** Counters since start. A plain object: the metrics endpoint reads it. */
export interface NetworkMetrics {
  connected: number;
  disconnected: number;
  handshakesRefused: number;
  penalties: number;
  bans: number;
  dials: number;
  dialsFailed: number;
  /** Connections refused by the rules of admission, by reason. */
  refused: Record<string, number>;
  messagesSent: Record<string, number>;
  messagesReceived: Record<string, number>;
  bytesSent: Record<string, number>;
  bytesReceived: Record<string, number>;
  /** Messages that `send` refused because the queue of the peer was full. */
  messagesDropped: Record<string, number>;
  /** Messages that arrived on a channel without a handler. */
  messagesUnhandled: Record<string, number>;
  handlerErrors: Record<string, number>;
  /** Times that a peer was read no further because it had sent too much. */
  throttled: number;
  requestsSent: Record<string, number>;
  requestsFailed: Record<string, number>;
  requestsServed: Record<string, number>;
  requestsRefused: Record<string, number>;
  /** Bytes of answers that are made or under way: now, not since start. */
  answerBytes: number;
  /** Answers that were broken off because other peers waited for theirs. */
  answersBrokenOff: number;
}

/** How long to wait for an answer. */
export interface RequestOptions {
  readonly timeoutMs: number;
  /**
   * Lets a large answer take longer: the time that passes starts again, in proportion, with what arrives. So
   * many bytes of answers of this peer, of whichever requests, are a second more. Absent: `timeoutMs` is all.
   */
  readonly bytesPerSecondMin?: number;
}

/** The network of one node. */
export interface Network {
  /** This node's libp2p peer id. */
  readonly nodeId: string;
  readonly metrics: NetworkMetrics;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Full addresses (`…/p2p/<id>`) at which this node listens; empty before `start`. */
  listenAddresses(): readonly string[];
  peers(): readonly PeerInfo[];
  /** What went over the connection to a peer since it stands; undefined without one. */
  traffic(peerId: string): Traffic | undefined;
  /**
   * Queues a message; false when the peer is gone or its queue is full. The bytes are not copied: leave them
   * alone.
   */
  send(peerId: string, channel: string, bytes: Uint8Array): boolean;
  /** Queues a message for every peer but one; returns how many took it. */
  broadcast(channel: string, bytes: Uint8Array, exceptPeerId?: string): number;
  /** Installs the handler of a channel; at most one per channel. */
  handle(channel: string, handler: MessageHandler): void;
  /**
   * Asks a peer. One whose answer is no response at all is penalised here; what the answer says is for the
   * caller to judge.
   * @throws LedgerError `p2p.timeout`, `p2p.disconnected`, `p2p.busy`, `p2p.refused` or `p2p.malformed`
   */
  request(peerId: string, protocol: string, bytes: Uint8Array, options: RequestOptions): Promise<Uint8Array>;
  /** Installs the handler of a protocol; at most one per protocol. */
  serve(protocol: string, handler: RequestHandler): void;
  /** Tells of every session from now on, and at once of those that stand. Returns how to stop it. */
  onPeer(listener: PeerListener): () => void;
  /** Books a fault of a peer; enough of them disconnect and ban it for a while. */
  penalize(peerId: string, penalty: Penalty): void;
  /** Keeps a connection to `<multiaddr>/p2p/<id>` up for ever. */
  addPersistentPeer(address: string): void;
  /**
   * Connects once to `<multiaddr>/p2p/<id>`; resolves when the session stands, also when it stood before.
   * @throws LedgerError or another error that says why there is no session
   */
  dial(address: string): Promise<void>;
  /** Ends the session with a peer that did nothing wrong. */
  disconnect(peerId: string, reason: string): void;
  /** Takes a peer out of all limits for this session: it proved that it is a validator. */
  prefer(peerId: string): void;
  /** Counts the peer again: it is no validator any more. It is not disconnected for that. */
  unprefer(peerId: string): void;
  isPreferred(peerId: string): boolean;
  /** False for a connected peer that is there on probation: it has to prove itself, or be sent away. */
  hasRoomFor(peerId: string): boolean;
  /** What is held against a peer, connected or not. */
  standing(peerId: string): Standing;
  /** The bans that stand, also of peers that are long gone. */
  bans(): readonly Ban[];
}

/** What every implementation needs to know. */
export interface NetworkOptions {
  readonly chainId: string;
  readonly moniker: string;
  readonly softwareVersion: string;
  /** SHA-256 of the genesis document; peers with another one are refused. Empty: not compared. */
  readonly genesisHash: Uint8Array;
  readonly channels: readonly ChannelSpec[];
  readonly protocols: readonly ProtocolSpec[];
  /** The height to claim in handshakes. */
  readonly latestHeight: () => bigint;
  readonly persistentPeers: readonly string[];
  /** Ids of peers that no limit counts. */
  readonly unconditionalPeers?: readonly string[];
  /** Where to tell peers that this node listens; default: the first address it listens at. */
  readonly externalAddress?: string;
  /** Where bans outlive the process. Default: nowhere. */
  readonly banStore?: BanStore;
  readonly limits: NetworkLimits;
  readonly log: Logger;
}

/** Named limits of the network. */
export interface NetworkLimits {
  readonly inboundPeersMax: number;
  readonly outboundPeersMax: number;
  /** Inbound peers beyond that, who get the time to prove that they are validators; others are sent away. */
  readonly inboundProbationMax: number;
  /** A connection without a finished handshake is closed after this. */
  readonly handshakeTimeoutMs: number;
  readonly dialTimeoutMs: number;
  readonly redialMinMs: number;
  readonly redialMaxMs: number;
  /** A peer that takes no bytes for this long is disconnected; an answer that it takes none of is broken off. */
  readonly stallTimeoutMs: number;
  /** A peer that reads an answer more slowly than this gets no more of it. */
  readonly answerBytesPerSecondMin: number;
  /** The first ban of a peer; each further one lasts twice as long, up to `banMaxMs`. */
  readonly banMs: number;
  readonly banMaxMs: number;
  /** Penalty points forgotten each second. */
  readonly penaltyDecayPerSecond: number;
  /** What one peer may send on its channels; beyond it the peer is read no faster. */
  readonly receive: RateLimits;
  /** What one peer is sent on its channels. Messages are not counted. Only over real connections. */
  readonly send: RateLimits;
  /**
   * What one peer is answered: requests, and bytes of answers; beyond it its next requests wait. Only over
   * real connections.
   */
  readonly answers: RateLimits;
  /** A request that has waited so long is refused as `p2p.busy`: silence would be taken for a fault. */
  readonly answerWaitMs: number;
  /** Answers that peers have not read yet. Only over real connections. */
  readonly answerMemory: AnswerMemoryLimits;
  /** New inbound connections a second from one host. */
  readonly inboundPerHostPerSecondMax: number;
  /** Peers from one host, both directions. */
  readonly peersPerHostMax: number;
  /** Hosts that `peersPerHostMax` does not hold for. */
  readonly unlimitedHosts: readonly string[];
}

/**
 * A peer that is slower is taken to have stopped: CometBFT's `minRecvRate` of block sync (`blocksync/pool.go`).
 */
export const SLOWEST_BYTES_PER_SECOND: number = 128 * 1024;

/** Defaults: a small mesh of validators and full nodes, also many on one host. */
export const DEFAULT_LIMITS: NetworkLimits = {
  inboundPeersMax: 40,
  outboundPeersMax: 20,
  inboundProbationMax: 0,
  handshakeTimeoutMs: 5_000,
  dialTimeoutMs: 5_000,
  redialMinMs: 200,
  redialMaxMs: 10_000,
  stallTimeoutMs: 30_000,
  answerBytesPerSecondMin: SLOWEST_BYTES_PER_SECOND,
  banMs: 60_000,
  banMaxMs: 3_600_000,
  penaltyDecayPerSecond: 1,
  receive: {
    messagesPerSecondMax: 20_000,
    messagesBurstMax: 40_000,
    bytesPerSecondMax: 32 * 1024 * 1024,
    bytesBurstMax: 64 * 1024 * 1024,
  },
  send: {
    messagesPerSecondMax: Number.POSITIVE_INFINITY,
    messagesBurstMax: Number.POSITIVE_INFINITY,
    bytesPerSecondMax: 32 * 1024 * 1024,
    bytesBurstMax: 64 * 1024 * 1024,
  },
  answers: {
    messagesPerSecondMax: 2_000,
    messagesBurstMax: 4_000,
    bytesPerSecondMax: 32 * 1024 * 1024,
    bytesBurstMax: 64 * 1024 * 1024,
  },
  answerWaitMs: 4_000,
  answerMemory: {
    bytesMax: 192 * 1024 * 1024,
    bytesPerPeerMax: 48 * 1024 * 1024,
    giveWayAfterMs: 2_000,
  },
  inboundPerHostPerSecondMax: 100,
  peersPerHostMax: Number.POSITIVE_INFINITY,
  unlimitedHosts: [],
};
