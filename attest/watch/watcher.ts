/**
 * Looks at the chain again and again, and acts on what it finds. It remembers nothing that matters: what is
 * still to be judged is on the chain, and a shard that was found right is in the cache under its id. So it
 * can be killed at any moment, and several may watch one chain.
 */
import { toHex } from '../../core/bytes.ts';
import { AssertionError, LedgerError, messageOf } from '../../core/errors.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { type ClaimShard, faultOfClaim } from './judge-claim.ts';
import { omissionOf } from './judge-omission.ts';
import { judgeShard, type ShardVerdict } from './judge-shard.ts';
import type { CardCache } from './card-cache.ts';
import { InfluenceWatch } from './influence-watch.ts';
import type { WatchMetrics } from './metrics.ts';
import type {
  Demand,
  PendingClaim,
  PublishedShard,
  Publisher,
  Publishers,
  WatchChain,
  WatchLogger,
} from './ports.ts';
import type { TextCache } from './text-cache.ts';

/** Most rounds that something is left alone after it failed again and again. */
const PAUSE_ROUNDS_MAX = 64;

/** Times that something is tried at which the watcher itself fails. */
const BUG_TRIES_MAX = 3;

/** What a watcher is made of. */
export interface WatcherParts {
  readonly chain: WatchChain;
  readonly publishers: Publishers;
  readonly cache: TextCache;
  readonly cards: CardCache;
  readonly logger: WatchLogger;
  readonly metrics: WatchMetrics;
}

/** What it may do. */
export interface WatcherOptions {
  /** Endpoints that are asked for texts besides each shard's own. */
  readonly sources: readonly string[];
  /** Where texts are looked for first: of private Datanets nobody serves them. */
  readonly texts?: Publisher | undefined;
  /** Secrets of the indexes of private Datanets. */
  readonly secretOf?: ((shard: PublishedShard) => Uint8Array | undefined) | undefined;
}

/** What failed, and when it is tried again. */
interface Failure {
  readonly times: number;
  /** How many of them were bugs of ours. */
  readonly bugs: number;
  readonly nextRound: number;
}

/** Judges shards and claims. */
export class Watcher {
  readonly #parts: WatcherParts;
  readonly #options: WatcherOptions;
  readonly #influence: InfluenceWatch;
  readonly #failures = new Map<string, Failure>();
  /** Shards and claims that need no further look. */
  readonly #settled = new Set<string>();
  /** Why shards could not be judged, as the log has it. */
  readonly #said = new Map<string, string>();
  #round = 0;
  /** Why the chain could not be read the last time. */
  #trouble = '';

  constructor(parts: WatcherParts, options: WatcherOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#influence = new InfluenceWatch(parts, options);
  }

