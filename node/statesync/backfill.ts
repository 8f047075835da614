/**
 * What lies below the height of a snapshot: its block, and the headers, commits and validators before it as
 * far as evidence may be about them. Each header names the hash of the one below and of the signatures of its
 * commit. The round is not in that hash: one signature of each commit is checked for it.
 */
import { type Block, decodeBlock } from '../../consensus/types/block.ts';
import { equalBlockId } from '../../consensus/types/block-id.ts';
import { commitHash } from '../../consensus/types/commit.ts';
import { type Header, headerHash } from '../../consensus/types/header.ts';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import { partsOf } from '../../consensus/types/part-set.ts';
import { timeToNanos } from '../../consensus/types/time.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import { verifyCommitRound } from '../../consensus/types/verify-commit.ts';
import { equalBytes } from '../../core/bytes.ts';
import { DecodeError, type LedgerError, messageOf } from '../../core/errors.ts';
import { BLOCKS_PROTOCOL, LIGHT_BLOCK_PROTOCOL } from '../../p2p/channels.ts';
import type { Logger, Network } from '../../p2p/network.ts';
import type { Timers } from '../../p2p/timers.ts';
import { decodeBlockBytes, decodeLightBlockResponse, encodeHeightRequest } from './messages.ts';
import type { StateSyncOptions } from './options.ts';
import type { HeaderSink, VerifiedBlock } from './ports.ts';
import { told, troubleError } from './trouble.ts';
import { Wakeup } from './wakeup.ts';

/** Light blocks asked of one peer at a time. */
const REQUESTS_PER_PEER = 6;
/** Peers that are remembered when they are away. */
const KNOWN_MAX = 1_000;

/** What is fetched with. */
export interface BackfillPorts {
  readonly network: Network;
  readonly timers: Timers;
  readonly log: Logger;
  readonly verify: VerifySignature;
}

/** How far back headers are needed: to the first that is at or below both. */
export interface BackfillEnd {
  readonly height: bigint;
  readonly timeNanos: bigint;
  /** Nothing is below. */
  readonly initialHeight: bigint;
}

/** How far back evidence may be about, seen from the last block. */
export function evidenceEnd(
  last: Pick<Header, 'height' | 'time'>,
  params: {
    readonly maxAgeNumBlocks: bigint;
    readonly maxAgeDuration: { readonly seconds: bigint; readonly nanos: number };
  },
  initialHeight: bigint,
): BackfillEnd {
  const { maxAgeNumBlocks, maxAgeDuration } = params;
  return {
    height: last.height - maxAgeNumBlocks,
    timeNanos: timeToNanos(last.time) - timeToNanos(maxAgeDuration),
    initialHeight,
  };
}

/** A light block that was asked for ahead; nothing of it is verified. */
interface Guess {
  readonly peerId: string;
  readonly block: Promise<LightBlock | undefined>;
}

/**
 * Requests to any peer that may have what is wanted: of those, to the ones that failed least often. Failures
 * are never forgotten, so that who is mute, slow or busy by turns holds up the others hardly more often than
 * they fail themselves.
 */
export class Backfill {
  readonly #ports: BackfillPorts;
  readonly #options: StateSyncOptions;
  readonly #wakeup: Wakeup;
  /** Peers that did not have a height, and the highest of these. */
  readonly #missing = new Map<string, bigint>();
  /** Who has ever been connected. */
  readonly #known = new Set<string>();
  /** How often a peer has failed to answer, or kept all waiting. */
  readonly #failures = new Map<string, number>();
  /** Light blocks that a peer is asked for now. */
  readonly #load = new Map<string, number>();

