/**
 * Block sync: brings a node that is behind to the height of its peers, with whole blocks and the precommits
 * for them.
 *
 * It runs for the node's whole life. Before the node takes part in consensus it fetches whatever peers
 * have, many blocks at a time, delivers them in order, and ends by joining consensus. After that it looks
 * on: when peers have stored blocks that this node does not come to decide by itself, it fetches those too.
 *
 * Claims of peers are hints (see `sources.ts`); every block is verified by the target before it counts. How
 * long claims can keep the node from consensus is bounded by its own clock, not by what peers do.
 */
import { DecodeError, LedgerError, messageOf } from '../../core/errors.ts';
import { BLOCKS_PROTOCOL, SYNC_CHANNEL } from '../../p2p/channels.ts';
import { type Logger, type Network, type PeerInfo, SLOWEST_BYTES_PER_SECOND } from '../../p2p/network.ts';
import type { Timers } from '../../p2p/timers.ts';
import {
  AnswerRoom,
  type BlockRange,
  BlockSizes,
  decodeBlockRequest,
  decodeBlockResponse,
  decodeRange,
  encodeBlockRequest,
  encodeBlockResponse,
  encodeRange,
  type SentBlock,
} from './messages.ts';
import type { BlockSyncMetrics, SyncStore, SyncTarget } from './ports.ts';
import { Sources } from './sources.ts';

/** What block sync works with. */
export interface BlockSyncPorts {
  readonly network: Network;
  readonly store: SyncStore;
  readonly target: SyncTarget;
  /** How old the target's last block is, by its time and our clock. Absent: it is old. */
  readonly lastBlockAgeMs?: () => number;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Named limits and waits. */
export interface BlockSyncOptions {
  /** Heights past the next one that may be asked for. */
  readonly windowBlocks: bigint;
  /** Bytes of blocks that wait to be applied; beyond it only the next one is asked for. */
  readonly bufferBytesMax: number;
  /**
   * How long a peer may take for an answer; what arrives from it gives it longer, so that blocks may be
   * large.
   */
  readonly requestTimeoutMs: number;
  /** So many bytes a second give it as long as it needs. */
  readonly bytesPerSecondMin: number;
  /** How long a peer is not believed after it did not deliver. */
  readonly distrustMs: number;
  /** How long connected peers have to say what they have, before the node goes by those that did. */
  readonly graceMs: number;
  /** How long claims above ours may stay without a valid block, before the node takes part all the same. */
  readonly patienceMs: number;
  /** A height that is needed soon is asked of a second peer when the first has not answered for so long. */
  readonly hedgeMs: number;
  /** How long consensus may take to get to a height that peers have, before its block is fetched. */
  readonly followDelayMs: number;
  /** Least time between two announcements of what is stored. */
  readonly announceIntervalMs: number;
  readonly tickMs: number;
}

/** For blocks of a second or so, on a network without state sync. */
export const DEFAULT_BLOCK_SYNC: BlockSyncOptions = {
  windowBlocks: 128n,
  bufferBytesMax: 64 * 1024 * 1024,
  requestTimeoutMs: 10_000,
  bytesPerSecondMin: SLOWEST_BYTES_PER_SECOND,
  distrustMs: 30_000,
  graceMs: 2_000,
  patienceMs: 15_000,
  hedgeMs: 2_000,
  followDelayMs: 1_000,
  announceIntervalMs: 50,
  tickMs: 250,
};

/** A peer that has delivered nothing and times out, or lacks what it claimed, three times is banned. */
const UNKEPT_POINTS = 34;
/** One that is busy, or that has delivered and was silent, is asked again after this. */
const PAUSE_MS = 1_000;
/** Patience with the claims of peers that have delivered, as a multiple of that with others. */
const PATIENCE_PROMISED = 4;
/** Between two warnings that the next block cannot be had. */
const WARN_INTERVAL_MS = 60_000;
/** Heights from the next one on that a second peer may be asked for. */
const HEDGED_BLOCKS = 16n;
/** A node with a block of this age or less is not behind, whatever peers claim. */
const YOUNG_MS = 30_000;
/** Peers asked for one height at the same time. */
const ASKED_MAX = 2;

interface Fetched extends SentBlock {
  readonly peerId: string;
}

/** Who was asked for a height and has not answered; when last. */
interface Asked {
  readonly peers: Set<string>;
  atMs: number;
}

/** The block sync of one node. */
export class BlockSync {
  readonly metrics: BlockSyncMetrics = {
    blocksApplied: 0,
    bytesReceived: 0,
    requestsFailed: 0,
    blocksInvalid: 0,
    blocksServed: 0,
  };
  readonly #ports: BlockSyncPorts;
  readonly #options: BlockSyncOptions;
  readonly #sources = new Sources();
  readonly #asked: Map<bigint, Asked> = new Map();
  readonly #fetched: Map<bigint, Fetched> = new Map();
  readonly #sizes = new BlockSizes();
  readonly #stops: (() => void)[] = [];
  #bufferedBytes = 0;
  #applying = false;
  /** The height that the target is executing: it was fetched, and is not asked for again. */
  #delivering: bigint | undefined;
  #joined = false;
  #running = false;
  #startedAtMs = 0;
  /** Since when there are claims above ours, or since the last block that was applied. */
  #waitingSinceMs: number | undefined;
  /** The height at which this node has been behind its peers, and since when. */
  #behind: { readonly next: bigint; readonly sinceMs: number } | undefined;
  #warnedAtMs: number = Number.NEGATIVE_INFINITY;
  #cancelTick: () => void = () => undefined;
  #announcing = false;

