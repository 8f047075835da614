/**
 * Looks at the epochs that can be disputed again and again: fetches what gateways serve, judges it,
 * convicts what is wrong, and asks on the chain for what is not served. It remembers nothing that
 * matters: killed at any moment, it begins anew with what the chain lists, and several may watch one
 * chain.
 */
import { equalBytes } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';
import { Attempts, eachOf } from '../../watch/attempts.ts';
import { DemandPlaces } from '../../watch/demand-places.ts';
import { type AskInTime, Patience, type Ticks } from '../../watch/patience.ts';
import type { WatchLogger } from '../../watch/ports.ts';
import type { EpochFraud } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { findEpochFraud } from '../epochs/find-fraud.ts';
import { accuse } from './accuse.ts';
import { EpochDemands } from './epoch-demands.ts';
import { fetchEpoch } from './fetch-epoch.ts';
import { FetchedEpoch } from './fetched-epoch.ts';
import type { EpochWatchMetrics } from './metrics.ts';
import type { EpochDemand, EpochSource, EpochSources, EpochWatchChain, PendingEpoch } from './ports.ts';

/** Epochs that are judged at the same time: of each the leaves are in memory. */
const EPOCHS_AT_ONCE = 2;

/** Rounds in which something is missed before it is demanded: a gateway may start anew meanwhile. */
const MISSED_ROUNDS = 5;

/** What a watcher is made of. */
export interface EpochWatcherParts {
  readonly chain: EpochWatchChain;
  readonly sources: EpochSources;
  /** Runs the time that gateways have. */
  readonly ticks: Ticks;
  readonly logger: WatchLogger;
  readonly metrics: EpochWatchMetrics;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** What it may do. */
export interface EpochWatcherOptions {
  /** Ticks for which a gateway is waited for in each round. */
  readonly ticksMax: number;
  /** Most that may be lost on one epoch, in coins of bonds; what its conviction pays by default. */
  readonly demandBudget?: bigint | undefined;
}

/** An epoch that is being looked at. */
interface Look {
  readonly fetched: FetchedEpoch;
  /** Rounds in which something was missed. */
  missedRounds: number;
  /** Pieces that were known when it was judged last, and what was found: to be sent again when it fails. */
  judgedPieces: number;
  fraud: EpochFraud | undefined;
}

/** See the file comment. */
export class EpochWatcher {
  readonly #parts: EpochWatcherParts;
  readonly #attempts: Attempts;
  readonly #patience: Patience<EpochSource>;
  readonly #places: DemandPlaces;
  readonly #demands: EpochDemands;
  readonly #looks = new Map<bigint, Look>();
  /** Why the chain could not be read the last time. */
  #trouble = '';

  constructor(parts: EpochWatcherParts, options: EpochWatcherOptions) {
    this.#parts = parts;
    const { logger, metrics, sources: publishers, ticks } = parts;
    const onSlow = (endpoint: string, rounds: number): void => {
      metrics.slow();
      logger.warn({ endpoint }, `${endpoint} is too slow: nothing is asked of it for ${rounds} rounds`);
    };
    this.#attempts = new Attempts(parts);
    this.#patience = new Patience({ publishers, guarded: guardedSource, ticks, onSlow }, options);
    this.#places = new DemandPlaces(parts.chain);
    this.#demands = new EpochDemands({ ...parts, places: this.#places }, options);
  }

