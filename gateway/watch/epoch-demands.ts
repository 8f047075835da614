/** Asks on the chain for pieces of epochs that are not served: who does not answer loses the epoch. */
import { toHex } from '../../core/bytes.ts';
import { openLeaves } from '../epochs/published.ts';
import type { DemandPlaces } from '../../watch/demand-places.ts';
import type { WatchLogger } from '../../watch/ports.ts';
import { NO_OPENING } from './fetch-epoch.ts';
import type { FetchedEpoch } from './fetched-epoch.ts';
import type { EpochWatchMetrics } from './metrics.ts';
import type { EpochDemand, EpochPiecePlace, EpochWatchChain, PendingEpoch } from './ports.ts';

/** Requests about one epoch that are open at a time: together they cost ten times the least bond. */
export const OPEN_DEMANDS_MAX = 4;

/** What it is made of. */
export interface EpochDemandsParts {
  readonly chain: EpochWatchChain;
  readonly places: DemandPlaces;
  readonly logger: WatchLogger;
  readonly metrics: EpochWatchMetrics;
  /** From 0 to below 1: what is asked for, a gateway must not know before. */
  readonly random: () => number;
}

/** Makes requests about epochs within a budget. */
export class EpochDemands {
  readonly #parts: EpochDemandsParts;
  readonly #budget: bigint | undefined;
  /** Epochs of which no more is demanded, as the log has it. */
  readonly #overBudget = new Set<bigint>();

  constructor(parts: EpochDemandsParts, { demandBudget }: { readonly demandBudget?: bigint | undefined }) {
    this.#parts = parts;
    this.#budget = demandBudget;
  }

  /** What the chain no longer lists needs no memory. */
  forget(listed: ReadonlySet<bigint>): void {
    for (const id of this.#overBudget) if (!listed.has(id)) this.#overBudget.delete(id);
  }

  /** Asks for some of what is missed and nobody has asked for yet, as many as there are places and money for. */
  async demand(
    { epoch }: PendingEpoch,
    fetched: FetchedEpoch,
    { missed, made }: { readonly missed: readonly EpochPiecePlace[]; readonly made: readonly EpochDemand[] },
  ): Promise<void> {
    const { places, metrics } = this.#parts;
    const object = `epoch ${epoch.id}`;
    const own = made.filter((demand) => demand.own);
    const open = own.filter(({ answer }) => answer === undefined).length;
    const asked = new Set(made.map(({ piece }) => nameOfPiece(piece)));
    const left = missed.filter((place) => !asked.has(nameOfPiece(place)));
    const wanted = Math.min(left.length, Math.max(0, OPEN_DEMANDS_MAX - open));
    if (wanted === 0) {
      places.leave(object);
      return;
    }
    const lastRequest = own.reduce((last, { id }) => (id > last ? id : last), 0n);
    const wish = { object, dueHeight: epoch.finalHeight, lastRequest, decisive: false, wanted };
    await places.use(wish, async (granted) => {
      if (granted === 0) metrics.failure('demand_places');
      const chosen = someOf(left, granted, this.#parts.random);
      await this.#request(epoch.id, { fetched, chosen, own, open });
    });
  }

  async #request(
    id: bigint,
    {
      fetched,
      chosen,
      own,
      open,
    }: {
      readonly fetched: FetchedEpoch;
      readonly chosen: readonly EpochPiecePlace[];
      readonly own: readonly EpochDemand[];
      readonly open: number;
    },
  ): Promise<void> {
    const { chain, metrics, logger } = this.#parts;
    // What is open comes back when nobody answers, and then the epoch is convicted.
    let spent = own.reduce((sum, { bond }) => sum + bond, 0n);
    let waiting = open;
    for (const place of chosen) {
      const { bond, reward } = await chain.stakes(id);
      const limit = this.#budget ?? reward;
      if (spent + bond > limit) {
        // Each costs more than those that are open: the next may be within the budget when they are answered.
        if (waiting === 0) this.#sayOverBudget(id, { spent, limit });
        return;
      }
      const receipt =
        place.kind === 'attribution' ? openLeaves(fetched.receipts, [place.receipt]) : NO_OPENING;
      const tx = await chain.requestPiece(id, place, { receipt, bond });
      spent += bond;
      waiting++;
      metrics.sent('demand');
      logger.info({ epoch: id, piece: nameOfPiece(place), tx }, `a piece of epoch ${id} is demanded`);
    }
  }

  /** Once: until somebody serves it, nothing more can be done about the epoch. */
  #sayOverBudget(id: bigint, { spent, limit }: Readonly<Record<'spent' | 'limit', bigint>>): void {
    const { metrics, logger } = this.#parts;
    if (this.#overBudget.has(id)) return;
    this.#overBudget.add(id);
    metrics.failure('demand_budget');
    logger.warn(
      { spent, limit },
      `epoch ${id} is not served, and no more of it is demanded: the bonds would cost more than ${limit} (--demand-budget)`,
    );
  }
}

/** So many of them, by chance. */
function someOf<T>(all: readonly T[], count: number, random: () => number): readonly T[] {
  const rest = [...all];
  return Array.from({ length: Math.min(count, rest.length) }, () =>
    rest.splice(Math.floor(random() * rest.length), 1),
  ).flat();
}

function nameOfPiece(piece: EpochDemand['piece'] | EpochPiecePlace): string {
  return 'hash' in piece ? `attribution ${toHex(piece.hash)}` : `${piece.tree} ${piece.first}`;
}
