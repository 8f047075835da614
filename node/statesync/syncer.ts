/**
 * State sync: the state of a recent height from a snapshot, instead of executing every block.
 *
 * | step | what | when it fails |
 * | --- | --- | --- |
 * | discover | peers say which snapshots they have | waits, asks again, says what to check |
 * | verify | the light client vouches for headers h, h+1, h+2 | set aside; trust in doubt: the node stops |
 * | block | the block of that height, which peers may have pruned, is fetched | set aside: another snapshot |
 * | offer | the application judges the snapshot | refused for good, with its format or its peers |
 * | fetch | chunks from several peers into the work folder | another peer; without any, another snapshot |
 * | apply | the application takes the chunks in order | it says: fetch anew, ban these peers, or refuse all |
 * | compare | height and hash of the application are those of the headers | the node stops |
 *
 * The chosen snapshot, its block and its chunks are on disk: a restart goes on with them.
 */
import { equalBytes, toUpperHex } from '../../core/bytes.ts';
import { DecodeError, LedgerError, messageOf } from '../../core/errors.ts';
import {
  ResponseApplySnapshotChunk_Result as ApplyResult,
  ResponseOfferSnapshot_Result as OfferResult,
  type Snapshot,
} from '../../proto/gen/tendermint/abci/types.ts';
import { SNAPSHOTS_PROTOCOL } from '../../p2p/channels.ts';
import type { Logger, Network } from '../../p2p/network.ts';
import type { Timers } from '../../p2p/timers.ts';
import { ChunkFetcher } from './chunk-fetcher.ts';
import { decodeSnapshots, encodeSnapshotsRequest } from './messages.ts';
import { Offers } from './offers.ts';
import type { StateSyncOptions } from './options.ts';
import type { BlockSource, SnapshotTarget, TrustedChain } from './ports.ts';
import { diskError, onDisk, type Step, told, type Trouble, troubleError } from './trouble.ts';
import { type TrustedState, trustedState } from './trusted.ts';
import { Wakeup } from './wakeup.ts';
import type { WorkFolder } from './work-folder.ts';

/** What state sync works with. */
export interface SyncerPorts {
  readonly network: Network;
  readonly application: SnapshotTarget;
  readonly chain: TrustedChain;
  readonly blocks: BlockSource;
  readonly folder: WorkFolder;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Errors of the light client that say only that the headers are not there, or not to be compared, (yet). */
const NOT_THERE: readonly string[] = [
  'light.height_too_high',
  'light.not_found',
  'light.no_response',
  'light.no_cross_reference',
];
/** Chunks that are asked for anew because the application refused them, for each chunk and at least. */
const REFETCHES_MIN = 100;
/** Times that one snapshot is begun anew because the application asks for it. */
const RESTORES_MAX = 3;

/** What became of a snapshot. */
type Outcome = 'restored' | 'rejected' | 'again';

/** See the file comment. */
export class StateSyncer {
  readonly #ports: SyncerPorts;
  readonly #options: StateSyncOptions;
  readonly #offers = new Offers();
  readonly #wakeup: Wakeup;

  constructor(ports: SyncerPorts, options: StateSyncOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#wakeup = new Wakeup(ports.timers);
  }

