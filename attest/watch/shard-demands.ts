/** Asks on the chain for pieces of shards that nobody serves: who does not answer loses the shard. */
import { PAUSE_ROUNDS_MAX } from '../../watch/attempts.ts';
import type { DemandPlaces } from '../../watch/demand-places.ts';
import { OPEN_DEMANDS_MAX, type ShardVerdict } from './judge-shard.ts';
import type { WatchMetrics } from './metrics.ts';
import type { SpendLimit } from './spend-limit.ts';
import type { DemandStakes, WatchLogger } from '../../watch/ports.ts';
import type { Demand, PublishedShard, WatchChain } from './ports.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';

/** What it is made of. */
export interface ShardDemandsParts {
  readonly chain: WatchChain;
  readonly places: DemandPlaces;
  readonly spending: SpendLimit;
  readonly logger: WatchLogger;
  readonly metrics: WatchMetrics;
}

type Unavailable = Extract<ShardVerdict, { kind: 'unavailable' }>;

/** Leaves that are asked for one after another beyond a search down a tree. */
const FURTHER_STEPS = 4;

/** Makes requests about shards within a budget, and not before they are needed. */
export class ShardDemands {
  readonly #parts: ShardDemandsParts;
  readonly #budget: bigint | undefined;
  /** Why shards could not be judged, as the log has it. */
  readonly #said = new Map<string, string>();
  /** Shards of which no more is demanded, as the log has it. */
  readonly #overBudget = new Set<string>();
  /** Round in which a publisher last delivered a text of a shard. */
  readonly #delivered = new Map<string, number>();

  constructor(parts: ShardDemandsParts, { demandBudget }: { readonly demandBudget?: bigint | undefined }) {
    this.#parts = parts;
    this.#budget = demandBudget;
  }

  /** What the chain no longer lists needs no memory. */
  forget(listed: ReadonlySet<string>): void {
    for (const memory of [this.#said, this.#overBudget, this.#delivered])
      for (const what of memory.keys()) if (!listed.has(what)) memory.delete(what);
  }

  /** Acts on a verdict, in a round of the watcher. */
  async demand(
    shard: PublishedShard,
    verdict: Unavailable,
    { made, round }: { readonly made: readonly Demand[]; readonly round: number },
  ): Promise<void> {
    const { places, metrics, logger } = this.#parts;
    const { id, publisher, dueHeight } = shard;
    const object = `shard ${id}`;
    const sentence = `${object} cannot be judged: ${verdict.reason}`;
    if (this.#said.get(object) !== sentence) logger.warn({ shard: id, publisher }, sentence);
    this.#said.set(object, sentence);
    if (verdict.delivered > 0) this.#delivered.set(object, round);
    if (verdict.demands.length === 0 || (await this.#isOnItsWay(shard, verdict, round))) {
      places.leave(object);
      return;
    }
    const own = made.filter(({ shardId, own }) => own && shardId === id);
    const lastRequest = own.reduce((last, demand) => (demand.id > last ? demand.id : last), 0n);
    const { decisive } = verdict;
    const wish = { object, dueHeight, lastRequest, decisive, wanted: verdict.demands.length };
    await places.use(wish, async (granted) => {
      if (granted === 0) metrics.failure('demand_places');
      await this.#request(id, { demands: verdict.demands.slice(0, granted), decisive }, own);
    });
  }

  /**
   * Texts that a publisher was delivering until now, perhaps before a pause for being slow, are waited for as
   * long as demands can still be answered, and used, before claims may rest on the shard.
   */
  async #isOnItsWay(shard: PublishedShard, { sections }: Unavailable, round: number): Promise<boolean> {
    const last = this.#delivered.get(`shard ${shard.id}`);
    if (sections === 0 || last === undefined || last + PAUSE_ROUNDS_MAX + 1 < round) return false;
    const { chain } = this.#parts;
    const stakes = await chain.stakes('shard', shard.id);
    const limit = this.#budget ?? stakes.reward;
    const needed = blocksToConvict(shard, sections, { ...stakes, limit });
    return (await chain.height()) + needed < shard.dueHeight;
  }

  async #request(
    id: bigint,
    { demands, decisive }: Pick<Unavailable, 'demands' | 'decisive'>,
    own: readonly Demand[],
  ): Promise<void> {
    const { chain, metrics, logger, spending } = this.#parts;
    // What is open comes back when nobody answers, and then the shard is lost.
    let spent = own.reduce((sum, { bond }) => sum + bond, 0n);
    let open = own.filter(({ answer }) => answer === undefined).length;
    for (const place of demands) {
      const stakes = await chain.stakes('shard', id);
      const limit = this.#budget ?? stakes.reward;
      // Texts, and leaves of withdrawn documents, only tell whether there is anything to convict.
      if (!decisive && spent + stakes.bond > limit) {
        // Each costs more than those that are open: the next one may be within the budget when they are answered.
        if (open === 0) this.#sayOverBudget(`shard ${id}`, { spent, limit });
        return;
      }
      if (!decisive && !(await spending.admits(stakes.bond, stakes))) return;
      const tx = await chain.requestChunk(id, place, stakes.bond);
      await spending.note(stakes.bond);
      spent += stakes.bond;
      open++;
      metrics.sent('demand');
      const { tree, document, chunk } = place;
      logger.info(
        { shard: id, tree, document, chunk, tx },
        `a piece of shard ${id} is demanded on the chain`,
      );
    }
  }

  /** Once: until somebody serves it, nothing more can be done about the shard. */
  #sayOverBudget(what: string, { spent, limit }: { readonly spent: bigint; readonly limit: bigint }): void {
    const { metrics, logger } = this.#parts;
    if (this.#overBudget.has(what)) return;
    this.#overBudget.add(what);
    metrics.failure('demand_budget');
    logger.warn(
      { spent, limit },
      `${what}: no more of it is demanded on the chain, the bonds would cost more than ${limit} (--demand-budget)`,
    );
  }
}

/**
 * Blocks that it takes to see so many sections of texts and convict the shard, when everything is answered in
 * the last block: as many sections as the budget pays, a few at a time, then a search down the largest tree.
 */
function blocksToConvict(
  { commitment }: PublishedShard,
  sections: number,
  { least, limit, requestBlocks }: DemandStakes & { readonly limit: bigint },
): bigint {
  // Requests that are open together cost 1, 2, 3, … times the least bond.
  const batch = BigInt((OPEN_DEMANDS_MAX * (OPEN_DEMANDS_MAX + 1)) / 2) * least;
  const paid = batch === 0n ? BigInt(sections) : limit / batch + 1n;
  const wanted = BigInt(Math.ceil(sections / OPEN_DEMANDS_MAX));
  const steps = Math.ceil(Math.log2(leafCount(commitment, 'suffix') + 1)) + FURTHER_STEPS;
  return ((wanted < paid ? wanted : paid) + BigInt(steps)) * requestBlocks;
}
