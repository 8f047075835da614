/**
 * Finds peers: dials addresses of the book until there are enough outbound peers, asks peers for more
 * addresses, answers those who ask, and goes to a seed when it knows nobody.
 *
 * What a peer tells is only a place to look; an address is passed on only after this node has met its peer id
 * there. So a liar's addresses cost whom it lies to some dials, and go no further.
 */
import { LedgerError, messageOf } from '../core/errors.ts';
import type { Added, AddressBook, AddressSource } from './address-book.ts';
import { groupOf, hostAndPort, hostOf, makeAddress, parseAddress, type PeerAddress } from './address.ts';
import { ADDRESSES_PROTOCOL } from './channels.ts';
import { count } from './dispatch.ts';
import { ADDRESSES_MAX } from './exchange-limits.ts';
import {
  decodeAddressesRequest,
  decodeAddressesResponse,
  encodeAddressesRequest,
  encodeAddressesResponse,
} from './exchange.ts';
import type { Logger, Network, PeerInfo } from './network.ts';
import type { Timers } from './timers.ts';

/** What discovery works with. */
export interface DiscoveryPorts {
  readonly network: Network;
  readonly book: AddressBook;
  readonly timers: Timers;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  /** Writes the book down: now and then, and at the end. */
  readonly saveBook: () => void;
}

/** Waits and bounds. */
export interface DiscoveryLimits {
  /** Between two looks at the peers. */
  readonly tickMs: number;
  /** The same while there are too few of them. */
  readonly tickHungryMs: number;
  /** Between two questions to one peer. */
  readonly askIntervalMs: number;
  /** A peer that asks again sooner than this is at fault. */
  readonly answerIntervalMs: number;
  readonly requestTimeoutMs: number;
  /** Between two visits to seeds: doubled each time that there are peers all the same. */
  readonly seedIntervalMs: number;
  readonly seedIntervalMaxMs: number;
  /** How long a seed keeps a peer that came to ask. */
  readonly seedHoldMs: number;
  readonly saveIntervalMs: number;
  /** A seed meets each node again after this. */
  readonly crawlIntervalMs: number;
  /** A session that ended sooner counts as a failed dial. */
  readonly shortLivedMs: number;
  /** With all its outbound peers a node gives up one for another after this. */
  readonly rotateIntervalMs: number;
  readonly dialsAtOnceMax: number;
  /** With so many addresses nobody is asked for more. */
  readonly bookEnough: number;
  /** Outbound peers in one network (of IPv4: /16) that others can route to. */
  readonly outboundPerGroupMax: number;
}

/** Waits of a node among strangers. */
export const DEFAULT_DISCOVERY: DiscoveryLimits = {
  tickMs: 10_000,
  tickHungryMs: 1_000,
  askIntervalMs: 30_000,
  answerIntervalMs: 20_000,
  requestTimeoutMs: 10_000,
  seedIntervalMs: 30_000,
  seedIntervalMaxMs: 1_800_000,
  seedHoldMs: 30_000,
  saveIntervalMs: 120_000,
  crawlIntervalMs: 600_000,
  shortLivedMs: 60_000,
  rotateIntervalMs: 600_000,
  dialsAtOnceMax: 8,
  bookEnough: 1_000,
  outboundPerGroupMax: 3,
};

/** How a node takes part. */
export interface DiscoveryOptions {
  /** A seed: goes round, and sends away whom it has answered. */
  readonly seedMode: boolean;
  /** `<multiaddr>/p2p/<id>` */
  readonly seeds: readonly string[];
  /** Those are dialled by the network itself, for ever; in the same form. */
  readonly persistentPeers: readonly string[];
  readonly outboundPeersMax: number;
  /** Ids never told to others. */
  readonly privatePeerIds: readonly string[];
  readonly limits: DiscoveryLimits;
}

/** Counters since start. */
export interface DiscoveryMetrics {
  asked: number;
  answered: number;
  seedsVisited: number;
  rotations: number;
  /** Addresses that peers told, by what became of them. */
  told: Record<Added, number>;
}

/** Points for asking too often: five times within the decay are a ban; a node that restarts is forgiven. */
const TOO_OFTEN_POINTS = 20;
/** Points for telling a node about itself. */
const SELF_POINTS = 20;
/** Peers of which it is remembered when they asked or were asked. */
const MOMENTS_MAX = 4_096;
/** A seed that answered is given this long to send it before the peer is sent away. */
const PARTING_MS = 1_000;