  constructor(ports: BlockSyncPorts, options: BlockSyncOptions) {
    this.#ports = ports;
    this.#options = options;
    ports.network.handle(SYNC_CHANNEL.name, (peer, bytes) => this.#onRange(peer, bytes));
    ports.network.serve(BLOCKS_PROTOCOL.name, (_peer, bytes) => this.#serve(bytes));
  }

  start(): void {
    const { network, target, store, timers } = this.#ports;
    this.#running = true;
    this.#startedAtMs = timers.nowMs();
    this.#stops.push(
      network.onPeer({
        connected: (peer) => void network.send(peer.id, SYNC_CHANNEL.name, encodeRange(store.range())),
        disconnected: (peer) => this.#disconnected(peer),
      }),
      target.onEvent((event) => {
        if (event.kind === 'committed') this.#announce();
      }),
    );
    this.#tick();
  }

  stop(): void {
    this.#running = false;
    this.#cancelTick();
    for (const stop of this.#stops.splice(0)) stop();
  }

  /**
   * True while the node is fetching blocks instead of deciding them: `catching_up` of RPC's status. Once it
   * has joined, what a peer claims that has delivered nothing says nothing, and no claim does while the last
   * block is young: who hands on each block as it is decided has delivered, and may claim a million.
   */
  isCatchingUp(): boolean {
    if (!this.#joined) return true;
    const ageMs = this.#ports.lastBlockAgeMs?.() ?? Number.POSITIVE_INFINITY;
    return ageMs > YOUNG_MS && this.#lag('delivered') > 1n;
  }

  #disconnected(peer: PeerInfo): void {
    this.#sources.remove(peer.id);
    this.#update();
  }

  #onRange(peer: PeerInfo, bytes: Uint8Array): void {
    const again = this.#sources.claim(peer.id, decodeRange(bytes));
    if (again !== undefined) this.#claimsAgain(peer.id, again);
    this.#update();
  }

  #serve(bytes: Uint8Array): Uint8Array {
    const { height, blocksMax } = decodeBlockRequest(bytes);
    const blocks: SentBlock[] = [];
    const room = new AnswerRoom();
    while (blocks.length < blocksMax) {
      const block = this.#stored(height + BigInt(blocks.length));
      if (block === undefined || !room.take(block)) break;
      blocks.push(block);
    }
    this.metrics.blocksServed += blocks.length;
    return encodeBlockResponse(blocks);
  }

  #stored(height: bigint): SentBlock | undefined {
    const { store } = this.#ports;
    const blockBytes = store.blockBytes(height);
    const commit = store.commit(height);
    return blockBytes === undefined || commit === undefined ? undefined : { blockBytes, commit };
  }

