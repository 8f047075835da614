/**
 * Random stakes, slashes, fees and withdrawals: every invariant holds after each block, nothing stops it, and
 * what was collected is what was paid, what is owed and what the community has, to the unit.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../core/decimal.ts';
import { moduleAddress } from '../../framework/address.ts';
import { StateError } from '../../framework/errors.ts';
import * as dist from '../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import * as tx from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import {
  collect,
  delegate,
  nextBlock,
  undelegate,
  withdraw,
  withdrawCommission,
} from '../../test/support/rewards.ts';
import { decimal, StakingWorld } from '../../test/support/staking-world.ts';

const ACCOUNTS = 6;
const PAYER = ACCOUNTS - 1;
const MILLION = 1_000_000n;
const KINDS = [
  'collect',
  'delegate',
  'undelegate',
  'redelegate',
  'slash',
  'jail',
  'unjail',
  'withdraw',
  'commission',
  'redirect',
  'deposit',
  'fund',
  'end',
  'end',
  'end',
] as const;

const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  a: fc.nat(ACCOUNTS - 2),
  b: fc.nat(2),
  amount: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 12_000_000 })),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function act(world: StakingWorld, { kind, a, b, amount }: Step): void {
  const coin = { denom: 'uopen', amount: amount.toString() };
  const { staking } = world.composition;
  const depositor = world.account(PAYER).address;
  switch (kind) {
    case 'collect':
      collect(world, `${amount}uopen`);
      break;
    case 'deposit':
      world.run(
        {
          message: dist.MsgDepositValidatorRewardsPool,
          response: dist.MsgDepositValidatorRewardsPoolResponse,
        },
        { depositor, validatorAddress: world.operator(b), amount: [coin] },
      );
      // A stake that changes again in this block would not get its part: see the README.
      nextBlock(world);
      break;
    case 'fund':
      world.run(
        { message: dist.MsgFundCommunityPool, response: dist.MsgFundCommunityPoolResponse },
        { depositor, amount: [coin] },
      );
      break;
    case 'delegate':
      delegate(world, a, b, BigInt(amount));
      break;
    case 'undelegate':
      undelegate(world, a, b, BigInt(amount));
      break;
    case 'redelegate':
      world.run(
        { message: tx.MsgBeginRedelegate, response: tx.MsgBeginRedelegateResponse },
        {
          delegatorAddress: world.account(a).address,
          validatorSrcAddress: world.operator(b),
          validatorDstAddress: world.operator((b + 1) % 3),
          amount: coin,
        },
      );
      break;
    case 'slash': {
      const power = (staking.validator(world.context, world.address(b))?.tokens ?? 0n) / 1_000_000n;
      const at = world.context.block.height - BigInt(a);
      const fraction = decimal(`0.${String(amount % 1_000_000).padStart(6, '0')}`);
      const consensusAddress = world.keyAddress(b);
      staking.slash(world.context, { consensusAddress, height: at < 1n ? 1n : at, power, fraction });
      break;
    }
    case 'jail':
      staking.jail(world.context, world.keyAddress(b));
      break;
    case 'unjail':
      staking.unjail(world.context, world.keyAddress(b));
      break;
    case 'withdraw':
      withdraw(world, a, b);
      break;
    case 'commission':
      withdrawCommission(world, b);
      break;
    case 'redirect':
      world.run(
        { message: dist.MsgSetWithdrawAddress, response: dist.MsgSetWithdrawAddressResponse },
        { delegatorAddress: world.account(a).address, withdrawAddress: world.account(b).address },
      );
      break;
    case 'end':
      nextBlock(world, BigInt(1 + (amount % 5)));
  }
}

/** Everyone takes what there is. @returns coins left with validators, in units and parts of them */
function settle(world: StakingWorld): Decimal {
  const { staking, bank } = world.composition;
  for (const { operator } of [...staking.validators(world.context)]) {
    const j = world.accounts.findIndex((_, i) => world.address(i).join() === operator.join());
    for (const [i] of world.accounts.entries())
      if (staking.delegation(world.context, { delegator: world.address(i), validator: operator }))
        withdraw(world, i, j);
    try {
      withdrawCommission(world, j);
    } catch (error) {
      expect(String(error)).toContain('no validator commission to withdraw');
    }
  }
  const [held] = bank.balances(world.context, moduleAddress('distribution'));
  const [pool] = world.composition.distribution.communityPool(world.context);
  return Decimal.ofInteger(held?.amount ?? 0n).subtract(pool?.amount ?? Decimal.ZERO);
}

/** The smallest stake of a validator that has one, in tokens. */
function smallestStake(world: StakingWorld): bigint {
  const stakes = [...world.composition.staking.validators(world.context)]
    .map(({ tokens }) => tokens)
    .filter((tokens) => tokens > 0n);
  return stakes.reduce((a, b) => (a < b ? a : b), 1n << 64n);
}

/**
 * What may be left when all have taken theirs. Shares that are taken back, and slashes, are rounded to whole
 * tokens: the validator keeps what is less than one, and until others touch their delegations nobody has
 * what it earns. So at most: one token for each such operation, times all that a token can have earned.
 */
class Dust {
  #operations = 0n;
  #perToken = 0n;
  #unshared = 0n;
  #smallestBefore = 0n;

  before(world: StakingWorld, { kind, amount }: Step): void {
    if (['undelegate', 'redelegate', 'slash'].includes(kind)) this.#operations++;
    if (kind === 'collect' || kind === 'deposit') this.#unshared += BigInt(amount) * MILLION;
    this.#smallestBefore = smallestStake(world);
  }

  after(world: StakingWorld, { kind }: Step): void {
    if (kind !== 'end' && kind !== 'deposit') return;
    // Whose stake is the smallest earns the most for each token; before the end of the block or after it.
    const now = smallestStake(world);
    const smallest = now < this.#smallestBefore ? now : this.#smallestBefore;
    this.#perToken += this.#unshared / smallest + 1n;
    this.#unshared = 0n;
  }

  /** In units. */
  get most(): bigint {
    return (this.#operations * this.#perToken) / MILLION + 10n;
  }
}

describe('random operations', () => {
  it('break no invariant; all that is owed can be withdrawn, and the dust is the community’s', () => {
    const counts = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 120, maxLength: 120 }), (steps) => {
        const world = new StakingWorld({
          validators: [10_000_000n, 8_000_000n, 6_000_000n],
          accounts: ACCOUNTS,
          coins: 4_000_000_000n,
          params: { unbonding_time: '7s', max_validators: 3 },
        });
        const dust = new Dust();
        for (const planned of steps) {
          dust.before(world, planned);
          try {
            act(world, planned);
            dust.after(world, planned);
            counts.set(planned.kind, (counts.get(planned.kind) ?? 0) + 1);
          } catch (error) {
            // A message may be refused; a slash or the end of a block may not.
            if (!(error instanceof StateError)) throw error;
            if (['slash', 'jail', 'unjail', 'end', 'collect'].includes(planned.kind)) throw error;
          }
          if (planned.kind === 'end' || planned.kind === 'slash') expect(world.broken()).toEqual([]);
        }
        nextBlock(world);
        nextBlock(world);
        const left = settle(world);
        // Parts of units: of the last ratio for each token, and of commissions.
        expect(left.sign).toBeGreaterThanOrEqual(0);
        expect(left.truncate()).toBeLessThan(dust.most);
        expect(world.broken()).toEqual([]);
      }),
      { numRuns: 12 },
    );
    // Each kind has happened and was not only refused.
    for (const kind of KINDS) expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(0);
  }, 120_000);
});
