/** Bugs put in on purpose: each must be found within a few seeds. */
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import type { OpenLedgerApp } from '../../app/app.ts';
import { Bank } from '../../modules/bank/keeper.ts';
import { stopWorkers } from './nodes.ts';
import { runSeed } from './run.ts';
import type { Plant } from './simulation.ts';

const SEEDS_MAX = 10;
const BLOCKS = 200;

afterEach(() => {
  vi.restoreAllMocks();
  bugs.roundsUp = false;
});
afterAll(stopWorkers);

const bugs = vi.hoisted(() => ({ roundsUp: false }));

vi.mock('../../modules/staking/shares.ts', async (original) => {
  const shares = await original<typeof import('../../modules/staking/shares.ts')>();
  const withoutShares: typeof shares.withoutShares = (validator, leaving) => {
    const right = shares.withoutShares(validator, leaving);
    const hasRest = right.validator.tokens > 0n && right.validator.shares.sign > 0;
    if (!bugs.roundsUp || !hasRest) return right;
    const after = { ...right.validator, tokens: right.validator.tokens - 1n };
    return { validator: after, issued: right.issued + 1n };
  };
  return { ...shares, withoutShares };
});

interface Planted {
  readonly name: string;
  /** What must notice it. */
  readonly noticed: RegExp;
  readonly everywhere?: () => void;
  readonly plant?: Plant;
}

/** A validator that leaves the set is too much for somebody who is told of it. */
function throwingHook({ composition }: OpenLedgerApp): void {
  const nothing = (): void => undefined;
  composition.stakingHooks.add({
    afterValidatorCreated: nothing,
    beforeValidatorModified: nothing,
    afterValidatorRemoved: nothing,
    afterValidatorBonded: nothing,
    afterValidatorBeginUnbonding: () => {
      throw new RangeError('planted');
    },
    beforeDelegationCreated: nothing,
    beforeDelegationSharesModified: nothing,
    beforeDelegationRemoved: nothing,
    afterDelegationModified: nothing,
    beforeValidatorSlashed: nothing,
  });
}

const PLANTED: readonly Planted[] = [
  {
    name: 'what shares are worth is rounded up, to the loss of those who stay',
    // An invariant, or distribution's own check of what a delegation is worth, whichever comes first.
    noticed: /exchange rate|modules|panics/,
    everywhere: () => void (bugs.roundsUp = true),
  },
  {
    name: 'modules may be sent to',
    // The module that holds too much finds it, or the import of what it exports.
    noticed: /modules|export/,
    everywhere: () => void vi.spyOn(Bank.prototype, 'isBlocked').mockReturnValue(false),
  },
  { name: 'a hook throws', noticed: /hooks|panics/, plant: throwingHook },
];

it.each(PLANTED)(
  'it is found out that $name',
  async ({ name, noticed, everywhere, plant }) => {
    everywhere?.();
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const options = { seed, blocks: BLOCKS };
      const { violations } = await runSeed(plant === undefined ? options : { ...options, plant });
      const [first] = violations;
      if (first === undefined) continue;
      expect(first.invariant, first.sentence).toMatch(noticed);
      const { height, invariant, sentence } = first;
      process.stdout.write(
        `${name}: seed ${seed}, block ${height}, ${invariant}: ${sentence.slice(0, 140)}\n`,
      );
      return;
    }
    expect.fail(`${SEEDS_MAX} seeds did not find out that ${name}`);
  },
  300_000,
);