  /** Tells what is stored: at once, and then at most once an interval. */
  #announce(): void {
    if (this.#announcing) return;
    this.#announcing = true;
    this.#ports.timers.after(this.#options.announceIntervalMs, () => {
      this.#announcing = false;
      if (!this.#running) return;
      this.#ports.network.broadcast(SYNC_CHANNEL.name, encodeRange(this.#ports.store.range()));
      this.#update();
    });
  }

  #tick(): void {
    this.#update();
    this.#cancelTick = this.#ports.timers.after(this.#options.tickMs, () => this.#tick());
  }

  /** Blocks that believed peers have and this node has not. */
  #lag(whose: 'all' | 'delivered' = 'all'): bigint {
    const next = this.#ports.target.nextHeight();
    const highest = this.#sources.highest(next, this.#ports.timers.nowMs(), whose);
    return highest < next ? 0n : highest - next + 1n;
  }

  #update(): void {
    if (!this.#running) return;
    const lag = this.#lag();
    if (!this.#joined && this.#isReadyToJoin(lag)) this.#join();
    if (this.#shouldFetch(lag)) this.#fetch(lag);
    this.#warnOfPruned();
    void this.#apply();
  }

  /** Nothing helps here but other peers, or another start: says so, now and then. */
  #warnOfPruned(): void {
    const { target, timers, log } = this.#ports;
    const nowMs = timers.nowMs();
    const next = target.nextHeight();
    const from = this.#sources.prunedTo(next, nowMs);
    if (from === undefined || nowMs - this.#startedAtMs < this.#options.graceMs) return;
    if (nowMs - this.#warnedAtMs < WARN_INTERVAL_MS) return;
    this.#warnedAtMs = nowMs;
    log.warn(
      { next, peersHaveFrom: from },
      'no connected peer has the next block any more: connect to one that keeps more blocks (p2p.persistent_peers), or ' +
        'begin anew with state sync (docs/operations/state-sync.md)',
    );
  }

  #isReadyToJoin(lag: bigint): boolean {
    const { target, network, timers } = this.#ports;
    this.#forgetBefore(target.nextHeight());
    const nowMs = timers.nowMs();
    if (this.#applying) return false;
    if (lag > 0n) this.#waitingSinceMs ??= nowMs;
    const waitedMs = nowMs - (this.#waitingSinceMs ?? nowMs);
    const isPromised = this.#sources.isPromised(target.nextHeight());
    const patienceMs = this.#options.patienceMs * (isPromised ? PATIENCE_PROMISED : 1);
    if (waitedMs >= patienceMs) return true; // nobody kept a claim above ours in time
    if (this.#fetched.size > 0) return false;
    const graceIsOver = nowMs - this.#startedAtMs >= this.#options.graceMs;
    if (!this.#sources.hasClaims(nowMs)) return graceIsOver && target.decidesAlone();
    if (!graceIsOver && this.#sources.size < network.peers().length) return false;
    // The others go on while the last blocks are fetched: one behind is as near as it may get.
    return lag === 0n || (lag === 1n && this.metrics.blocksApplied > 0);
  }

  #join(): void {
    this.#joined = true;
    const { target, log } = this.#ports;
    log.info({ height: target.nextHeight(), applied: this.metrics.blocksApplied }, 'block sync is done');
    target.joinConsensus();
  }

  #shouldFetch(lag: bigint): boolean {
    if (lag === 0n) {
      this.#behind = undefined;
      return false;
    }
    if (!this.#joined || lag > 1n) return true;
    const next = this.#ports.target.nextHeight();
    if (this.#isExecuting(next)) return false;
    const nowMs = this.#ports.timers.nowMs();
    if (this.#behind?.next !== next) this.#behind = { next, sinceMs: nowMs };
    return nowMs - this.#behind.sinceMs >= this.#options.followDelayMs;
  }

  #fetch(lag: bigint): void {
    const { target, timers } = this.#ports;
    const { windowBlocks, bufferBytesMax } = this.#options;
    const next = target.nextHeight();
    this.#forgetBefore(next);
    const room =
      this.#bufferedBytes < bufferBytesMax ? this.#sizes.blocksIn(bufferBytesMax, windowBlocks) : 1n;
    const end = next + (lag < room ? lag : room);
    for (let height = this.#isExecuting(next) ? next + 1n : next; height < end; height++) {
      if (height === this.#delivering || this.#fetched.has(height)) continue;
      const asked = this.#asked.get(height);
      if (asked !== undefined && !this.#mayAskAnother(asked, height - next)) continue;
      const source = this.#sources.pick(height, timers.nowMs(), asked?.peers);
      if (source === undefined) continue;
      const wanted = Math.min(source.blocksMax, this.#sizes.blocksPerAnswer);
      const blocksMax = asked === undefined ? this.#askable(height, { end, blocksMax: wanted }) : 1;
      // At the end of the window: a little later, more can be asked for at once.
      const isCutShort = blocksMax < wanted && height + BigInt(blocksMax) === end && lag > room;
      if (isCutShort && height !== next && asked === undefined) break;
      void this.#ask(source.peerId, { height, blocksMax });
      height += BigInt(blocksMax - 1);
    }
  }

  /** How many heights from one on, that nobody was asked for, one request asks a source for. */
  #askable(height: bigint, { end, blocksMax }: { readonly end: bigint; readonly blocksMax: number }): number {
    let count = 1;
    for (let next = height + 1n; count < blocksMax && next < end; next++, count++)
      if (this.#fetched.has(next) || this.#asked.has(next)) break;
    return count;
  }

  /** A peer that is slow to answer, or never does, holds up what is needed next only for a moment. */
  #mayAskAnother({ peers, atMs }: Asked, ahead: bigint): boolean {
    const waitedMs = this.#ports.timers.nowMs() - atMs;
    return ahead < HEDGED_BLOCKS && peers.size < ASKED_MAX && waitedMs >= this.#options.hedgeMs;
  }

  /** Consensus has decided the height by itself, and only executing it takes its time. */
  #isExecuting(next: bigint): boolean {
    const view = this.#ports.target.consensus()?.view();
    return view?.decided !== undefined && view.height === next;
  }

  #forgetBefore(next: bigint): void {
    for (const [height, { blockBytes }] of this.#fetched) {
      if (height >= next) continue;
      this.#fetched.delete(height);
      this.#bufferedBytes -= blockBytes.length;
    }
  }

  async #ask(peerId: string, range: BlockRange): Promise<void> {
    const { network } = this.#ports;
    const { height, blocksMax } = range;
    const { requestTimeoutMs: timeoutMs, bytesPerSecondMin } = this.#options;
    const times = { timeoutMs, bytesPerSecondMin };
    const heights = Array.from({ length: blocksMax }, (_, i) => height + BigInt(i));
    const asked = heights.map((each) => this.#noteAsked(peerId, each));
    this.#sources.asked(peerId, height);
    const askedAtMs = this.#ports.timers.nowMs();
    try {
      const request = encodeBlockRequest(height, blocksMax);
      const response = await network.request(peerId, BLOCKS_PROTOCOL.name, request, times);
      this.metrics.bytesReceived += response.length;
      const blocks = decodeBlockResponse(range, response);
      if (blocks.length === 0) this.#hasNone(peerId, height);
      for (const [i, block] of blocks.entries()) this.#keep(height + BigInt(i), { ...block, peerId });
    } catch (error) {
      this.#requestFailed({ peerId, height, askedAtMs }, error);
    } finally {
      for (const [i, each] of heights.entries()) this.#noteAnswered(peerId, each, asked[i]);
      this.#sources.answered(peerId, height);
      this.#update();
    }
  }

  #noteAsked(peerId: string, height: bigint): Asked {
    const asked: Asked = this.#asked.get(height) ?? { peers: new Set(), atMs: 0 };
    asked.peers.add(peerId);
    asked.atMs = this.#ports.timers.nowMs();
    this.#asked.set(height, asked);
    return asked;
  }

  #noteAnswered(peerId: string, height: bigint, asked: Asked | undefined): void {
    asked?.peers.delete(peerId);
    if (asked?.peers.size === 0 && this.#asked.get(height) === asked) this.#asked.delete(height);
  }

  #keep(height: bigint, fetched: Fetched): void {
    const isNeeded = height >= this.#ports.target.nextHeight() && height !== this.#delivering;
    if (!isNeeded || this.#fetched.has(height)) return; // two were asked
    this.#fetched.set(height, fetched);
    this.#sizes.received(fetched);
    this.#ports.target.expectSynced?.({ ...fetched, height });
    this.#bufferedBytes += fetched.blockBytes.length;
  }

  #hasNone(peerId: string, height: bigint): void {
    if (!this.#sources.lacks(peerId, height)) return; // it has said so in the meantime
    this.metrics.requestsFailed++;
    this.#distrust(peerId);
  }

  /** Who prunes blocks lacks some of what it has claimed, and says so then; who says it again lies. */
  #claimsAgain(peerId: string, height: bigint): void {
    const reason = `it claims block ${height} again and did not have it`;
    this.#ports.network.penalize(peerId, { reason, points: UNKEPT_POINTS });
  }

  #requestFailed(
    asked: { readonly peerId: string; readonly height: bigint; readonly askedAtMs: number },
    error: unknown,
  ): void {
    const { network, log, timers } = this.#ports;
    const { peerId, height, askedAtMs } = asked;
    const nowMs = timers.nowMs();
    const code = error instanceof LedgerError ? error.code : undefined;
    this.metrics.requestsFailed++;
    log.debug({ peer: peerId, height, reason: messageOf(error) }, 'block request failed');
    const isTimeout = code === 'p2p.timeout';
    if (this.#isExcused(peerId, code, { askedAtMs, nowMs })) {
      this.#sources.pause(peerId, nowMs + PAUSE_MS);
      return;
    }
    this.#distrust(peerId);
    if (error instanceof DecodeError)
      network.penalize(peerId, { reason: `block response: ${error.message}` });
    else if (isTimeout)
      network.penalize(peerId, { reason: `no block ${height} in time`, points: UNKEPT_POINTS });
  }

  /** Whether it is asked again soon; a refusal counts as a silence, and it is not. */
  #isExcused(
    peerId: string,
    code: string | undefined,
    at: { readonly askedAtMs: number; readonly nowMs: number },
  ): boolean {
    if (code === 'p2p.busy') return !this.#sources.busy(peerId, at);
    if (code !== 'p2p.timeout' && code !== 'p2p.refused') return false;
    return !this.#sources.stalled(peerId, at) && code === 'p2p.timeout';
  }

  #distrust(peerId: string): void {
    this.#sources.distrust(peerId, this.#ports.timers.nowMs() + this.#options.distrustMs);
  }

  /** Delivers what is here, in order. */
  async #apply(): Promise<void> {
    if (this.#applying) return;
    this.#applying = true;
    const { target } = this.#ports;
    try {
      for (let height = target.nextHeight(); this.#running; height = target.nextHeight()) {
        const fetched = this.#fetched.get(height);
        if (fetched === undefined) break;
        this.#forgetBefore(height + 1n);
        if (!(await this.#deliver(height, fetched))) break;
        const lag = this.#lag();
        if (this.#shouldFetch(lag)) this.#fetch(lag);
      }
    } finally {
      this.#applying = false;
    }
    if (this.#running && !this.#joined && this.#isReadyToJoin(this.#lag())) this.#join();
  }

  /** Delivers one block; false when it could not be applied. */
  async #deliver(height: bigint, { blockBytes, commit, peerId }: Fetched): Promise<boolean> {
    const { target, network, log } = this.#ports;
    this.#delivering = height;
    try {
      await target.applySynced({ height, blockBytes, commit });
      this.metrics.blocksApplied++;
      this.#sources.prove(peerId);
      if (this.#waitingSinceMs !== undefined) this.#waitingSinceMs = this.#ports.timers.nowMs();
      return true;
    } catch (error) {
      if (!(error instanceof LedgerError && error.code === 'sync.invalid_block')) {
        log.error({ height, err: error }, 'cannot apply a block');
        return false;
      }
      this.metrics.blocksInvalid++;
      this.#forgetFrom(peerId);
      this.#distrust(peerId);
      network.penalize(peerId, { reason: error.message });
      return false;
    } finally {
      this.#delivering = undefined;
    }
  }

  #forgetFrom(peerId: string): void {
    for (const [height, fetched] of this.#fetched) {
      if (fetched.peerId !== peerId) continue;
      this.#fetched.delete(height);
      this.#bufferedBytes -= fetched.blockBytes.length;
    }
  }
}
