/**
 * Looks at the chain again and again, and acts on what it finds: claims, and what they rest on, in two lanes
 * that do not wait for each other. It remembers nothing that matters: what is
 * still to be judged is on the chain, and a shard that was found right is in the cache under its id. So it
 * can be killed at any moment, and several may watch one chain.
 */
import { toHex } from '../../core/bytes.ts';
import type { Claim, TokenProvenance } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { type ClaimShard, faultOfClaim } from './judge-claim.ts';
import { Attempts, eachOf } from '../../watch/attempts.ts';
import { omissionOf, whyUnjudged } from './judge-omission.ts';
import { DemandPlaces } from '../../watch/demand-places.ts';
import { judgeShard } from './judge-shard.ts';
import { ShardDemands } from './shard-demands.ts';
import { SpendLimit } from './spend-limit.ts';
import type { CardCache } from './card-cache.ts';
import { InfluenceWatch } from './influence-watch.ts';
import type { WatchMetrics } from './metrics.ts';
import type { WatchLogger } from '../../watch/ports.ts';
import type {
  Demand,
  PendingClaim,
  PublishedCard,
  PublishedShard,
  Publisher,
  Publishers,
  WatchChain,
} from './ports.ts';
import { Patience, type Ticks } from '../../watch/patience.ts';
import { guardedPublisher } from './http-publisher.ts';
import type { TextCache } from './text-cache.ts';
import { TextRoom } from './text-room.ts';

/** Shards that are judged at the same time: while one waits for a publisher, others go on. */
const SHARDS_AT_ONCE = 4;

/** Cards that are judged at the same time: of each the leaves are in memory. */
const CARDS_AT_ONCE = 1;

/** Claims of influence that are judged at the same time: of each its card is in memory. */
const INFLUENCE_CLAIMS_AT_ONCE = 2;

/** Endpoints of one shard that are asked in a round, the latest: they share its time. */
const ENDPOINTS_MAX = 4;

/** What a watcher is made of. */
export interface WatcherParts {
  readonly chain: WatchChain;
  readonly publishers: Publishers;
  /** Runs the time that publishers have. */
  readonly ticks: Ticks;
  readonly cache: TextCache;
  readonly cards: CardCache;
  readonly logger: WatchLogger;
  readonly metrics: WatchMetrics;
}

/** What it may do. */
export interface WatcherOptions {
  /** Endpoints that are asked for texts besides each shard's own. */
  readonly sources: readonly string[];
  /** Ticks for which an endpoint is waited for in each round. */
  readonly ticksMax: number;
  /** Bytes of the longest text that is fetched, and of all that are fetched at the same time. */
  readonly textBytesMax: number;
  /** Where texts are looked for first: of private Datanets nobody serves them. */
  readonly texts?: Publisher | undefined;
  /** Secrets of the indexes of private Datanets. */
  readonly secretOf?: ((shard: PublishedShard) => Uint8Array | undefined) | undefined;
  /** Most that may be lost on the texts of one shard, in coins of bonds; what its conviction pays by default. */
  readonly demandBudget?: bigint | undefined;
  /** See `SpendLimitOptions`. */
  readonly spendMax?: bigint | undefined;
  readonly spentFile?: string | undefined;
}

/** Judging of one kind of thing, with its own rounds: what is slow in one keeps nothing up in the other. */
interface Lane {
  readonly name: 'claims' | 'published';
  readonly attempts: Attempts;
  readonly patience: Patience<Publisher>;
  readonly influence: InfluenceWatch;
  /** Why the chain could not be read the last time. */
  trouble: string;
}

/** The part of a claim that names passages, and the recomputed shards that it rests on. */
interface TokenPart {
  readonly claim: Claim;
  readonly token: TokenProvenance;
  readonly open: readonly ClaimShard[];
}

/** Judges shards and cards in one lane, claims in another. */
export class Watcher {
  readonly #parts: WatcherParts;
  readonly #options: WatcherOptions;
  readonly #claims: Lane;
  readonly #published: Lane;
  readonly #room: TextRoom;
  /** Claims that were disputed for one of their parts: the other one falls with it. */
  readonly #refuted = new Set<bigint>();
  readonly #places: DemandPlaces;
  /** Of shards and cards; of claims. */
  readonly #spending: Readonly<Record<Lane['name'], SpendLimit>>;
  readonly #demands: ShardDemands;
  /** Model cards as they were last listed, by either lane. */
  readonly #cards: { listed: readonly PublishedCard[] } = { listed: [] };
  /** Of the lane of shards. */
  #round = 0;