  /**
   * Restores the application; returns what the chain vouches for about its state. The block of that height is
   * in the work folder then.
   * @throws LedgerError `statesync.*`, `light.*` when going on would not help
   */
  async run(): Promise<TrustedState> {
    const { network, folder } = this.#ports;
    const stop = network.onPeer({
      connected: (peer) => void this.#discover(peer.id),
      disconnected: (peer) => this.#offers.removePeer(peer.id),
    });
    try {
      if (folder.plan === undefined) await this.#pause(this.#options.discoveryTimeMs);
      else
        this.#ports.log.info(
          { height: folder.plan.height, here: folder.chunks, chunks: folder.plan.chunks },
          'state sync goes on with the snapshot of an earlier start',
        );
      for (let resumed = folder.plan; ; resumed = undefined) {
        const snapshot = resumed ?? (await this.#choose());
        const trusted = await this.#verified(snapshot);
        if (trusted !== undefined && (await this.#restore(snapshot, trusted))) return trusted;
        await this.#discoverAnew(); // what peers offer may be others by now
      }
    } finally {
      stop();
    }
  }

  /** Waits in pieces, so that a stopped world is noticed. */
  async #pause(durationMs: number): Promise<void> {
    await this.#wakeup.wait(durationMs);
  }

  async #choose(): Promise<Snapshot> {
    const { network, timers, log } = this.#ports;
    for (;;) {
      const best = this.#offers.best(timers.nowMs());
      if (best !== undefined) return best;
      const peers = network.peers().map(({ id }) => id);
      const retryMs = this.#options.discoveryTimeMs;
      const next = `they are asked again in ${retryMs} ms`;
      log.warn(
        { ...told({ step: 'discover', peers, next }), retryMs },
        peers.length === 0
          ? 'state sync: no peer is connected; check p2p.persistent_peers and p2p.seeds'
          : 'state sync: no peer offers a snapshot that can be used; peers make some with state-sync.snapshot-interval in app.toml',
      );
      await this.#discoverAnew();
      if (this.#offers.best(timers.nowMs()) === undefined) await this.#pause(this.#options.discoveryTimeMs);
    }
  }

  /** Asks all peers; does not wait long for one that does not answer. */
  async #discoverAnew(): Promise<void> {
    const peers = this.#ports.network.peers();
    await Promise.race([
      Promise.all(peers.map((peer) => this.#discover(peer.id))),
      this.#pause(this.#options.discoveryTimeMs),
    ]);
  }

  async #discover(peerId: string): Promise<void> {
    const { network, log } = this.#ports;
    const timeoutMs = this.#options.chunkRequestTimeoutMs;
    try {
      const request = encodeSnapshotsRequest();
      const answer = await network.request(peerId, SNAPSHOTS_PROTOCOL.name, request, { timeoutMs });
      const snapshots = decodeSnapshots(answer);
      this.#offers.offered(peerId, snapshots);
      log.info({ peer: peerId, heights: snapshots.map(({ height }) => height) }, 'a peer offers snapshots');
    } catch (error) {
      const next = 'the other peers are asked, and this one again later';
      const trouble = told({ step: 'discover', peers: [peerId], next });
      log.info({ ...trouble, reason: messageOf(error) }, 'a peer does not say which snapshots it has');
      if (error instanceof DecodeError) network.penalize(peerId, { reason: `snapshots: ${error.message}` });
    }
  }

  /** What the chain says about the snapshot's height; undefined when it cannot say it now. */
  async #verified(snapshot: Snapshot): Promise<TrustedState | undefined> {
    const { chain, log, timers } = this.#ports;
    const { height } = snapshot;
    const { headersAttempts, headersWaitMs, setAsideMs } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await trustedState(chain, height);
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
        if (!NOT_THERE.includes(error.code)) throw this.#notVerified(height, error);
        const next = 'the servers are asked again, then another snapshot is tried; see that they run';
        const trouble = told({ step: 'verify', peers: chain.servers, next });
        const facts = { ...trouble, height, attempt, reason: error.message };
        if (attempt < headersAttempts) {
          log.info(facts, 'the headers after a snapshot are not there yet');
          await this.#pause(headersWaitMs);
          continue;
        }
        log.warn(facts, 'no headers for a snapshot: another one is tried; check statesync.rpc_servers');
        this.#offers.setAside(snapshot, timers.nowMs() + setAsideMs);
        return undefined;
      }
    }
  }

  async #restore(snapshot: Snapshot, trusted: TrustedState): Promise<boolean> {
    const { application, folder, log } = this.#ports;
    const { height, chunks } = snapshot;
    const { appHash } = trusted.current.header;
    await this.#disk('block', 'write the plan', folder.begin(snapshot));
    const isRestored = (await application.lastState()).height === height;
    if (!(await this.#haveBlock(trusted))) {
      if (isRestored) throw this.#noBlock(height);
      const peers = this.#ports.network.peers().map(({ id }) => id);
      const next = 'another snapshot is tried, this one again later';
      const trouble = told({ step: 'block', peers, next });
      log.warn({ ...trouble, height }, 'no connected peer has the block of a snapshot: another one is tried');
      return this.#leave(snapshot);
    }
    if (isRestored) return this.#compare(height, appHash);
    log.info({ height, chunks, here: folder.chunks, appHash: toUpperHex(appHash) }, 'restoring a snapshot');
    for (let attempt = 1; ; attempt++) {
      const outcome = (await this.#offer(snapshot, appHash)) ? await this.#apply(snapshot) : 'rejected';
      if (outcome === 'restored') return this.#compare(height, appHash);
      if (outcome === 'again' && attempt < RESTORES_MAX) continue;
      if (outcome === 'again') this.#gaveUp(snapshot);
      return this.#leave(snapshot);
    }
  }

  /** Whether the block of the snapshot's height is in the work folder, fetched if need be. */
  async #haveBlock({ last }: TrustedState): Promise<boolean> {
    const { blocks, folder } = this.#ports;
    if ((await this.#disk('block', 'read the block', folder.block())) !== undefined) return true;
    const encoded = await blocks.block(last);
    if (encoded === undefined) return false;
    await this.#disk('block', 'write the block', folder.saveBlock(encoded));
    return true;
  }

  /** For some time, and what is here of it goes. */
  async #leave(snapshot: Snapshot): Promise<false> {
    this.#offers.setAside(snapshot, this.#ports.timers.nowMs() + this.#options.setAsideMs);
    await this.#disk('discover', 'remove a snapshot that is left', this.#ports.folder.clear());
    return false;
  }

  /** Says that the application never finishes with a snapshot. */
  #gaveUp(snapshot: Snapshot): void {
    const peers = this.#offers.peersOf(snapshot);
    const next = 'another snapshot is tried, this one again later';
    const facts = {
      ...told({ step: 'apply', peers, next }),
      height: snapshot.height,
      attempts: RESTORES_MAX,
    };
    this.#ports.log.warn(
      facts,
      'the application has a snapshot begun anew over and over; another one is tried',
    );
  }

  /** Work in the work folder. */
  #disk<T>(step: Step, act: string, done: Promise<T>): Promise<T> {
    return onDisk({ step, act, facts: {} }, done);
  }

  #noBlock(height: bigint): LedgerError {
    return troubleError('statesync.no_block', {
      step: 'block',
      peers: this.#ports.network.peers().map(({ id }) => id),
      what: `the state of height ${height} is restored, but its block is missing here and no connected peer has it`,
      next: 'connect to a peer that has it (p2p.persistent_peers) and start the node again, it goes on from here',
      facts: { height },
    });
  }

  /** What speaks against the trust itself. */
  #notVerified(height: bigint, cause: LedgerError): LedgerError {
    return troubleError(cause.code, {
      step: 'verify',
      peers: this.#ports.chain.servers,
      what: `the headers ${height} to ${height + 2n} cannot be verified: ${cause.message}`,
      next: nextAfter(cause.code),
      facts: cause.facts,
      cause,
    });
  }

  /** Whether the application takes the snapshot. */
  async #offer(snapshot: Snapshot, appHash: Uint8Array): Promise<boolean> {
    const { application, log } = this.#ports;
    const { height, format } = snapshot;
    const peers = this.#offers.peersOf(snapshot);
    const { result } = await inStep(
      { step: 'offer', peers, height },
      application.offerSnapshot({ snapshot, appHash }),
    );
    if (result === OfferResult.ACCEPT) return true;
    if (
      result !== OfferResult.REJECT &&
      result !== OfferResult.REJECT_FORMAT &&
      result !== OfferResult.REJECT_SENDER
    )
      throw aborted({ step: 'offer', peers, height }, 'does not want to be restored');
    const trouble = told({ step: 'offer', peers, next: nextAfterOffer(result) });
    log.warn({ ...trouble, height, format }, 'the application refuses a snapshot that is offered');
    if (result === OfferResult.REJECT_FORMAT) this.#offers.rejectFormat(format);
    if (result === OfferResult.REJECT_SENDER)
      this.#blame(snapshot, 'it offers a snapshot that cannot be right');
    this.#offers.reject(snapshot);
    return false;
  }

  async #apply(snapshot: Snapshot): Promise<Outcome> {
    const { application, folder, log } = this.#ports;
    const { height, chunks } = snapshot;
    const fetcher = new ChunkFetcher({ ...this.#ports, offers: this.#offers }, this.#options, snapshot);
    let refetches = REFETCHES_MIN + chunks;
    try {
      for (let index = 0; index < chunks; ) {
        const { chunk, sender } = await this.#disk('fetch', `read chunk ${index}`, fetcher.chunk(index));
        const at = { step: 'apply', peers: [sender], height } as const;
        const response = await inStep(at, application.applySnapshotChunk({ index, chunk, sender }));
        for (const peerId of response.rejectSenders) await this.#rejectSender(snapshot, peerId, index);
        for (const again of response.refetchChunks)
          await this.#disk('apply', `remove chunk ${again}`, fetcher.refetch(again));
        if (response.result === ApplyResult.ACCEPT) {
          index++;
          if (index < chunks) log.debug({ height, chunk: index, chunks }, 'a chunk is applied');
          continue;
        }
        const ended = this.#refused(snapshot, sender, response.result);
        if (ended !== undefined) return ended;
        if (--refetches < 0) return this.#reject(snapshot, 'its chunks are refused over and over');
      }
      return 'restored';
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== 'statesync.no_peers') throw error;
      const next = 'another snapshot is tried, this one again later; connect to more peers that have it';
      const trouble = told({ step: 'fetch', peers: fetcher.asked, next });
      log.warn(
        { ...trouble, height, here: folder.chunks, reason: error.message },
        'state sync: another snapshot is tried',
      );
      return 'rejected';
    } finally {
      await fetcher.stop();
    }
  }

  /** What a chunk that was not taken means for the snapshot; undefined when it is tried again. */
  #refused(snapshot: Snapshot, sender: string, result: number): Outcome | undefined {
    switch (result) {
      case ApplyResult.RETRY:
        return undefined;
      case ApplyResult.RETRY_SNAPSHOT:
        return 'again';
      case ApplyResult.REJECT_SNAPSHOT:
        return this.#reject(
          snapshot,
          'it does not have the app hash of the chain, or cannot be read',
          `its snapshot of height ${snapshot.height} does not have the app hash of the chain`,
        );
      default:
        throw aborted({ step: 'apply', peers: [sender], height: snapshot.height }, 'gave up the restore');
    }
  }

  /** With what all who offer it are blamed for, if they are. */
  #reject(snapshot: Snapshot, reason: string, blame?: string): Outcome {
    const peers = this.#offers.peersOf(snapshot);
    const next =
      blame === undefined ? 'another snapshot is tried' : 'they are banned, another snapshot is tried';
    const facts = { ...told({ step: 'apply', peers, next }), height: snapshot.height, reason };
    this.#ports.log.warn(facts, 'a snapshot is refused; another one is tried');
    if (blame !== undefined) this.#blame(snapshot, blame);
    this.#offers.reject(snapshot);
    return 'rejected';
  }

  /** Who offers what turned out to be wrong has made it up: the hashes in the offer bind every chunk. */
  #blame(snapshot: Snapshot, reason: string): void {
    for (const peerId of this.#offers.peersOf(snapshot)) {
      this.#ports.network.penalize(peerId, { reason });
      this.#offers.removePeer(peerId);
    }
  }

  async #rejectSender(snapshot: Snapshot, peerId: string, index: number): Promise<void> {
    const { network, folder, log } = this.#ports;
    const next = 'it is banned; what it sent is fetched anew from others';
    const trouble = told({ step: 'apply', peers: [peerId], next });
    log.warn({ ...trouble, height: snapshot.height, chunk: index }, 'a peer sent a wrong chunk');
    network.penalize(peerId, { reason: `wrong chunk ${index} of the snapshot of height ${snapshot.height}` });
    this.#offers.removePeer(peerId);
    await this.#disk('apply', 'remove wrong chunks', folder.forgetFrom(peerId, index));
  }

  async #compare(height: bigint, appHash: Uint8Array): Promise<true> {
    const found = await this.#ports.application.lastState();
    if (found.height === height && equalBytes(found.appHash, appHash)) {
      this.#ports.log.info({ height, appHash: toUpperHex(appHash) }, 'the state is restored and verified');
      return true;
    }
    throw troubleError('statesync.app_hash', {
      step: 'compare',
      peers: this.#ports.chain.servers,
      what:
        `after state sync the application is at height ${found.height} with hash ${toUpperHex(found.appHash)}, the ` +
        `chain's at height ${height} is ${toUpperHex(appHash)}`,
      next:
        "is this the program's version for the chain? Delete everything in the data directory but " +
        'priv_validator_state.json and start again',
      facts: { height },
    });
  }
}

