import { expect, test } from 'vitest';
import type { EpochChain } from '../../modules/settlement/proof/chain.ts';
import { EpochCommitment } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { Epoch, EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { DemandPlaces } from '../../watch/demand-places.ts';
import { EpochDemands, OPEN_DEMANDS_MAX } from './epoch-demands.ts';
import { NO_OPENING } from './fetch-epoch.ts';
import { FetchedEpoch } from './fetched-epoch.ts';
import { EpochWatchMetrics } from './metrics.ts';
import type { EpochDemand, EpochPiecePlace, EpochWatchChain } from './ports.ts';
import { EpochWatcher } from './watcher.ts';

const REQUEST_BLOCKS = 10;
const FINAL_HEIGHT = 200n;
const RUN = 64;
const ANSWER = { opening: NO_OPENING, attribution: new Uint8Array(0) };

/** Of ten runs of receipts, none of which is served. */
const EPOCH: Epoch = Epoch.create({
  id: 1n,
  state: EpochState.EPOCH_STATE_PENDING,
  commitment: EpochCommitment.create({
    receipts: { root: new Uint8Array(32), leaves: 10 * RUN, sums: [1n, 1n, 1n, 1n] },
  }),
  finalHeight: FINAL_HEIGHT,
  requestBlocks: REQUEST_BLOCKS,
});
const PENDING = { epoch: EPOCH, endpoint: 'http://gateway' };

/** What nothing is held against: nothing is served. */
const FACTS: EpochChain = {
  denom: 'uopen',
  terms: () => undefined,
  lane: () => undefined,
  claim: () => undefined,
  holds: () => false,
  signed: () => false,
};

/** The nth request about an epoch costs n times ten, as the chain has it; a conviction pays 100. */
class AskedChain implements EpochWatchChain {
  readonly asked: { readonly place: EpochPiecePlace; readonly bond: bigint }[] = [];
  now = 1n;
  before = 0;

  pendingEpochs = async () => [PENDING];
  demands = async () => [];
  height = async () => this.now;
  ownRequests = async () => ({ open: [], most: 16 });
  stakes = async () => {
    const bond = 10n * BigInt(1 + this.before + this.asked.length);
    return { bond, least: 10n, reward: 100n, requestBlocks: BigInt(REQUEST_BLOCKS) };
  };
  requestPiece = async (_id: bigint, place: EpochPiecePlace, { bond }: { readonly bond: bigint }) => {
    this.asked.push({ place, bond });
    return 'HASH';
  };
  facts = async () => FACTS;
  disputeEpoch = () => Promise.reject(new Error('nothing is disputed'));

  /** First leaves of what was asked for. */
  firsts(): readonly number[] {
    return this.asked.map(({ place }) => ('first' in place ? place.first : -1));
  }
}

const MISSED = Array.from({ length: 10 }, (_, i): EpochPiecePlace => {
  return { kind: 'run', tree: 'receipts', first: i * RUN };
});

function madeOf(first: number, change: Partial<EpochDemand> = {}): EpochDemand {
  const id = BigInt(first + 1);
  return { id, piece: { tree: 'receipts', first }, own: true, bond: 10n, answer: undefined, ...change };
}

interface Demanding {
  readonly chain: AskedChain;
  readonly warned: string[];
  readonly metrics: EpochWatchMetrics;
  demand(made?: readonly EpochDemand[]): Promise<void>;
}

function demanding(
  options: { readonly demandBudget?: bigint } = {},
  random: () => number = () => 0,
): Demanding {
  const chain = new AskedChain();
  const warned: string[] = [];
  const logger = {
    info: () => undefined,
    warn: (_: unknown, message: string) => void warned.push(message),
    error: () => undefined,
  };
  const metrics = new EpochWatchMetrics();
  const places = new DemandPlaces(chain);
  const demands = new EpochDemands({ chain, places, logger, metrics, random }, options);
  const fetched = new FetchedEpoch(EPOCH.commitment);
  const demand = (made: readonly EpochDemand[] = []) =>
    demands.demand(PENDING, fetched, { missed: MISSED, made });
  return { chain, warned, metrics, demand };
}

test('what is demanded is drawn by chance from all that is missed, each piece once', async () => {
  const draws = [0.95, 0, 0.5, 0.999];
  const { chain, demand } = demanding({ demandBudget: 1_000n }, () => draws.shift() ?? 0);
  await demand();
  // The last of ten; the first of nine; of eight that are left the fifth; the last of seven.
  expect(chain.firsts()).toEqual([9, 0, 5, 8].map((run) => run * RUN));
  expect(chain.asked).toHaveLength(OPEN_DEMANDS_MAX);
});

test('what somebody has asked for is not asked for again, and only own ones take up places', async () => {
  const { chain, demand } = demanding({ demandBudget: 1_000n });
  await demand([
    madeOf(0, { own: false }),
    madeOf(RUN),
    madeOf(2 * RUN, { answer: ANSWER }),
    madeOf(3 * RUN, { own: false, answer: ANSWER }),
  ]);
  expect(chain.firsts()).toEqual([4, 5, 6].map((run) => run * RUN));
});

test('the budget is what all own bonds cost together, to the unit; what is open is waited for', async () => {
  for (const [demandBudget, count] of [
    [29n, 1],
    [30n, 2],
    [59n, 2],
    [60n, 3],
  ] as const) {
    const { chain, demand } = demanding({ demandBudget });
    await demand();
    expect(chain.asked.map(({ bond }) => bond)).toEqual([10n, 20n, 30n].slice(0, count));
  }
  // Those of others cost nothing; own ones that were answered are spent.
  const { chain, demand, warned, metrics } = demanding({ demandBudget: 60n });
  chain.before = 2;
  const answered = [madeOf(0, { bond: 31n, answer: ANSWER }), madeOf(RUN, { own: false, bond: 500n })];
  await demand([...answered, madeOf(2 * RUN, { bond: 0n })]);
  expect([chain.asked, warned]).toEqual([[], []]);
  for (let round = 0; round < 2; round++) await demand(answered);
  expect(chain.asked).toEqual([]);
  expect(warned).toEqual([expect.stringContaining('would cost more than 60')]);
  expect(await metrics.registry.metrics()).toContain('failures_total{where="demand_budget"} 1');
});

test('without a budget no more is put at stake than a conviction pays', async () => {
  const { chain, demand } = demanding();
  chain.before = 2;
  await demand();
  // 30 and 40; 50 more would be 120.
  expect(chain.asked.map(({ bond }) => bond)).toEqual([30n, 40n]);
});

test.each([
  ['is waited for', -1n, 0],
  ['is demanded at once when an answer could come too late', 0n, OPEN_DEMANDS_MAX],
])('what is not served %s', async (_, late, count) => {
  const chain = new AskedChain();
  chain.now = FINAL_HEIGHT - BigInt(REQUEST_BLOCKS) + late;
  const none = { leaves: async () => undefined, attribution: async () => undefined };
  const watcher = new EpochWatcher(
    {
      chain,
      sources: () => none,
      ticks: () => () => undefined,
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
      metrics: new EpochWatchMetrics(),
      random: () => 0,
    },
    { ticksMax: 1, demandBudget: 1_000n },
  );
  await watcher.look();
  expect(chain.asked).toHaveLength(count);
  for (let looks = 1; looks < 5; looks++) await watcher.look();
  // After some looks it is demanded all the same.
  expect(chain.asked.length).toBeGreaterThan(0);
});
