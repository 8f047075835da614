/**
 * Fetches the chunks of one snapshot from the peers that offer it, several at a time, into the work folder. A
 * request that fails is made to another peer; a peer that does not have what it offered is no longer asked.
 */
import { DecodeError, LedgerError, messageOf } from '../../core/errors.ts';
import type { Snapshot } from '../../proto/gen/tendermint/abci/types.ts';
import { SNAPSHOT_CHUNK_PROTOCOL } from '../../p2p/channels.ts';
import type { Logger, Network } from '../../p2p/network.ts';
import type { Timers } from '../../p2p/timers.ts';
import { decodeChunk, encodeChunkRequest } from './messages.ts';
import type { Offers } from './offers.ts';
import type { StateSyncOptions } from './options.ts';
import { diskError, told, troubleError } from './trouble.ts';
import type { ReceivedChunk, WorkFolder } from './work-folder.ts';
import { Wakeup } from './wakeup.ts';

/** Requests to one peer at a time. */
const REQUESTS_PER_PEER_MAX = 2;
/** Peers that an error can tell of. */
const ASKED_REMEMBERED_MAX = 1_000;
/** A peer that fails three times where that is not excused is banned. */
const FAILURE_POINTS = 34;
/**
 * One that has sent a chunk may be slow, or we: so often in a row it may fail before that costs it as much.
 */
const EXCUSED_MAX = 2;

/**
 * Behind the slowest pace a snapshot may fall by so many times what is waited for a chunk. A chunk may come
 * as late as at a quarter of the rate that a request is given, and be as small as what comes in a second at
 * that.
 */
const BEHIND_PACE_MAX = 5;
const PACE_BYTES_PER_SECOND_PART = 4;
const PACE_CHUNK_MS = 1_000;

/** How often a peer that has sent a chunk has failed since; when last. */
interface Standing {
  failures: number;
  failedAtMs: number;
}

/** What the fetcher works with. */
export interface FetcherPorts {
  readonly network: Network;
  readonly offers: Offers;
  readonly folder: WorkFolder;
  readonly timers: Timers;
  readonly log: Logger;
}

/** See the file comment. */
export class ChunkFetcher {
  readonly #ports: FetcherPorts;
  readonly #options: StateSyncOptions;
  readonly #snapshot: Snapshot;
  readonly #wakeup: Wakeup;
  /** Who is asked for a chunk. */
  readonly #asked = new Map<number, string>();
  /** Who has ever been asked. */
  readonly #everAsked = new Set<string>();
  /** Who failed to deliver a chunk last. */
  readonly #failed = new Map<number, string>();
  /** Who has sent a chunk. */
  readonly #delivered = new Map<string, Standing>();
  /** Until when a peer is not asked. */
  readonly #distrusted = new Map<string, number>();
  /** Chunks that are being written; none of these rejects. */
  readonly #saving = new Set<Promise<void>>();
  /** Every chunk below is here or was used. */
  #lowest = 0;
  /** When the last chunk arrived. */
  #arrivedAtMs: number = Number.NEGATIVE_INFINITY;
  /** How long what is here took longer to wait for than at the slowest pace. */
  #behindMs = 0;
  #stopped = false;
  /** Some peer does not have what it offered any more. */
  #isWithdrawn = false;
  #failure: unknown;

  constructor(ports: FetcherPorts, options: StateSyncOptions, snapshot: Snapshot) {
    this.#ports = ports;
    this.#options = options;
    this.#snapshot = snapshot;
    this.#wakeup = new Wakeup(ports.timers);
  }

  /**
   * A chunk, once it is here. That peers can be asked is no progress: only a chunk that arrives is. When none
   * has for too long, or they come too slowly, nobody is asked any more, and what is under way then is the
   * last chance.
   * @throws LedgerError `statesync.no_peers` when nobody has sent a chunk, or enough of them, for too long
   */
  async chunk(index: number): Promise<ReceivedChunk> {
    const { folder, timers } = this.#ports;
    const fromMs = timers.nowMs();
    this.#lowest = index;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const here = folder.has(index) ? await folder.chunk(index) : undefined;
      if (here !== undefined) return here;
      const beganMs = timers.nowMs();
      const waitedMs = beganMs - Math.max(fromMs, this.#arrivedAtMs);
      const isPaced = this.#behindMs < BEHIND_PACE_MAX * this.#options.peersWaitMs;
      if (isPaced && waitedMs < this.#waitMs()) this.#pump();
      else if (this.#asked.size === 0) throw this.#noPeers(index);
      await this.#wakeup.wait(this.#options.tickMs);
      this.#behindMs += timers.nowMs() - beganMs;
    }
  }

  #arrived(bytes: number): void {
    const bytesPerMs = this.#options.bytesPerSecondMin / PACE_BYTES_PER_SECOND_PART / 1000;
    this.#arrivedAtMs = this.#ports.timers.nowMs();
    this.#behindMs = Math.max(0, this.#behindMs - PACE_CHUNK_MS - bytes / bytesPerMs);
  }

  /** Peers that are away may come back; what all have pruned will not. */
  #waitMs(): number {
    const { peersWaitMs, goneWaitMs } = this.#options;
    const isGone = this.#isWithdrawn && this.#ports.offers.peersOf(this.#snapshot).length === 0;
    return isGone ? goneWaitMs : peersWaitMs;
  }