  constructor(ports: BackfillPorts, options: StateSyncOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#wakeup = new Wakeup(ports.timers);
    ports.network.onPeer({
      connected: ({ id }) => {
        if (this.#known.size < KNOWN_MAX) this.#known.add(id);
      },
      disconnected: () => undefined,
    });
  }

  /** The block that a verified light block is of, encoded; undefined when no connected peer has it. */
  async block(trusted: LightBlock): Promise<Uint8Array | undefined> {
    return this.#ask(trusted.header.height, BLOCKS_PROTOCOL.name, (answer) => {
      const encoded = decodeBlockBytes(answer);
      if (encoded !== undefined) verifiedBlock(trusted, encoded);
      return encoded;
    });
  }

  /**
   * Fetches the light blocks below a verified header, from the top down; ends early where no peer has them:
   * not before all have said so that have ever been connected, or have been away for too long.
   * Returns the lowest height that is there.
   * @throws LedgerError `statesync.no_peers` when no peer has been connected for too long
   */
  async headers(from: Header, sink: HeaderSink, end: BackfillEnd): Promise<bigint> {
    let above = from;
    const { log } = this.#ports;
    if (isEnd(above, end)) return above.height;
    log.info({ below: above.height, to: end.height }, 'fetching headers that evidence may be about');
    /** By height: asked for together, used from the top. */
    const asked = new Map<bigint, Guess>();
    while (!isEnd(above, end)) {
      const lowest = above.height - BigInt(this.#options.backfillWindow);
      for (let height = above.height - 1n; height >= lowest && height >= end.initialHeight; height--) {
        const guess = asked.get(height) ?? this.#guess(height);
        if (guess === undefined) break;
        asked.set(height, guess);
      }
      const height = above.height - 1n;
      const guess = asked.get(height);
      asked.delete(height);
      const block = (await this.#guessed(above, guess)) ?? (await this.#below(above));
      if (block === undefined) {
        if (this.#ports.network.peers().length === 0) throw noPeers(height, [...this.#known]);
        const peers = this.#ports.network.peers().map(({ id }) => id);
        const next = 'the node goes on without them; each start asks again';
        log.warn(
          { ...told({ step: 'back-fill', peers, next }), height },
          'no peer has headers this far back: evidence about older blocks cannot be judged',
        );
        return above.height;
      }
      await sink.save(block);
      above = block.header;
    }
    log.info({ lowest: above.height }, 'headers are there as far back as evidence counts');
    return above.height;
  }

  /** A light block from one of the best peers, asked for ahead; undefined when they all have enough to do. */
  #guess(height: bigint): Guess | undefined {
    const [peerId] = this.#best(height).sort((a, b) => this.#loadOf(a) - this.#loadOf(b));
    if (peerId === undefined || this.#loadOf(peerId) >= REQUESTS_PER_PEER) return undefined;
    const read = (answer: Uint8Array): LightBlock | undefined => decodeLightBlockResponse(height, answer);
    this.#load.set(peerId, this.#loadOf(peerId) + 1);
    const block = this.#askOne({ peerId, height, protocol: LIGHT_BLOCK_PROTOCOL.name }, read).finally(() =>
      this.#load.set(peerId, this.#loadOf(peerId) - 1),
    );
    return { peerId, block };
  }

  /**
   * The light block if it is the one that the header above names; otherwise its sender is to blame. It is not
   * waited for long when another peer may have it.
   */
  async #guessed(above: Header, guess: Guess | undefined): Promise<LightBlock | undefined> {
    if (guess === undefined) return undefined;
    const { peerId } = guess;
    const height = above.height - 1n;
    const isAlone = this.#ports.network.peers().every(({ id }) => id === peerId || this.#lacks(id, height));
    const block = isAlone ? await guess.block : await this.#inTime(guess, height);
    if (block === undefined) return undefined;
    try {
      return linked(above, block, this.#ports.verify);
    } catch (error) {
      this.#ports.network.penalize(peerId, { reason: messageOf(error) });
      return undefined;
    }
  }

  /** Of one that has failed more often than others meanwhile: only if it is here. */
  async #inTime({ peerId, block }: Guess, height: bigint): Promise<LightBlock | undefined> {
    const waitMs = this.#best(height).includes(peerId) ? this.#options.hedgeMs : 0;
    let cancel = (): void => undefined;
    const late = new Promise<'late'>((resolve) => {
      cancel = this.#ports.timers.after(waitMs, () => resolve('late'));
    });
    const first = await Promise.race([block, late]);
    cancel();
    if (first !== 'late') return first;
    if (waitMs > 0) this.#failed(peerId);
    return undefined;
  }

  async #below(above: Header): Promise<LightBlock | undefined> {
    const height = above.height - 1n;
    const { timers } = this.#ports;
    const untilMs = timers.nowMs() + this.#options.peersWaitMs;
    const read = (answer: Uint8Array): LightBlock | undefined => {
      const block = decodeLightBlockResponse(height, answer);
      return block === undefined ? undefined : linked(above, block, this.#ports.verify);
    };
    for (;;) {
      const found = await this.#ask(height, LIGHT_BLOCK_PROTOCOL.name, read);
      if (found !== undefined) return found;
      while (this.#best(height).length === 0) {
        if (timers.nowMs() >= untilMs || !this.#isAnyAway(height)) return undefined;
        await this.#wakeup.wait(this.#options.tickMs);
      }
      if (timers.nowMs() >= untilMs) return undefined;
    }
  }

  /** Whether a peer that is not banned and may have a height was connected and is not. */
  #isAnyAway(height: bigint): boolean {
    const { network } = this.#ports;
    const here = new Set(network.peers().map(({ id }) => id));
    return [...this.#known].some(
      (id) => !here.has(id) && !this.#lacks(id, height) && network.standing(id).bannedForMs === 0,
    );
  }

  #misses(peerId: string, height: bigint): void {
    if (!this.#missing.has(peerId) && this.#missing.size >= KNOWN_MAX) this.#missing.clear();
    if (!this.#lacks(peerId, height)) this.#missing.set(peerId, height);
  }

  #lacks(peerId: string, height: bigint): boolean {
    return (this.#missing.get(peerId) ?? -1n) >= height;
  }

  /** Asks one peer after the other, some times over; undefined when none has it. */
  async #ask<T>(
    height: bigint,
    protocol: string,
    read: (answer: Uint8Array) => T | undefined,
  ): Promise<T | undefined> {
    const { timers } = this.#ports;
    const untilMs = timers.nowMs() + this.#options.peersWaitMs;
    for (;;) {
      const peers = this.#ports.network.peers().map(({ id }) => id);
      for (const peerId of peers.sort((a, b) => this.#failuresOf(a) - this.#failuresOf(b))) {
        const found = await this.#askOne({ peerId, height, protocol }, read);
        if (found !== undefined) return found;
      }
      const allMiss = peers.length > 0 && peers.every((id) => this.#lacks(id, height));
      if (allMiss || timers.nowMs() >= untilMs) return undefined;
      await this.#wakeup.wait(this.#options.tickMs);
    }
  }

  async #askOne<T>(
    at: { readonly peerId: string; readonly height: bigint; readonly protocol: string },
    read: (answer: Uint8Array) => T | undefined,
  ): Promise<T | undefined> {
    const { network, log } = this.#ports;
    const { peerId, height, protocol } = at;
    const { heightRequestTimeoutMs: timeoutMs, bytesPerSecondMin } = this.#options;
    const times = { timeoutMs, bytesPerSecondMin };
    try {
      const found = read(await network.request(peerId, protocol, encodeHeightRequest(height), times));
      if (found === undefined) this.#misses(peerId, height);
      return found;
    } catch (error) {
      this.#failed(peerId);
      log.debug({ peer: peerId, height, protocol, reason: messageOf(error) }, 'no answer from a peer');
      if (error instanceof DecodeError) network.penalize(peerId, { reason: `${protocol}: ${error.message}` });
      return undefined;
    }
  }

  /** Of the peers that may reach that far back, those that failed least often. */
  #best(height: bigint): string[] {
    const able = this.#ports.network
      .peers()
      .map(({ id }) => id)
      .filter((id) => !this.#lacks(id, height));
    const least = Math.min(...able.map((id) => this.#failuresOf(id)));
    return able.filter((id) => this.#failuresOf(id) === least);
  }

  #failuresOf(peerId: string): number {
    return this.#failures.get(peerId) ?? 0;
  }

  #failed(peerId: string): void {
    const before = this.#failuresOf(peerId);
    if (before > 0 || this.#failures.size < KNOWN_MAX) this.#failures.set(peerId, before + 1);
  }

  #loadOf(peerId: string): number {
    return this.#load.get(peerId) ?? 0;
  }
}

function noPeers(height: bigint, peers: readonly string[]): LedgerError {
  return troubleError('statesync.no_peers', {
    step: 'back-fill',
    peers,
    what: `state sync fetches older headers and has lost its last peer at height ${height}`,
    next: 'check p2p.persistent_peers and start the node again, it goes on from here',
    facts: { height },
  });
}

/** Whether headers are needed no further than this one. */
export function isEnd({ height, time }: Pick<Header, 'height' | 'time'>, end: BackfillEnd): boolean {
  return height <= end.initialHeight || (height <= end.height && timeToNanos(time) <= end.timeNanos);
}

/** @throws DecodeError when the header above does not name this block, or its commit was changed */
function linked(above: Header, block: LightBlock, verify: VerifySignature): LightBlock {
  const { header, commit, validators } = block;
  const isNamed =
    header.height === above.height - 1n &&
    equalBytes(headerHash(header), above.lastBlockId.hash) &&
    equalBlockId(commit.blockId, above.lastBlockId) &&
    equalBytes(commitHash(commit), above.lastCommitHash);
  if (!isNamed)
    throw new DecodeError(`light block ${header.height} is not the one that the header above it names`);
  const { chainId, height } = header;
  try {
    verifyCommitRound({ chainId, validators, height, blockId: above.lastBlockId, commit, verify });
  } catch (cause) {
    throw new DecodeError(`light block ${height}: ${messageOf(cause)}`, { height }, cause);
  }
  return block;
}

/**
 * The block of a verified light block, taken apart.
 * @throws DecodeError when the bytes are not that block
 */
export function verifiedBlock(trusted: LightBlock, encoded: Uint8Array): VerifiedBlock {
  const block: Block = decodeBlock(encoded);
  const { header, parts } = partsOf(encoded);
  const blockId = { hash: headerHash(block.header), partSetHeader: header };
  if (!equalBlockId(blockId, trusted.commit.blockId))
    throw new DecodeError(`block ${trusted.header.height} is not the one of the verified header`);
  return { block, parts };
}