  /** One look. Never rejects: what failed is logged, counted and tried again. */
  async look(): Promise<void> {
    const { chain, metrics, logger } = this.#parts;
    this.#attempts.begin();
    this.#patience.begin();
    try {
      const pending = await chain.pendingEpochs();
      const ids = new Set(pending.map(({ epoch }) => epoch.id));
      this.#attempts.forget(new Set([...ids].map((id) => `epoch ${id}`)));
      this.#demands.forget(ids);
      for (const id of this.#looks.keys()) if (!ids.has(id)) this.#looks.delete(id);
      await eachOf(pending, EPOCHS_AT_ONCE, (one) =>
        this.#attempts.guard(`epoch ${one.epoch.id}`, () => this.#watch(one)),
      );
      this.#trouble = '';
    } catch (error) {
      metrics.failure('chain');
      const trouble = messageOf(error);
      if (trouble !== this.#trouble)
        logger.warn({ error: trouble }, 'the chain could not be read; the next rounds try again');
      this.#trouble = trouble;
    } finally {
      this.#patience.end();
    }
    metrics.round();
  }

  /** True when the epoch needs no further look. */
  async #watch(pending: PendingEpoch): Promise<boolean> {
    const { chain, metrics, logger } = this.#parts;
    const { id, gateway, commitment } = pending.epoch;
    const look = this.#lookAt(pending);
    const { fetched } = look;
    const made = await chain.demands(id);
    absorb(fetched, made);
    const missed = await fetchEpoch(id, fetched, this.#patience.publisher(pending.endpoint));
    const facts = { epoch: id, gateway, receipts: commitment.receipts.leaves };
    const fraud = await this.#judge(pending, look);
    if (fraud !== undefined) {
      metrics.epoch('wrong');
      const tx = await chain.disputeEpoch(id, fraud);
      metrics.sent('dispute');
      this.#end(id);
      logger.warn(
        { ...facts, rule: fraud.rule, index: fraud.index, tx },
        `epoch ${id} is wrong and is convicted`,
      );
      return true;
    }
    if (fetched.isWhole) {
      metrics.epoch('right');
      this.#end(id);
      logger.info(facts, `epoch ${id} is what its receipts say`);
      return true;
    }
    metrics.epoch('unserved');
    if (look.missedRounds++ === 0)
      logger.warn({ ...facts, missed: missed.length }, `epoch ${id} is not served whole`);
    if (look.missedRounds >= MISSED_ROUNDS || (await this.#isUrgent(pending)))
      await this.#demands.demand(pending, fetched, { missed, made });
    return false;
  }

  #lookAt({ epoch }: PendingEpoch): Look {
    const look: Look = this.#looks.get(epoch.id) ?? {
      ...{ fetched: new FetchedEpoch(epoch.commitment), missedRounds: 0 },
      ...{ judgedPieces: -1, fraud: undefined },
    };
    this.#looks.set(epoch.id, look);
    return look;
  }

  #end(id: bigint): void {
    this.#looks.delete(id);
    this.#places.leave(`epoch ${id}`);
  }

  /** Judges when there is something new to judge. */
  async #judge({ epoch }: PendingEpoch, look: Look): Promise<EpochFraud | undefined> {
    const { fetched } = look;
    const { pieces } = fetched;
    if (pieces === look.judgedPieces) return look.fraud;
    const chain = await this.#parts.chain.facts(epoch, fetched.wantedFacts());
    look.fraud = fetched.isWhole ? findEpochFraud(fetched, chain) : accuse(fetched, chain);
    look.judgedPieces = pieces;
    return look.fraud;
  }

  /** When an answer to what is asked now could come after the end of the window. */
  async #isUrgent({ epoch }: PendingEpoch): Promise<boolean> {
    const { finalHeight, requestBlocks } = epoch;
    return (await this.#parts.chain.height()) + BigInt(requestBlocks) >= finalHeight;
  }
}

/** A source that is asked in its time. */
function guardedSource(ask: AskInTime<EpochSource>): EpochSource {
  return {
    leaves: (...about) => ask((asked) => asked.leaves(...about)),
    attribution: (...about) => ask((asked) => asked.attribution(...about)),
  };
}

/** Takes what others and we were answered on the chain: leaves first, which name attributions. */
function absorb(fetched: FetchedEpoch, made: readonly EpochDemand[]): void {
  for (const { piece, answer } of made)
    if (answer !== undefined && 'tree' in piece) fetched.put({ kind: 'run', ...piece }, answer);
  const named = fetched.missingAttributions();
  for (const { piece, answer } of made) {
    if (answer === undefined || 'tree' in piece) continue;
    const place = named.find(({ hash }) => equalBytes(hash, piece.hash));
    if (place !== undefined) fetched.put(place, answer);
  }
}
