/** Where money is before and after a run, and whether it is where it has to be. */
import { poolState } from '../../../modules/pools/state.ts';
import type { ReceiptParts } from '../../../modules/settlement/proof/leaves.ts';
import type { ScaleWorld } from './world.ts';

const POOLS = poolState();
const DENOM = 'uopen';

/** Balances in base units. */
export class Money {
  /** In channels: deposits that were not claimed. */
  readonly channels: bigint;
  /** Waits in settlement: entitlements nobody claimed yet. */
  readonly settlement: bigint;
  /** Community pool and stakers: one account after the other has them. */
  readonly platformAndStakers: bigint;
  /** Of the models' owner. */
  readonly gateway: bigint;
  readonly contributors: bigint;
  /** In pools: paid in and not claimed. */
  readonly pools: bigint;

  constructor(held: Omit<Money, 'since' | 'all'>) {
    this.channels = held.channels;
    this.settlement = held.settlement;
    this.platformAndStakers = held.platformAndStakers;
    this.gateway = held.gateway;
    this.contributors = held.contributors;
    this.pools = held.pools;
  }

  /** What came in addition. */
  since(before: Money): Money {
    return new Money({
      channels: this.channels - before.channels,
      settlement: this.settlement - before.settlement,
      platformAndStakers: this.platformAndStakers - before.platformAndStakers,
      gateway: this.gateway - before.gateway,
      contributors: this.contributors - before.contributors,
      pools: this.pools - before.pools,
    });
  }

  get all(): bigint {
    const { channels, settlement, platformAndStakers, gateway, contributors, pools } = this;
    return channels + settlement + platformAndStakers + gateway + contributors + pools;
  }
}

/** In the last committed state. */
export function moneyOf(world: ScaleWorld): Money {
  return new Money({
    channels: world.moduleBalance('channels'),
    settlement: world.moduleBalance('settlement'),
    platformAndStakers: world.moduleBalance('distribution') + world.moduleBalance('fee_collector'),
    gateway: world.chain.balance(world.gateway.address),
    contributors: world.contributors.reduce((sum, { address }) => sum + world.chain.balance(address), 0n),
    pools: world.moduleBalance('pools'),
  });
}

/** What does not add up; nothing when every unit of the receipts' fees is where it has to be. */
export function reconcile(
  { before, after }: { readonly before: Money; readonly after: Money },
  totals: ReceiptParts,
  world: ScaleWorld,
): readonly string[] {
  const moved = after.since(before);
  const fees = totals.platform + totals.model + totals.stakers + totals.contributors;
  const epochs = world.epochs();
  const column = (index: number): bigint =>
    epochs.reduce((sum, { commitment }) => sum + (commitment.receipts.sums[index] ?? 0n), 0n);
  const { pools } = after;
  const books = poolBooks(world);
  const expected: readonly (readonly [what: string, found: bigint, wanted: bigint])[] = [
    ['claimed of channels', -moved.channels, fees],
    ['platform in the epochs', column(0), totals.platform],
    ['models in the epochs', column(1), totals.model],
    ['stakers in the epochs', column(2), totals.stakers],
    ['contributors in the epochs', column(3), totals.contributors],
    ['community pool and stakers', moved.platformAndStakers, totals.platform + totals.stakers],
    [
      'models, contributors, pools and entitlements',
      moved.gateway + moved.contributors + moved.pools + moved.settlement,
      totals.model + totals.contributors,
    ],
    ['entitlements that wait', moved.settlement, unclaimed(world)],
    ['what pools took in and did not pay out', pools, books.paid - books.out],
    ['what contributors claimed', moved.contributors, books.out],
    ['all of it', moved.all, 0n],
  ];
  const wrong = expected.filter(([, found, wanted]) => found !== wanted);
  return [
    ...wrong.map(([what, found, wanted]) => `${what}: ${found}, must be ${wanted}`),
    ...world.chain.app.brokenInvariants(),
  ];
}

function unclaimed(world: ScaleWorld): bigint {
  return world.epochs().reduce((sum, epoch) => sum + BigInt(epoch.unclaimed), 0n);
}

function poolBooks({ chain }: ScaleWorld): { readonly paid: bigint; readonly out: bigint } {
  const context = chain.app.contextAt(chain.app.height);
  let [paid, out] = [0n, 0n];
  for (const [[, denom], totals] of POOLS.totals.iterate(context)) {
    if (denom !== DENOM) continue;
    paid += totals.paid;
    out += totals.out;
  }
  return { paid, out };
}