  /** Who has been asked for chunks, also those who are gone. */
  get asked(): readonly string[] {
    return [...this.#everAsked];
  }

  /** Asks anew for a chunk, of another peer if there is one. */
  async refetch(index: number): Promise<void> {
    await this.#ports.folder.forget(index);
    if (index < this.#lowest) this.#lowest = index;
  }

  /** No further requests; what arrives later is dropped. Resolves when nothing is being written any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#saving);
  }

  #pump(): void {
    const { chunks } = this.#snapshot;
    for (let index = this.#lowest; index < chunks; index++) {
      if (this.#stopped || this.#asked.size >= this.#options.chunkFetchers) return;
      if (this.#asked.has(index) || this.#ports.folder.has(index)) continue;
      const peerId = this.#pick(index);
      if (peerId === undefined) return;
      void this.#ask(peerId, index);
    }
  }

  /** The least busy peer, not the one that failed last if there is another. */
  #pick(index: number): string | undefined {
    const nowMs = this.#ports.timers.nowMs();
    const load = new Map<string, number>();
    for (const peerId of this.#asked.values()) load.set(peerId, (load.get(peerId) ?? 0) + 1);
    const able = this.#ports.offers
      .peersOf(this.#snapshot)
      .filter(
        (id) => (load.get(id) ?? 0) < REQUESTS_PER_PEER_MAX && (this.#distrusted.get(id) ?? 0) <= nowMs,
      );
    const others = able.filter((id) => id !== this.#failed.get(index));
    return leastBusy(others.length > 0 ? others : able, load);
  }

  async #ask(peerId: string, index: number): Promise<void> {
    const { network, offers, log, timers } = this.#ports;
    const { height, format } = this.#snapshot;
    const askedAtMs = timers.nowMs();
    this.#asked.set(index, peerId);
    if (this.#everAsked.size < ASKED_REMEMBERED_MAX) this.#everAsked.add(peerId);
    try {
      const request = { height, format, index };
      const { chunkRequestTimeoutMs: timeoutMs, bytesPerSecondMin } = this.#options;
      const times = { timeoutMs, bytesPerSecondMin };
      const bytes = encodeChunkRequest(request);
      const answer = await network.request(peerId, SNAPSHOT_CHUNK_PROTOCOL.name, bytes, times);
      const chunk = decodeChunk(request, answer);
      if (chunk === undefined) {
        const next = 'it is not asked for this snapshot again, the others are';
        const trouble = told({ step: 'fetch', peers: [peerId], next });
        log.info({ ...trouble, height, chunk: index }, 'a peer does not have a chunk that it offered');
        offers.withdraw(this.#snapshot, peerId);
        this.#isWithdrawn = true;
        this.#failed.set(index, peerId);
      } else if (!this.#stopped) {
        this.#delivered.set(peerId, { failures: 0, failedAtMs: Number.NEGATIVE_INFINITY });
        this.#arrived(chunk.length);
        const saving = this.#keep(index, { chunk, sender: peerId });
        this.#saving.add(saving);
        await saving;
        this.#saving.delete(saving);
      }
    } catch (error) {
      this.#requestFailed({ peerId, index, askedAtMs }, error);
    } finally {
      this.#asked.delete(index);
      this.#wakeup.wake();
    }
  }

  async #keep(index: number, received: ReceivedChunk): Promise<void> {
    try {
      await this.#ports.folder.save(index, received);
      this.#failed.delete(index);
    } catch (cause) {
      this.#failure = diskError(cause, {
        step: 'fetch',
        peers: [received.sender],
        act: `write chunk ${index}`,
        facts: { chunk: index },
      });
    }
  }

  #requestFailed(
    {
      peerId,
      index,
      askedAtMs,
    }: { readonly peerId: string; readonly index: number; readonly askedAtMs: number },
    error: unknown,
  ): void {
    const { network, log, timers } = this.#ports;
    const { height } = this.#snapshot;
    const code = error instanceof LedgerError ? error.code : undefined;
    this.#failed.set(index, peerId);
    this.#distrusted.set(peerId, timers.nowMs() + this.#options.distrustMs);
    const trouble = told({
      step: 'fetch',
      peers: [peerId],
      next: 'it is asked of another peer, if there is one',
    });
    log.info({ ...trouble, height, chunk: index, reason: messageOf(error) }, 'no chunk from a peer');
    if (error instanceof DecodeError)
      network.penalize(peerId, { reason: `snapshot chunk: ${error.message}` });
    else if ((code === 'p2p.timeout' || code === 'p2p.refused') && !this.#isExcused(peerId, askedAtMs))
      network.penalize(peerId, { reason: `no chunk ${index}: ${code}`, points: FAILURE_POINTS });
  }

  /** Of one that has sent a chunk; requests that fail together are one failure. */
  #isExcused(peerId: string, askedAtMs: number): boolean {
    const standing = this.#delivered.get(peerId);
    if (standing === undefined) return false;
    if (askedAtMs >= standing.failedAtMs) {
      standing.failures++;
      standing.failedAtMs = this.#ports.timers.nowMs();
    }
    return standing.failures <= EXCUSED_MAX;
  }

  #noPeers(index: number): LedgerError {
    const { height, chunks } = this.#snapshot;
    return troubleError('statesync.no_peers', {
      step: 'fetch',
      peers: this.asked,
      what: `chunk ${index} of ${chunks} of the snapshot of height ${height} is not here, and no connected peer sends it, or fast enough`,
      next: 'another snapshot is tried',
      facts: { height, chunk: index },
    });
  }
}

function leastBusy(peers: readonly string[], load: ReadonlyMap<string, number>): string | undefined {
  let found: string | undefined;
  for (const id of peers) {
    if (found === undefined || (load.get(id) ?? 0) < (load.get(found) ?? 0)) found = id;
  }
  return found;
}
