/** The tally against one that goes by fractions of bigints, over random delegations, slashes and votes. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as query from '../../proto/gen/cosmos/gov/v1/query.ts';
import { GovWorld } from '../../test/support/gov-world.ts';
import { decimal } from '../../test/support/staking-world.ts';

const VALIDATORS = 3;
const ACCOUNTS = 6;

interface Plan {
  readonly delegations: readonly (readonly [number, number, number])[];
  /** Parts of each validator's tokens that are slashed, in tenths. */
  readonly slashes: readonly number[];
  /** By account: an option, or none. */
  readonly votes: readonly number[];
}

const plan: fc.Arbitrary<Plan> = fc.record({
  delegations: fc.array(
    fc.tuple(fc.nat(ACCOUNTS - 1), fc.nat(VALIDATORS - 1), fc.integer({ min: 1, max: 9_000_000 })),
    { maxLength: 6 },
  ),
  slashes: fc.array(fc.nat(5), { minLength: VALIDATORS, maxLength: VALIDATORS }),
  votes: fc.array(fc.nat(4), { minLength: ACCOUNTS, maxLength: ACCOUNTS }),
});

function worldOf({ delegations, slashes, votes }: Plan): { readonly world: GovWorld; readonly id: bigint } {
  const world = new GovWorld(Array.from({ length: VALIDATORS }, () => 10_000_000n));
  for (const [i, tenths] of slashes.entries())
    world.composition.staking.slash(world.context, {
      consensusAddress: world.keyAddress(i),
      height: world.context.block.height,
      power: 10n,
      fraction: decimal(`0.${tenths}`),
    });
  for (const [i, validator, amount] of delegations) world.delegate(i, validator, amount);
  world.endBlock();
  const id = world.submit(5, [], { metadata: 'x' });
  for (const [i, option] of votes.entries()) if (option > 0) world.vote(i, id, { [option]: '1' });
  return { world, id };
}

/** Tokens for each option, rounded down, by the vote of the delegator or else of the validator. */
function expectedOf(world: GovWorld, { votes }: Plan): readonly bigint[] {
  const { staking } = world.composition;
  const sums = [0n, 0n, 0n, 0n, 0n];
  const scale = 10n ** 40n;
  for (let i = 0; i < ACCOUNTS; i++)
    for (const { validator, shares } of staking.delegationsOf(world.context, world.address(i))) {
      const held = staking.validator(world.context, validator);
      if (held === undefined) throw new RangeError('no validator');
      const operator = Array.from({ length: VALIDATORS }, (_, n) => n).find(
        (n) => world.operator(n) === world.composition.validatorAddresses.toText(validator),
      );
      const option = votes[i] || votes[operator ?? -1] || 0;
      sums[option] = (sums[option] ?? 0n) + (shares.units * held.tokens * scale) / held.shares.units;
    }
  return sums.slice(1).map((sum) => sum / scale);
}

it('agrees with a tally by fractions, to the last token but one', () => {
  fc.assert(
    fc.property(plan, (planned) => {
      const { world, id } = worldOf(planned);
      const types = { request: query.QueryTallyResultRequest, response: query.QueryTallyResultResponse };
      const { tally } = world.ask('TallyResult', types, { proposalId: id });
      const found = [tally?.yesCount, tally?.abstainCount, tally?.noCount, tally?.noWithVetoCount];
      for (const [i, expected] of expectedOf(world, planned).entries()) {
        const difference = BigInt(found[i] ?? -1) - expected;
        expect(difference >= -1n && difference <= 1n).toBe(true);
      }
      expect(world.broken()).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
