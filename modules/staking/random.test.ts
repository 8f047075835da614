/** Random operations: whatever happens, every invariant holds after each block and nothing stops it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateError } from '../../framework/errors.ts';
import { moduleAddress } from '../../framework/address.ts';
import { UnbondingDelegation } from '../../proto/gen/cosmos/staking/v1beta1/staking.ts';
import * as tx from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { consensusKeyAny, decimal, StakingWorld } from '../../test/support/staking-world.ts';

const ACCOUNTS = 6;
const KINDS = [
  'delegate',
  'delegate',
  'undelegate',
  'undelegate',
  'redelegate',
  'redelegate',
  'cancel',
  'create',
  'slash',
  'jail',
  'unjail',
  'limit',
  'end',
  'end',
  'end',
] as const;

const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  a: fc.nat(ACCOUNTS - 1),
  b: fc.nat(ACCOUNTS - 1),
  c: fc.nat(ACCOUNTS - 1),
  amount: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 12_000_000 })),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function act(world: StakingWorld, { kind, a, b, c, amount }: Step): void {
  const pair = { delegatorAddress: world.account(a).address, validatorAddress: world.operator(b) };
  const coin = { denom: 'uopen', amount: amount.toString() };
  const { staking } = world.composition;
  const { context } = world;
  switch (kind) {
    case 'delegate':
      return void world.run(
        { message: tx.MsgDelegate, response: tx.MsgDelegateResponse },
        { ...pair, amount: coin },
      );
    case 'undelegate':
      return void world.run(
        { message: tx.MsgUndelegate, response: tx.MsgUndelegateResponse },
        { ...pair, amount: coin },
      );
    case 'redelegate':
      return void world.run(
        { message: tx.MsgBeginRedelegate, response: tx.MsgBeginRedelegateResponse },
        {
          delegatorAddress: pair.delegatorAddress,
          validatorSrcAddress: world.operator(b),
          validatorDstAddress: world.operator(c),
          amount: coin,
        },
      );
    case 'cancel': {
      const entry = someUnbonding(world, amount);
      return void world.run(
        { message: tx.MsgCancelUnbondingDelegation, response: tx.MsgCancelUnbondingDelegationResponse },
        entry ?? { ...pair, amount: coin, creationHeight: 1n },
      );
    }
    case 'create':
      return void world.run(
        { message: tx.MsgCreateValidator, response: tx.MsgCreateValidatorResponse },
        {
          description: { moniker: 'x', identity: '', website: '', securityContact: '', details: '' },
          commission: { rate: '0', maxRate: decimal('1').toWire(), maxChangeRate: '0' },
          minSelfDelegation: String(Math.max(1, Math.floor(amount / 2))),
          delegatorAddress: '',
          validatorAddress: world.operator(a),
          pubkey: consensusKeyAny(a),
          value: coin,
        },
      );
    case 'slash': {
      const power = (staking.validator(context, world.address(a))?.tokens ?? 0n) / 1_000_000n;
      const at = context.block.height - BigInt(b);
      const height = at < 1n ? 1n : at;
      const fraction = decimal(`0.${String(amount % 1_000_000).padStart(6, '0')}`);
      const consensusAddress = world.keyAddress(a);
      return void staking.slash(context, { consensusAddress, height, power, fraction });
    }
    case 'jail':
      return void staking.jail(context, world.keyAddress(a));
    case 'unjail':
      return void staking.unjail(context, world.keyAddress(a));
    case 'limit':
      return void world.run(
        { message: tx.MsgUpdateParams, response: tx.MsgUpdateParamsResponse },
        {
          authority: world.composition.addresses.toText(moduleAddress('gov')),
          params: {
            ...staking.params(context),
            maxValidators: 1 + (amount % 4),
            maxEntries: 1 + (b % 4),
            minCommissionRate: '0',
          },
        },
      );
    case 'end':
      return void world.endBlock(BigInt(1 + (amount % 5)));
  }
}

/** A cancellation of all or part of something that unbonds. */
function someUnbonding(world: StakingWorld, amount: number): tx.MsgCancelUnbondingDelegation | undefined {
  const range = { start: Uint8Array.of(0x32), end: Uint8Array.of(0x33) };
  const held = [...world.context.reader('staking').iterate(range)].map(([, value]) =>
    UnbondingDelegation.decode(value),
  );
  const unbonding = held[amount % Math.max(held.length, 1)];
  const entry = unbonding?.entries[amount % (unbonding?.entries.length ?? 1)];
  if (unbonding === undefined || entry === undefined) return undefined;
  const { delegatorAddress, validatorAddress } = unbonding;
  const part = amount % 3 === 0 ? entry.balance : String(BigInt(entry.balance) / 2n);
  return {
    delegatorAddress,
    validatorAddress,
    amount: { denom: 'uopen', amount: part },
    creationHeight: entry.creationHeight,
  };
}

describe('random operations', () => {
  it('break no invariant, and no block fails to end', () => {
    const counts = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 120, maxLength: 120 }), (steps) => {
        const world = new StakingWorld({
          validators: [10_000_000n, 8_000_000n, 6_000_000n],
          accounts: ACCOUNTS,
          coins: 40_000_000n,
          params: { unbonding_time: '7s', max_validators: 3 },
        });
        for (const planned of steps) {
          try {
            act(world, planned);
            counts.set(planned.kind, (counts.get(planned.kind) ?? 0) + 1);
          } catch (error) {
            // A message may be refused; a hook, a slash or the end of a block may not.
            if (!(error instanceof StateError)) throw error;
            if (['slash', 'jail', 'unjail', 'end'].includes(planned.kind)) throw error;
          }
          if (planned.kind === 'end' || planned.kind === 'slash') expect(world.broken()).toEqual([]);
        }
        for (let i = 0; i < 10; i++) world.endBlock();
        expect(world.broken()).toEqual([]);
        const queued = [
          ...world.context
            .reader('staking')
            .iterate({ start: Uint8Array.of(0x41), end: Uint8Array.of(0x44) }),
        ];
        expect(queued).toEqual([]);
      }),
      { numRuns: 30 },
    );
    // Each kind has happened and was not only refused.
    for (const kind of KINDS) expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(0);
  }, 120_000);
});
