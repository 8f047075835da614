/** A dispute that does not get into a block is sent again: what was found out is not forgotten. */
import { expect, test } from 'vitest';
import { openRun } from '../../../gateway/epochs/published.ts';
import { EpochWatchMetrics } from '../../../gateway/watch/metrics.ts';
import type { EpochSource } from '../../../gateway/watch/ports.ts';
import { EpochWatcher } from '../../../gateway/watch/watcher.ts';
import { LedgerError } from '../../../core/errors.ts';
import { checkEpoch } from '../../../modules/settlement/proof/epoch.ts';
import type { PublishedEpoch } from '../../../gateway/epochs/published.ts';
import { randomFrom } from '../../attribution/fidelity/digits.ts';
import { Dice } from './dice.ts';
import { LIES } from './lies.ts';
import { WithheldChain } from './withheld-chain.ts';
import { makeWorld } from './world.ts';

const LOOKS_MAX = 500;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Its first dispute fails. */
class BusyChain extends WithheldChain {
  #refused = 0;

  override async disputeEpoch(...fraud: Parameters<WithheldChain['disputeEpoch']>): Promise<string> {
    if (this.#refused++ === 0) throw new LedgerError('test.busy', 'the mempool is full');
    return await super.disputeEpoch(...fraud);
  }
}

/** Serves all of an epoch as it was committed to. */
function servingAll(told: PublishedEpoch): EpochSource {
  return {
    async leaves(_epochId, tree, { from, count }) {
      return openRun(told[tree], { first: from, end: Math.min(told[tree].tree.leaves, from + count) });
    },
    attribution: async (_epochId, hash) => told.attribution(hash),
  };
}

/** True when the chain takes the epoch, so that only a dispute can end it. */
function isTaken(...epoch: Parameters<typeof checkEpoch>): boolean {
  try {
    checkEpoch(...epoch);
    return true;
  } catch {
    return false;
  }
}

test('lies that are served whole are convicted though their first dispute fails', async () => {
  const dice = new Dice(randomFrom(31));
  let convicted = 0;
  for (const lie of LIES) {
    const world = makeWorld(dice, { receiptsMax: 12 });
    const told = lie.tell(world, dice);
    if (told === undefined || !isTaken(told.commitment, world.claimed)) continue;
    const chain = new BusyChain(told.commitment, world.chain, () => undefined);
    const parts = { chain, sources: () => servingAll(told), ticks: () => () => undefined, logger: quiet };
    const metrics = new EpochWatchMetrics();
    const watcher = new EpochWatcher({ ...parts, metrics, random: () => 0.5 }, { ticksMax: 1 });
    for (let looks = 0; chain.outcome === undefined && looks < LOOKS_MAX; looks++) {
      await watcher.look();
      chain.block();
    }
    expect(['fraud', 'silence'], lie.name).toContain(chain.outcome);
    if (chain.outcome === 'fraud') convicted++;
  }
  expect(convicted).toBeGreaterThan(10);
});
