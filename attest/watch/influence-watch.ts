/** Acts on what is found of model cards and of claims of influence. */
import { toHex } from '../../core/bytes.ts';
import { cardId, decodeCard } from '../../modules/attribution/proof/influence/card.ts';
import { decodeClaim } from '../../modules/attribution/proof/influence/claim.ts';
import type { Claim, InfluenceStatement } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { AttestLogger } from '../serve/ports.ts';
import type { CardCache } from './card-cache.ts';
import type { InfluenceFinding } from './influence-finding.ts';
import { judgeCard } from './judge-card.ts';
import { judgeInfluence } from './judge-influence.ts';
import type { WatchMetrics } from './metrics.ts';
import type { DemandPlaces } from '../../watch/demand-places.ts';
import type { SpendLimit } from './spend-limit.ts';
import type {
  InfluenceDemand,
  InfluencePlace,
  InfluenceTarget,
  PendingClaim,
  PublishedCard,
  Publisher,
  WatchChain,
} from './ports.ts';

type Unavailable = Extract<InfluenceFinding, { kind: 'unavailable' }>;

/** What it is made of. */
export interface InfluenceWatchParts {
  readonly chain: WatchChain;
  readonly publishers: (endpoint: string) => Publisher;
  readonly places: DemandPlaces;
  readonly spending: SpendLimit;
  /** The cards that can still be convicted, as they were last listed. */
  readonly published: { readonly listed: readonly PublishedCard[] };
  readonly cards: CardCache;
  readonly logger: AttestLogger;
  readonly metrics: WatchMetrics;
}

/** How it watches. */
export interface InfluenceWatchOptions {
  /** Endpoints that are asked beside that of a publisher. */
  readonly sources: readonly string[];
  /** Most that bonds of demands about one card or claim may cost. Default: what its conviction pays. */
  readonly demandBudget?: bigint | undefined;
}

/** A claim as it was submitted, and its part about influence. */
export interface InfluencePart {
  readonly claim: Claim;
  readonly influence: InfluenceStatement;
}

/** What became of a claim: nothing is wrong with its influence; it was disputed; it is to be looked at again. */
export type ClaimOutcome = 'right' | 'disputed' | 'waits';

/** Judges cards and claims of influence. */
export class InfluenceWatch {
  readonly #parts: InfluenceWatchParts;
  readonly #options: InfluenceWatchOptions;
  /** Why something could not be judged, as the log has it. */
  readonly #said = new Map<string, string>();
  /** Of what no more is demanded, as the log has it. */
  readonly #overBudget = new Set<string>();