/** See the file comment. */
export class Discovery {
  readonly metrics: DiscoveryMetrics = {
    asked: 0,
    answered: 0,
    seedsVisited: 0,
    rotations: 0,
    told: { added: 0, known: 0, refused: 0 },
  };
  readonly #ports: DiscoveryPorts;
  readonly #options: DiscoveryOptions;
  readonly #private: ReadonlySet<string>;
  readonly #persistent: ReadonlySet<string>;
  /** When a peer was asked last, connected or not. */
  readonly #askedAtMs: Map<string, number> = new Map();
  /** When a peer asked last, connected or not. */
  readonly #answeredAtMs: Map<string, number> = new Map();
  /** When the session with an outbound peer began. */
  readonly #metAtMs: Map<string, number> = new Map();
  readonly #dialing: Set<string> = new Set();
  /** Since when there are fewer outbound peers than there should be. */
  #wantingSinceMs: number | undefined;
  #rotateDueMs: number;
  #seedDueMs = 0;
  #seedVisits = 0;
  #savedAtMs: number;
  #running = false;
  #cancelTick: () => void = () => undefined;
  #stopListening: () => void = () => undefined;

  constructor(ports: DiscoveryPorts, options: DiscoveryOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#private = new Set(options.privatePeerIds);
    this.#persistent = new Set(options.persistentPeers.map(peerIdAtEnd));
    this.#savedAtMs = ports.timers.nowMs();
    this.#rotateDueMs = this.#savedAtMs + options.limits.rotateIntervalMs;
    ports.network.serve(ADDRESSES_PROTOCOL.name, (peer, bytes) => this.#answer(peer, bytes));
  }

  /** The network is started before. */
  start(): void {
    this.#running = true;
    this.#stopListening = this.#ports.network.onPeer({
      connected: (peer) => this.#connected(peer),
      disconnected: (peer) => this.#disconnected(peer),
    });
    this.#tick();
  }

  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#cancelTick();
    this.#stopListening();
    this.#ports.saveBook();
  }

  #tick(): void {
    if (!this.#running) return;
    const { timers, random, saveBook } = this.#ports;
    const { limits } = this.#options;
    const dialled = this.#dialMore();
    const rotated = this.#rotate();
    this.#askSomebody();
    const nowMs = timers.nowMs();
    if (nowMs - this.#savedAtMs >= limits.saveIntervalMs) {
      this.#savedAtMs = nowMs;
      saveBook();
    }
    const hungry = dialled > 0 || rotated || this.#ports.network.peers().length === 0;
    const waitMs = hungry ? limits.tickHungryMs : limits.tickMs;
    this.#cancelTick = timers.after(waitMs * (0.75 + random() / 2), () => this.#tick());
  }

  /** How many more outbound peers there should be; notes since when. */
  #wanted(): number {
    const { network, timers } = this.#ports;
    const outbound = network.peers().filter(({ direction }) => direction === 'outbound');
    const wanted = this.#options.outboundPeersMax - outbound.length;
    this.#wantingSinceMs = wanted > 0 ? (this.#wantingSinceMs ?? timers.nowMs()) : undefined;
    return wanted - this.#dialing.size;
  }

  /** Addresses alone have not been enough for a while: they may be invented. */
  #isWantingForLong(): boolean {
    if (this.#wantingSinceMs === undefined) return false;
    return this.#ports.timers.nowMs() - this.#wantingSinceMs >= this.#options.limits.seedIntervalMs;
  }

  /** Returns how many dials it began. */
  #dialMore(): number {
    const { book, network } = this.#ports;
    const { dialsAtOnceMax } = this.#options.limits;
    const wanted = Math.min(this.#wanted(), dialsAtOnceMax - this.#dialing.size);
    let begun = 0;
    const peers = network.peers();
    const connected = new Set(peers.map(({ id }) => id));
    const groups: Record<string, number> = {};
    for (const { direction, remoteAddress } of peers)
      if (direction === 'outbound') count(groups, groupOf(hostOf(remoteAddress)));
    const accept = ({ peerId, group, routable }: PeerAddress): boolean =>
      !connected.has(peerId) &&
      !this.#dialing.has(peerId) &&
      !this.#isSeed(peerId) &&
      !this.#persistent.has(peerId) &&
      network.standing(peerId).bannedForMs === 0 &&
      (!routable || (groups[group] ?? 0) < this.#options.limits.outboundPerGroupMax);
    for (; begun < wanted; begun++) {
      const address = book.pick(accept);
      if (address === undefined) break;
      count(groups, address.group);
      void this.#dial(address);
    }
    if (begun < wanted || this.#isWantingForLong()) this.#visitSeed(connected);
    return begun;
  }

  /**
   * Gives up one outbound peer for another: those that it has may all be of one mind. It asks a seed before
   * it dials, because so may all be that it knows of. When there is nobody else, the same peer is soon
   * dialled again. Returns whether it did.
   */
  #rotate(): boolean {
    const { network, book, timers, random } = this.#ports;
    const { limits, seedMode } = this.#options;
    const nowMs = timers.nowMs();
    if (seedMode || nowMs < this.#rotateDueMs || this.#wantingSinceMs !== undefined) return false;
    this.#rotateDueMs = nowMs + limits.rotateIntervalMs * (0.75 + random() / 2);
    const peers = network.peers();
    const victims = peers.filter(
      ({ id, direction, persistent }) =>
        direction === 'outbound' &&
        !persistent &&
        !network.isPreferred(id) &&
        nowMs - (this.#metAtMs.get(id) ?? nowMs) >= limits.shortLivedMs,
    );
    const victim = victims[Math.floor(random() * victims.length)];
    const address = victim && addressOf(victim);
    if (victim === undefined || address === undefined) return false;
    this.metrics.rotations++;
    network.disconnect(victim.id, 'its place is for another peer for a while');
    book.good(address, limits.shortLivedMs);
    this.#visitSeed(new Set(peers.map(({ id }) => id)));
    return true;
  }

  async #dial(address: PeerAddress): Promise<void> {
    const { network, book, log } = this.#ports;
    this.#dialing.add(address.peerId);
    try {
      await network.dial(address.text);
      this.#met(address);
    } catch (error) {
      log.debug({ address: address.text }, `cannot reach a peer: ${messageOf(error)}`);
      if (error instanceof LedgerError && error.code.startsWith('p2p.other_')) book.forget(address.peerId);
      else book.failed(address);
    } finally {
      this.#dialing.delete(address.peerId);
    }
  }

  /**
   * To one seed, when nobody else is left to dial, or dialling does not help: less and less often while there
   * are peers. One that is connected already, because it came to this node, is asked where it is.
   */
  #visitSeed(connected: ReadonlySet<string>): void {
    const { network, timers, random } = this.#ports;
    const { seeds, limits } = this.#options;
    const nowMs = timers.nowMs();
    const seed = seeds[Math.floor(random() * seeds.length)];
    if (seed === undefined || nowMs < this.#seedDueMs || this.#dialing.has(peerIdAtEnd(seed))) return;
    this.#seedVisits = connected.size === 0 ? 0 : this.#seedVisits + 1;
    const waitMs = Math.min(limits.seedIntervalMaxMs, limits.seedIntervalMs * 2 ** this.#seedVisits);
    this.#seedDueMs = nowMs + waitMs * (0.75 + random() / 2);
    const peer = network.peers().find(({ id }) => id === peerIdAtEnd(seed));
    if (peer === undefined) void this.#visit(seed);
    else if (this.#wasLetRest(peer.id)) void this.#ask(peer);
  }

  async #visit(seed: string): Promise<void> {
    const { network, log } = this.#ports;
    const peerId = peerIdAtEnd(seed);
    this.#dialing.add(peerId);
    try {
      await network.dial(seed);
      this.metrics.seedsVisited++;
      const peer = network.peers().find(({ id }) => id === peerId);
      if (peer === undefined) return;
      await this.#ask(peer);
      if (!peer.persistent) network.disconnect(peerId, 'the seed was asked');
    } catch (error) {
      log.warn({ seed }, `cannot reach a seed: ${messageOf(error)}`);
    } finally {
      this.#dialing.delete(peerId);
      if (this.#running) this.#dialMore();
    }
  }

  #connected(peer: PeerInfo): void {
    const { book, timers } = this.#ports;
    const { seedMode, limits } = this.#options;
    const address = addressOf(peer);
    if (peer.direction === 'outbound') {
      if (this.#isSeed(peer.id)) return;
      if (address !== undefined) this.#met(address);
      if (this.#mayAsk(peer.id)) void this.#ask(peer);
      return;
    }
    const source = sourceOf(peer);
    if (address !== undefined) book.vouch(address, source);
    const claimed = parseAddress(peer.listenAddress);
    if (claimed?.routable === true && claimed.peerId === peer.id) book.add(claimed, source);
    if (seedMode) timers.after(limits.seedHoldMs, () => this.#part(peer));
  }

  /** Who sends this node away at once may do so again: it is not dialled for a while. */
  #disconnected(peer: PeerInfo): void {
    const { book, timers } = this.#ports;
    const { seedMode, limits } = this.#options;
    const address = peer.direction === 'outbound' ? addressOf(peer) : undefined;
    const shortLived = timers.nowMs() - (this.#metAtMs.get(peer.id) ?? 0) < limits.shortLivedMs;
    this.#metAtMs.delete(peer.id);
    if (this.#running && !seedMode && shortLived && address !== undefined) book.failed(address);
  }

  #met(address: PeerAddress): void {
    const { book, timers } = this.#ports;
    const { seedMode, limits } = this.#options;
    book.good(address, seedMode ? limits.crawlIntervalMs : 0);
    this.#metAtMs.set(address.peerId, timers.nowMs());
  }

  #mayAsk(peerId: string): boolean {
    return this.#ports.book.size < this.#options.limits.bookEnough && this.#wasLetRest(peerId);
  }

  #wasLetRest(peerId: string): boolean {
    const askedAtMs = this.#askedAtMs.get(peerId);
    if (askedAtMs === undefined) return true;
    return this.#ports.timers.nowMs() - askedAtMs >= this.#options.limits.askIntervalMs;
  }

  /** An outbound peer: one that this node chose. While it has none, one of those that chose it. */
  #askSomebody(): void {
    const { network, random } = this.#ports;
    const peers = network.peers().filter(({ id }) => !this.#isSeed(id));
    const chosen = peers.filter(({ direction }) => direction === 'outbound');
    const due = (chosen.length > 0 ? chosen : peers).filter(({ id }) => this.#mayAsk(id));
    const peer = due[Math.floor(random() * due.length)];
    if (peer !== undefined) void this.#ask(peer);
  }

  async #ask(peer: PeerInfo): Promise<void> {
    const { network, book, timers, log } = this.#ports;
    const { limits, seedMode } = this.#options;
    remember(this.#askedAtMs, peer.id, timers.nowMs());
    this.metrics.asked++;
    const request = encodeAddressesRequest(ADDRESSES_MAX);
    try {
      const response = await network.request(peer.id, ADDRESSES_PROTOCOL.name, request, {
        timeoutMs: limits.requestTimeoutMs,
      });
      const addresses = readAnswer(network, peer, response);
      for (const address of addresses) this.metrics.told[book.add(address, sourceOf(peer))]++;
      if (addresses.some(({ peerId }) => peerId === network.nodeId))
        network.penalize(peer.id, { reason: 'told this node its own address', points: SELF_POINTS });
      if (seedMode) this.#part(peer);
      else if (this.#running) this.#dialMore();
    } catch (error) {
      log.debug({ peer: peer.id }, `no addresses from a peer: ${messageOf(error)}`);
    }
  }

  #answer(peer: PeerInfo, bytes: Uint8Array): Uint8Array {
    const { network, book, timers } = this.#ports;
    const { limits, seedMode } = this.#options;
    const wanted = decodeAddressesRequest(bytes);
    const nowMs = timers.nowMs();
    const lastMs = this.#answeredAtMs.get(peer.id);
    if (lastMs !== undefined && nowMs - lastMs < limits.answerIntervalMs) {
      network.penalize(peer.id, { reason: 'asked for addresses too often', points: TOO_OFTEN_POINTS });
      return encodeAddressesResponse([]);
    }
    remember(this.#answeredAtMs, peer.id, nowMs);
    if (seedMode) timers.after(PARTING_MS, () => this.#part(peer));
    this.metrics.answered++;
    const accept = ({ peerId }: PeerAddress): boolean =>
      peerId !== peer.id && !this.#private.has(peerId) && network.standing(peerId).bannedForMs === 0;
    return encodeAddressesResponse(book.share(wanted, accept));
  }

  #part({ id, connectedAtMs, persistent }: PeerInfo): void {
    const { network } = this.#ports;
    const standing = network.peers().find((peer) => peer.id === id);
    if (this.#running && !persistent && standing?.connectedAtMs === connectedAtMs)
      network.disconnect(id, 'a seed keeps nobody');
  }

  #isSeed(peerId: string): boolean {
    return this.#options.seeds.some((seed) => peerIdAtEnd(seed) === peerId);
  }
}

function readAnswer(network: Network, peer: PeerInfo, response: Uint8Array): readonly PeerAddress[] {
  try {
    return decodeAddressesResponse(response, ADDRESSES_MAX);
  } catch (error) {
    network.penalize(peer.id, { reason: `addresses: ${messageOf(error)}` });
    throw error;
  }
}

/**
 * Where a peer can be met: an outbound one where it was met; an inbound one on the host it came from, at the
 * port it says.
 */
function addressOf(peer: PeerInfo): PeerAddress | undefined {
  const remote = hostAndPort(peer.remoteAddress);
  const port = peer.direction === 'outbound' ? remote?.port : hostAndPort(peer.listenAddress)?.port;
  if (remote === undefined || port === undefined) return undefined;
  return makeAddress({ host: remote.host, port, peerId: peer.id });
}

function sourceOf(peer: PeerInfo): AddressSource {
  return { peerId: peer.id, group: groupOf(hostOf(peer.remoteAddress)) };
}

/** The moments noted longest ago are forgotten first. */
function remember(moments: Map<string, number>, peerId: string, atMs: number): void {
  moments.delete(peerId);
  moments.set(peerId, atMs);
  const oldest = moments.keys().next().value;
  if (moments.size > MOMENTS_MAX && oldest !== undefined) moments.delete(oldest);
}

function peerIdAtEnd(address: string): string {
  return address.slice(address.lastIndexOf('/') + 1);
}