  constructor(parts: WatcherParts, options: WatcherOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#room = new TextRoom({ bytesMax: options.textBytesMax });
    this.#places = new DemandPlaces(parts.chain);
    const { spendMax, spentFile } = options;
    const ofClaims = spentFile === undefined ? undefined : `${spentFile}-claims`;
    this.#spending = {
      published: new SpendLimit(parts, { spendMax, spentFile }),
      claims: new SpendLimit(parts, { spendMax, spentFile: ofClaims }),
    };
    const ports = { ...parts, places: this.#places, spending: this.#spending.published };
    this.#demands = new ShardDemands(ports, options);
    this.#claims = this.#lane('claims');
    this.#published = this.#lane('published');
  }

  #lane(name: Lane['name']): Lane {
    const { publishers: open, ticks, metrics, logger } = this.#parts;
    const onSlow = (endpoint: string, rounds: number): void => {
      metrics.slow();
      logger.warn({ endpoint }, `${endpoint} is too slow: nothing is asked of it for ${rounds} rounds`);
    };
    const patience = new Patience(
      { publishers: open, guarded: guardedPublisher, ticks, onSlow },
      this.#options,
    );
    const publishers = (endpoint: string): Publisher => patience.publisher(endpoint);
    const shared = { places: this.#places, spending: this.#spending[name], published: this.#cards };
    const parts = { ...this.#parts, ...shared, publishers };
    const influence = new InfluenceWatch(parts, this.#options);
    return { name, attempts: new Attempts(this.#parts), patience, influence, trouble: '' };
  }

  /**
   * One look at the claims, which waits for no shard: what rests on one that is not judged yet is looked at
   * in the next. Never rejects: what failed is logged, counted and tried again.
   */
  async lookAtClaims(): Promise<void> {
    await this.#look(this.#claims, async ({ attempts }) => {
      const claims = await this.#parts.chain.pendingClaims();
      // First what nobody is asked for: no card and no publisher keeps it up.
      for (const pending of claims)
        await attempts.guard(`claim ${pending.id}`, () => this.#watchTokens(pending));
      if (claims.some((pending) => this.#hasUnlistedCard(pending)))
        this.#cards.listed = await this.#parts.chain.cards();
      await eachOf(claims, INFLUENCE_CLAIMS_AT_ONCE, (pending) =>
        attempts.guard(`influence ${pending.id}`, () => this.#watchInfluence(pending)),
      );
      const ids = new Set(claims.map(({ id }) => id));
      for (const id of this.#refuted) if (!ids.has(id)) this.#refuted.delete(id);
      return { claim: claims, influence: claims };
    });
  }

  #hasUnlistedCard({ claim }: PendingClaim): boolean {
    const cardId = claim?.influence?.cardId;
    return cardId !== undefined && !this.#cards.listed.some(({ id }) => id === cardId);
  }

  /** One look at the shards and model cards. Never rejects. */
  async lookAtPublished(): Promise<void> {
    await this.#look(this.#published, async ({ attempts, influence }) => {
      const { chain } = this.#parts;
      this.#round++;
      const shards = await chain.shards();
      const demands = await chain.demands(new Set(shards.map(({ id }) => id)));
      const cards = await chain.cards();
      this.#cards.listed = cards;
      await Promise.all([
        eachOf(shards, SHARDS_AT_ONCE, (shard) =>
          attempts.guard(`shard ${shard.id}`, () => this.#watchShard(shard, demands)),
        ),
        eachOf(cards, CARDS_AT_ONCE, (card) =>
          attempts.guard(`card ${card.id}`, () => influence.watchCard(card)),
        ),
      ]);
      const listed = { shard: shards, card: cards };
      this.#demands.forget(new Set(shards.map(({ id }) => `shard ${id}`)));
      return listed;
    });
  }

  /** A round of a lane, which returns what the chain lists. */
  async #look(
    lane: Lane,
    judge: (lane: Lane) => Promise<Readonly<Record<string, readonly { readonly id: bigint }[]>>>,
  ): Promise<void> {
    const { metrics, logger } = this.#parts;
    lane.attempts.begin();
    lane.patience.begin();
    try {
      const names = Object.entries(await judge(lane));
      const listed = new Set(names.flatMap(([what, list]) => list.map(({ id }) => `${what} ${id}`)));
      lane.attempts.forget(listed);
      lane.influence.forget(listed);
      lane.trouble = '';
    } catch (error) {
      metrics.failure('chain');
      const trouble = messageOf(error);
      if (trouble !== lane.trouble)
        logger.warn({ error: trouble }, 'the chain could not be read; the next rounds try again');
      lane.trouble = trouble;
    } finally {
      lane.patience.end();
    }
    metrics.round(lane.name);
  }

  /** True when the shard needs no further look. */
  async #watchShard(shard: PublishedShard, demands: readonly Demand[]): Promise<boolean> {
    const { chain, cache, metrics, logger } = this.#parts;
    const { id, commitment, publisher } = shard;
    const { texts, secretOf } = this.#options;
    const records = await chain.records(commitment.datanetId, commitment.firstPosition, commitment.documents);
    const endpoints = [...new Set([...shard.endpoints.slice(-ENDPOINTS_MAX), ...this.#options.sources])];
    const verdict = await judgeShard(
      {
        shard,
        records,
        demands: demands.filter(({ shardId: of }) => of === id),
        publishers: [
          ...(texts === undefined ? [] : [texts]),
          ...this.#published.patience.publishers(endpoints),
        ],
        room: this.#room,
        saltSecret: secretOf?.(shard),
      },
      cache,
    );
    metrics.shard(verdict.kind);
    if (verdict.kind !== 'unavailable') this.#places.leave(`shard ${id}`);
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
      case 'too-large':
        logger.warn(facts, `shard ${id} is not judged: ${verdict.reason}`);
        return true;
      case 'wrong': {
        const tx = await chain.convictShard(id, verdict.proof);
        metrics.sent('conviction');
        const sizes = { fraud: verdict.fraud, proof_bytes: verdict.proof.length };
        logger.warn({ ...facts, ...sizes, tx }, `shard ${id} is wrong (${verdict.fraud}) and is convicted`);
        return true;
      }
      case 'unavailable':
        chain.lookUpAgain(id);
        await this.#demands.demand(shard, verdict, { made: demands, round: this.#round });
        return false;
    }
  }

  /** True when what the claim states of influence needs no further look. */
  async #watchInfluence(pending: PendingClaim): Promise<boolean> {
    const { id, claim } = pending;
    const influence = claim?.influence;
    if (this.#refuted.has(id)) return true;
    // One that is not found is looked for with its passages.
    if (claim === undefined || influence === undefined) return claim !== undefined;
    const found = await this.#claims.influence.watchClaim(pending, { claim, influence });
    if (found === 'disputed') this.#refuted.add(id);
    return found !== 'waits';
  }

  /** True when what the claim states of passages, or leaves out, needs no further look. */
  async #watchTokens(pending: PendingClaim): Promise<boolean> {
    const { metrics, logger } = this.#parts;
    const { id, claim, claimant } = pending;
    if (this.#refuted.has(id)) return true;
    if (claim === undefined) throw noClaim(pending);
    const { token, influence } = claim;
    if (token === undefined) {
      if (influence !== undefined) return true;
      metrics.claim('unjudged');
      logger.warn({ claim: id, claimant }, `claim ${id} cannot be judged: no part of it can be recomputed`);
      return true;
    }
    const shards = this.#openShards(pending);
    if (shards === undefined) return false;
    try {
      await this.#judgeTokens(pending, { claim, token, open: shards.open });
      return true;
    } finally {
      shards.close();
    }
  }

  /** Disputes what a claim states of passages, or leaves out, where it is wrong. */
  async #judgeTokens(
    { id, claimant, answered }: PendingClaim,
    { claim, token, open }: TokenPart,
  ): Promise<void> {
    const { chain, metrics, logger } = this.#parts;
    const fault = faultOfClaim(token.spans, open);
    if (fault !== undefined) {
      metrics.claim('wrong');
      const tx = await chain.disputeClaim(id, claim, fault.dispute);
      this.#refuted.add(id);
      metrics.sent('dispute');
      logger.warn({ claim: id, claimant, tx }, `claim ${id} is false and is refuted: ${fault.reason}`);
      return;
    }
    const facts = { claim: id, claimant, spans: token.spans.length };
    const unjudged = whyUnjudged(answered?.answer);
    if (answered === undefined || unjudged !== undefined) {
      metrics.claim('stated-right');
      const said = `claim ${id} states nothing false; what it leaves out is not judged: ${unjudged}`;
      logger.info(facts, said);
      return;
    }
    const omission = omissionOf({ ...answered, token, shards: open });
    if (omission === undefined) {
      metrics.claim('right');
      logger.info(facts, `claim ${id} is true, and leaves nothing out`);
      return;
    }
    metrics.claim('wrong');
    const tx = await chain.disputeOmission(id, claim, omission.dispute);
    this.#refuted.add(id);
    metrics.sent('dispute');
    const said = `claim ${id} leaves something out and is refuted: ${omission.reason}`;
    logger.warn({ claim: id, claimant, tx }, said);
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

/** Its transaction may be in no index yet, or its block pruned: it is looked up again. */
function noClaim({ id, missing }: PendingClaim): LedgerError {
  const said = missing === undefined ? '' : ` (${missing}): watch by a node that keeps its blocks`;
  return new LedgerError('attest.no_claim', `the transaction of claim ${id} is not found${said}`, { id });
}