  /** One look at the chain. Never rejects: what failed is logged, counted and tried again. */
  async round(): Promise<void> {
    const { chain, metrics, logger } = this.#parts;
    this.#round++;
    try {
      const shards = await chain.shards();
      const demands = await chain.demands(new Set(shards.map(({ id }) => id)));
      for (const shard of shards)
        await this.#guard(`shard ${shard.id}`, () => this.#watchShard(shard, demands));
      const cards = await this.#influence.begin();
      for (const card of cards) await this.#guard(`card ${card.id}`, () => this.#influence.watchCard(card));
      const claims = await chain.pendingClaims();
      for (const claim of claims) await this.#guard(`claim ${claim.id}`, () => this.#watchClaim(claim));
      const names = Object.entries({ shard: shards, card: cards, claim: claims });
      this.#forget(new Set(names.flatMap(([what, list]) => list.map(({ id }) => `${what} ${id}`))));
      this.#trouble = '';
    } catch (error) {
      metrics.failure('chain');
      const trouble = messageOf(error);
      if (trouble !== this.#trouble)
        logger.warn({ error: trouble }, 'the chain could not be read; the next rounds try again');
      this.#trouble = trouble;
    }
    metrics.round();
  }

  /** What the chain no longer lists needs no memory. */
  #forget(listed: ReadonlySet<string>): void {
    this.#influence.forget(listed);
    for (const memory of [this.#settled, this.#failures, this.#said])
      for (const what of memory.keys()) if (!listed.has(what)) memory.delete(what);
  }

  /** Does something unless it is settled, or failed a short time ago. */
  async #guard(what: string, task: () => Promise<boolean>): Promise<void> {
    const failure = this.#failures.get(what);
    if (this.#settled.has(what) || (failure !== undefined && failure.nextRound > this.#round)) return;
    const { metrics, logger } = this.#parts;
    try {
      if (await task()) this.#settled.add(what);
      this.#failures.delete(what);
    } catch (error) {
      const times = (failure?.times ?? 0) + 1;
      const bugs = (failure?.bugs ?? 0) + (isBug(error) ? 1 : 0);
      const pause = bugs < BUG_TRIES_MAX ? Math.min(2 ** times, PAUSE_ROUNDS_MAX) : Number.POSITIVE_INFINITY;
      this.#failures.set(what, { times, bugs, nextRound: this.#round + pause });
      const next = bugs < BUG_TRIES_MAX ? `tried again in ${pause} rounds` : 'given up until a new start';
      const where = what.split(' ')[0] ?? '';
      if (isBug(error)) {
        metrics.bug(where);
        logger.error({ error: error.stack }, `${what}: the watcher has a bug here, ${next}`);
      } else {
        metrics.failure(where);
        logger.warn({ error: messageOf(error) }, `${what}: failed, ${next}`);
      }
    }
  }

  /** True when the shard needs no further look. */
  async #watchShard(shard: PublishedShard, demands: readonly Demand[]): Promise<boolean> {
    const { chain, cache, publishers, metrics, logger } = this.#parts;
    const { id, commitment, publisher } = shard;
    const { texts, secretOf } = this.#options;
    const records = await chain.records(commitment.datanetId, commitment.firstPosition, commitment.documents);
    const endpoints = [...new Set([...shard.endpoints, ...this.#options.sources])];
    const verdict = await judgeShard(
      {
        shard,
        records,
        demands: demands.filter(({ shardId: of }) => of === id),
        publishers: [...(texts === undefined ? [] : [texts]), ...endpoints.map(publishers)],
        saltSecret: secretOf?.(shard),
      },
      cache,
    );
    metrics.shard(verdict.kind);
    const facts = { shard: id, publisher, documents: commitment.documents, tokens: commitment.tokens };
    switch (verdict.kind) {
      case 'right':
        logger.info(facts, `shard ${id} is what its texts say`);
        return true;
      case 'private':
        logger.info(facts, `shard ${id} is salted: who does not share its texts cannot judge it`);
        return true;
      case 'locked':
        logger.warn(
          facts,
          `shard ${id} is salted under another secret than is shared for it: demand its leaves`,
        );
        return true;
      case 'wrong': {
        const tx = await chain.convictShard(id, verdict.proof);
        metrics.sent('conviction');
        const sizes = { fraud: verdict.fraud, proof_bytes: verdict.proof.length };
        logger.warn({ ...facts, ...sizes, tx }, `shard ${id} is wrong (${verdict.fraud}) and is convicted`);
        return true;
      }
      case 'unavailable':
        await this.#demand(shard, verdict);
        return false;
    }
  }

  /** Asks on the chain for what nobody serves: who does not answer loses the shard. */
  async #demand(
    { id, publisher }: PublishedShard,
    { reason, demands }: Extract<ShardVerdict, { kind: 'unavailable' }>,
  ): Promise<void> {
    const { chain, metrics, logger } = this.#parts;
    const sentence = `shard ${id} cannot be judged: ${reason}`;
    if (this.#said.get(`shard ${id}`) !== sentence) logger.warn({ shard: id, publisher }, sentence);
    this.#said.set(`shard ${id}`, sentence);
    for (const place of demands) {
      const tx = await chain.requestChunk(id, place);
      metrics.sent('demand');
      const { tree, document, chunk } = place;
      logger.info(
        { shard: id, tree, document, chunk, tx },
        `a piece of shard ${id} is demanded on the chain`,
      );
    }
  }

  /** True when the claim needs no further look. */
  async #watchClaim(pending: PendingClaim): Promise<boolean> {
    const { chain, metrics, logger } = this.#parts;
    const { id, claim, claimant } = pending;
    if (claim === undefined)
      throw new LedgerError('attest.no_claim', `the transaction of claim ${id} is not found`, { id });
    const { influence } = claim;
    if (influence !== undefined) {
      const found = await this.#influence.watchClaim(pending, { claim, influence });
      if (found !== 'right' || claim.token === undefined) return found !== 'waits';
    }
    const { token } = claim;
    if (token === undefined) {
      metrics.claim('unjudged');
      logger.warn({ claim: id, claimant }, `claim ${id} cannot be judged: no part of it can be recomputed`);
      return true;
    }
    const shards = this.#openShards(pending);
    if (shards === undefined) return false;
    try {
      const { open } = shards;
      const { answered } = pending;
      const fault = faultOfClaim(token.spans, open);
      const omission =
        fault !== undefined || answered === undefined
          ? undefined
          : omissionOf({ ...answered, token, shards: open });
      metrics.claim(fault === undefined && omission === undefined ? 'right' : 'wrong');
      if (fault !== undefined) {
        const tx = await chain.disputeClaim(id, claim, fault.dispute);
        metrics.sent('dispute');
        logger.warn({ claim: id, claimant, tx }, `claim ${id} is false and is refuted: ${fault.reason}`);
      } else if (omission !== undefined) {
        const tx = await chain.disputeOmission(id, claim, omission.dispute);
        metrics.sent('dispute');
        const said = `claim ${id} leaves something out and is refuted: ${omission.reason}`;
        logger.warn({ claim: id, claimant, tx }, said);
      } else {
        const facts = {
          claim: id,
          claimant,
          spans: token.spans.length,
          answer_known: answered !== undefined,
        };
        logger.info(facts, `claim ${id} is true`);
      }
      return true;
    } finally {
      shards.close();
    }
  }

  /** Recomputed shards of a claim; undefined as long as one of them is not found right. */
  #openShards({ shards }: PendingClaim): { readonly open: readonly ClaimShard[]; close(): void } | undefined {
    const { cache } = this.#parts;
    const keyed = shards.map((shard) => ({ shard, key: toHex(shardId(shard.commitment)) }));
    if (!keyed.every(({ key }) => cache.hasShard(key))) return undefined;
    const open = keyed.map(({ shard, key }) => ({
      id: shard.id,
      ...cache.openShard(key, this.#options.secretOf?.(shard)),
    }));
    return {
      open: open.map(({ id, shard }) => ({ id, reader: shard })),
      close: () => {
        for (const { close } of open) close();
      },
    };
  }
}

/** Whether an error is our own; a request that fails is a TypeError too, with the reason as its cause. */
function isBug(error: unknown): error is Error {
  if (error instanceof AssertionError) return true;
  const isPlain =
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return isPlain && error.cause === undefined;
}