/** Where something is wrong. */
type Place = Pick<Trouble, 'step' | 'peers'> & { readonly height: bigint };

function aborted({ step, peers, height }: Place, what: string): LedgerError {
  return troubleError('statesync.aborted', {
    step,
    peers,
    what: `the application ${what} (snapshot of height ${height})`,
    next:
      'state sync needs an empty state; delete everything in the data directory but priv_validator_state.json, ' +
      'or set statesync.enable = false',
    facts: { height },
  });
}

/** What the application answers; what it throws says where it did. */
async function inStep<T>({ step, peers, height }: Place, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (!(cause instanceof LedgerError)) {
      const act = `restore the snapshot of height ${height}`;
      throw diskError(cause, { step, peers, act, facts: { height } });
    }
    if (cause.code === 'assert') throw cause;
    throw troubleError(cause.code, {
      step,
      peers,
      what: `the application failed at the snapshot of height ${height}: ${cause.message}`,
      next: 'mend that and start the node again, it goes on with the chunks that are here',
      facts: cause.facts,
      cause,
    });
  }
}

/** What helps when the headers cannot be verified. */
function nextAfter(code: string): string {
  switch (code) {
    case 'light.expired':
      return 'take a newer statesync.trust_height and its hash';
    case 'light.from_future':
      return "set this machine's clock, then start again";
    case 'light.priorities':
    case 'statesync.params':
      return 'put others into statesync.rpc_servers, in place of those that are wrong';
    default:
      return 'find out which chain is right, put servers of it into statesync.rpc_servers, and start again';
  }
}

function nextAfterOffer(result: number): string {
  switch (result) {
    case OfferResult.REJECT_FORMAT:
      return 'a snapshot of another format is tried; the release of these peers may know more formats';
    case OfferResult.REJECT_SENDER:
      return 'they are banned, another snapshot is tried';
    default:
      return 'another snapshot is tried';
  }
}