  constructor(parts: InfluenceWatchParts, options: InfluenceWatchOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** True when the card needs no further look. */
  async watchCard({ id, publisher, card: bytes, endpoint, dueHeight }: PublishedCard): Promise<boolean> {
    const { chain, cards, logger, metrics, places } = this.#parts;
    const card = decodeCard(bytes);
    const facts = { card: id, publisher, examples: card.examples, contributions: card.groups };
    const key = toHex(cardId(card));
    if (cards.has(key)) {
      logger.info(facts, `model card ${id} is right`);
      return true;
    }
    const records = await chain.records(card.datanetId, 0n, Number(card.snapshotCount));
    // Also those that are withdrawn by now: who trained on them told no lie.
    const held = new Set(records.map(({ contributionId }) => contributionId));
    const demands = await chain.influenceDemands('card', id);
    const verdict = await judgeCard({
      card,
      chain: { holds: (_datanet, _count, contributionId) => held.has(contributionId) },
      publishers: this.#publishers(endpoint),
      demands,
    });
    metrics.card(verdict.kind);
    if (verdict.kind !== 'unavailable') places.leave(`card ${id}`);
    switch (verdict.kind) {
      case 'right':
        cards.put(verdict.served);
        logger.info(facts, `model card ${id} is right`);
        return true;
      case 'too-large':
        logger.warn(facts, `model card ${id} is not judged, it is too large here: ${verdict.reason}`);
        return true;
      case 'wrong': {
        const tx = await chain.convictCard(id, verdict.proof);
        metrics.sent('conviction');
        const sizes = { rule: verdict.rule, proof_bytes: verdict.proof.length };
        logger.warn(
          { ...facts, ...sizes, tx },
          `model card ${id} is wrong (${verdict.rule}) and is convicted`,
        );
        return true;
      }
      case 'unavailable':
        await this.#demand({ kind: 'card', id }, verdict, { made: demands, dueHeight });
        return false;
    }
  }

  /** Judges the part about influence of a claim. */
  async watchClaim(
    { id, claimant, dueHeight }: PendingClaim,
    { claim, influence }: InfluencePart,
  ): Promise<ClaimOutcome> {
    const { chain, cards, logger, metrics, places } = this.#parts;
    const published = this.#parts.published.listed.find((card) => card.id === influence.cardId);
    // A card that is voided takes the claim with it.
    if (published === undefined) return 'waits';
    const card = cards.open(toHex(cardId(decodeCard(published.card))));
    if (card === undefined) return 'waits';
    const demands = await chain.influenceDemands('claim', id);
    const verdict = await judgeInfluence({
      claim: decodeClaim(influence.statement),
      card,
      publishers: this.#publishers(published.endpoint),
      demands,
    });
    metrics.claim(verdict.kind);
    if (verdict.kind !== 'unavailable') places.leave(`claim ${id}`);
    switch (verdict.kind) {
      case 'right':
        logger.info({ claim: id, claimant, card: published.id }, `claim ${id} is true about influence`);
        return 'right';
      case 'wrong': {
        const tx = await chain.disputeInfluence(id, claim, verdict.proof);
        metrics.sent('dispute');
        const facts = { claim: id, claimant, rule: verdict.rule, proof_bytes: verdict.proof.length, tx };
        logger.warn(facts, `claim ${id} is false and is refuted: influence, rule ${verdict.rule}`);
        return 'disputed';
      }
      case 'unavailable':
        await this.#demand({ kind: 'claim', id, claim }, verdict, { made: demands, dueHeight });
        return 'waits';
    }
  }

  /** What the chain no longer lists needs no memory. */
  forget(listed: ReadonlySet<string>): void {
    for (const memory of [this.#said, this.#overBudget])
      for (const what of memory.keys()) if (!listed.has(what)) memory.delete(what);
  }

  #publishers(endpoint: string): readonly Publisher[] {
    return [...new Set([endpoint, ...this.#options.sources])].map(this.#parts.publishers);
  }

  /** Asks on the chain for what nobody serves: who does not answer loses the bond. */
  async #demand(
    target: InfluenceTarget,
    { reason, demands, decisive }: Unavailable,
    { made, dueHeight }: { readonly made: readonly InfluenceDemand[]; readonly dueHeight: bigint },
  ): Promise<void> {
    const { logger, metrics, places } = this.#parts;
    const object = `${target.kind} ${target.id}`;
    const sentence = `${target.kind === 'card' ? 'model ' : ''}${object} cannot be judged: ${reason}`;
    if (this.#said.get(object) !== sentence) logger.warn({ [target.kind]: target.id }, sentence);
    this.#said.set(object, sentence);
    if (demands.length === 0) return places.leave(object);
    const own = made.filter((demand) => demand.own);
    const lastRequest = own.reduce((last, { requestId }) => (requestId > last ? requestId : last), 0n);
    const wish = { object, dueHeight, lastRequest, decisive, wanted: demands.length };
    await places.use(wish, async (granted) => {
      if (granted === 0) metrics.failure('demand_places');
      const { affordable, bonds } = await this.#withinBudget(
        target,
        { demands: demands.slice(0, granted), decisive },
        own,
      );
      if (affordable.length === 0) return;
      await this.#request(target, affordable);
      await this.#parts.spending.note(bonds);
    });
  }

  /**
   * Those of these demands whose bonds, with those before them, cost no more than a conviction is worth, and
   * with all others no more than may be put at stake in a window; and what their bonds are together.
   */
  async #withinBudget(
    { kind, id }: InfluenceTarget,
    { demands, decisive }: Pick<Unavailable, 'demands' | 'decisive'>,
    own: readonly InfluenceDemand[],
  ): Promise<{ readonly affordable: readonly InfluencePlace[]; readonly bonds: bigint }> {
    const { chain, logger, metrics, spending } = this.#parts;
    const stakes = await chain.stakes(kind, id);
    const { bond, least, reward } = stakes;
    const limit = this.#options.demandBudget ?? reward;
    let spent = own.reduce((sum, demand) => sum + demand.bond, 0n);
    const affordable: InfluencePlace[] = [];
    let bonds = 0n;
    let isOver = false;
    for (const place of demands) {
      const next = bond + BigInt(affordable.length) * least;
      isOver = affordable.length === 0 && spent + next > limit;
      if (spent + next > limit || (!decisive && !(await spending.admits(bonds + next, stakes)))) break;
      spent += next;
      bonds += next;
      affordable.push(place);
    }
    const what = `${kind} ${id}`;
    if (isOver && own.every(({ answer }) => answer !== undefined) && !this.#overBudget.has(what)) {
      this.#overBudget.add(what);
      metrics.failure('demand_budget');
      logger.warn(
        { spent, limit },
        `${what}: no more of it is demanded on the chain, the bonds would cost more than ${limit} (--demand-budget)`,
      );
    }
    return { affordable, bonds };
  }

  async #request(target: InfluenceTarget, demands: readonly InfluencePlace[]): Promise<void> {
    const { chain, logger, metrics } = this.#parts;
    const object = `${target.kind} ${target.id}`;
    const tx = await chain.requestLeaves(target, demands);
    for (const { tree, node, leaf } of demands) {
      metrics.sent('demand');
      logger.info(
        { [target.kind]: target.id, tree, node, leaf, tx },
        `the run from leaf ${leaf} of the ${tree} of ${object} is demanded on the chain`,
      );
    }
  }
}
