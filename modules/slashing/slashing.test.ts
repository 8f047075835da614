/** Missed blocks, worked out by hand. The rules: x/slashing `README.md`, v0.50. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moduleAddress } from '../../framework/address.ts';
import type { VoteInfo } from '../../framework/context.ts';
import type { ValidatorSigningInfo } from '../../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import * as tx from '../../proto/gen/cosmos/slashing/v1beta1/tx.ts';
import { MsgUndelegate, MsgUndelegateResponse } from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { decimal, StakingWorld } from '../../test/support/staking-world.ts';
import { DEFAULT_PARAMS, paramsToWire } from './params.ts';
import type { SlashingParams } from './types.ts';

const UNJAIL = { message: tx.MsgUnjail, response: tx.MsgUnjailResponse };
const UPDATE = { message: tx.MsgUpdateParams, response: tx.MsgUpdateParamsResponse };

/** Three of four blocks must be signed; a minute of jail. */
const SHORT: SlashingParams = {
  ...DEFAULT_PARAMS,
  signedBlocksWindow: 4n,
  minSignedPerWindow: decimal('0.75'),
  downtimeJailDuration: { seconds: 60n, nanos: 0 },
};

function update(world: StakingWorld, params: SlashingParams): void {
  const authority = world.composition.addresses.toText(moduleAddress('gov'));
  world.run(UPDATE, { authority, params: paramsToWire(params) });
}

/** Two validators of ten million tokens each. */
function worldOf(params: SlashingParams = SHORT, tokens = [10_000_000n, 10_000_000n]): StakingWorld {
  const world = new StakingWorld({ validators: tokens });
  update(world, params);
  return world;
}

/** The votes for a block in which these validators did not. */
function votes(world: StakingWorld, ...absent: readonly number[]): readonly VoteInfo[] {
  return [0, 1].map((i) => ({
    validatorAddress: world.keyAddress(i),
    power: 10n,
    absent: absent.includes(i),
  }));
}

function nextBlock(world: StakingWorld, ...absent: readonly number[]): void {
  world.endBlock(1n, { lastCommit: votes(world, ...absent) });
}

function infoOf(world: StakingWorld, i: number): ValidatorSigningInfo | undefined {
  return world.composition.slashing.signingInfo(world.context, world.keyAddress(i));
}

function eventsOf(world: StakingWorld, type: string): readonly string[] {
  return world.context.events
    .filter((event) => event.type === type)
    .map(({ attributes }) => attributes.map(({ key, value }) => `${key}=${value}`).join(' '));
}

function validatorOf(world: StakingWorld, i: number): { readonly jailed: boolean; readonly tokens: bigint } {
  const found = world.composition.staking.validator(world.context, world.address(i));
  if (found === undefined) throw new RangeError(`no validator ${i}`);
  return found;
}

function unjail(world: StakingWorld, i: number): string {
  try {
    world.run(UNJAIL, { validatorAddr: world.operator(i) });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'ok';
}

describe('a validator that misses blocks', () => {
  it('is slashed and jailed when it has signed too few of a whole window', () => {
    const world = worldOf();
    const address = world.composition.consensusAddresses.toText(world.keyAddress(0));
    // Bonded at genesis: start 0, window 4. At least 3 of 4 must be signed, one may be missed.
    expect(infoOf(world, 0)?.startHeight).toBe(0n);
    nextBlock(world, 0); // height 2
    expect(eventsOf(world, 'liveness')).toEqual([`address=${address} missed_blocks=1 height=2`]);
    nextBlock(world, 0); // 3
    nextBlock(world); // 4: not past the first window, though two were missed
    expect(infoOf(world, 0)).toMatchObject({ indexOffset: 3n, missedBlocksCounter: 2n });
    expect(validatorOf(world, 0).jailed).toBe(false);
    // Height 5 > 0 + 4. Two are more than one: 1 % of 10 × 10^6 tokens is 100,000.
    nextBlock(world);
    expect(eventsOf(world, 'slash')).toEqual([
      `address=${address} power=10 reason=missing_signature jailed=${address} burned_coins=100000`,
    ]);
    expect(validatorOf(world, 0)).toMatchObject({ jailed: true, tokens: 9_900_000n });
    expect(infoOf(world, 0)).toMatchObject({
      startHeight: 0n,
      indexOffset: 0n,
      missedBlocksCounter: 0n,
      tombstoned: false,
      jailedUntil: { seconds: world.time.seconds + 60n, nanos: 0 },
    });
    expect(infoOf(world, 1)).toMatchObject({ indexOffset: 4n, missedBlocksCounter: 0n });
    expect(world.endBlock()).toMatchObject([{ power: 0n }]);
    // Its vote of the block that it was still in counts for nothing.
    nextBlock(world, 0);
    expect(infoOf(world, 0)?.missedBlocksCounter).toBe(0n);
    expect(world.broken()).toEqual([]);
  });

  it('is forgiven what lies further back than the window', () => {
    const world = worldOf();
    // One block of each four is missed, always the same place of the window.
    for (let height = 2; height < 40; height++) nextBlock(world, ...(height % 4 === 0 ? [0] : []));
    expect(validatorOf(world, 0)).toMatchObject({ jailed: false, tokens: 10_000_000n });
    expect(infoOf(world, 0)).toMatchObject({ indexOffset: 38n, missedBlocksCounter: 1n });
    nextBlock(world); // 40: the place of block 36
    expect(infoOf(world, 0)?.missedBlocksCounter).toBe(0n);
    expect(world.broken()).toEqual([]);
  });

  it('loses of what unbonded since, too', () => {
    const world = worldOf();
    nextBlock(world, 0); // 2
    nextBlock(world, 0); // 3
    // The slash at height 5 is for the stake of height 3: an unbonding of height 3 is in it, of 2 is not.
    const delegatorAddress = world.account(0).address;
    const validatorAddress = world.operator(0);
    const types = { message: MsgUndelegate, response: MsgUndelegateResponse };
    const amount = { denom: 'uopen', amount: '1000000' };
    world.run(types, { delegatorAddress, validatorAddress, amount });
    nextBlock(world); // 4
    nextBlock(world); // 5
    // 1 % of ten million is 100,000: 10,000 of it from the million that unbonds, 90,000 of the validator.
    expect(eventsOf(world, 'slash')[0]).toContain('burned_coins=90000');
    expect(validatorOf(world, 0).tokens).toBe(8_910_000n);
    expect(world.broken()).toEqual([]);
  });

  it('cannot throw: votes of the unknown, votes without power, a fixed set', () => {
    const world = worldOf();
    const unknown = { validatorAddress: new Uint8Array(20), power: 7n, absent: true };
    for (let i = 0; i < 8; i++) world.endBlock(1n, { lastCommit: [unknown] });
    expect(infoOf(world, 0)?.indexOffset).toBe(0n);
    const fixed = new StakingWorld({ validators: [] });
    fixed.endBlock(1n, { lastCommit: [unknown] });
    expect(fixed.context.events).toEqual([]);
  });
});

describe('MsgUnjail', () => {
  function jailedWorld(): StakingWorld {
    const world = worldOf();
    for (let height = 2; height <= 5; height++) nextBlock(world, 0);
    return world;
  }

  it('lets a validator back in when its term is over', () => {
    const world = jailedWorld();
    expect(unjail(world, 0)).toBe('validator still jailed; cannot be unjailed');
    world.endBlock(59n);
    expect(unjail(world, 0)).toBe('validator still jailed; cannot be unjailed');
    world.endBlock(1n);
    expect(unjail(world, 0)).toBe('ok');
    expect(unjail(world, 0)).toBe('validator not jailed; cannot be unjailed');
    const { height } = world.context.block;
    expect(world.endBlock()).toMatchObject([{ power: 9n }]);
    // A new window begins where it was bonded again.
    expect(infoOf(world, 0)?.startHeight).toBe(height);
    expect(world.broken()).toEqual([]);
  });

  it('is refused with the codes of the SDK', () => {
    const world = jailedWorld();
    expect(unjail(world, 4)).toBe('validator does not exist');
    expect(() => world.run(UNJAIL, { validatorAddr: world.account(0).address })).toThrow(
      'hrp does not match',
    );
    world.endBlock(60n);
    const left = jailedWorld();
    left.run(
      { message: MsgUndelegate, response: MsgUndelegateResponse },
      {
        delegatorAddress: left.account(0).address,
        validatorAddress: left.operator(0),
        amount: { denom: 'uopen', amount: '9900000' },
      },
    );
    expect(unjail(left, 0)).toBe('no delegation for (address, validator) tuple');
    const offence = {
      consensusAddress: world.keyAddress(0),
      height: 1n,
      power: 100n,
      fraction: decimal('1'),
    };
    world.composition.staking.slash(world.context, offence);
    expect(unjail(world, 0)).toBe(
      "0 less than 1: validator's self delegation less than minimum; cannot be unjailed",
    );
  });

  it('never lets back in who is tombstoned', () => {
    const world = jailedWorld();
    world.composition.slashing.tombstone(world.context, world.keyAddress(0));
    world.endBlock(1000n);
    expect(unjail(world, 0)).toBe('validator still jailed; cannot be unjailed');
    expect(world.broken()).toEqual([]);
  });
});

describe('parameters of slashing', () => {
  it.each<readonly [string, Partial<SlashingParams>]>([
    ['signed blocks window must be positive: 0', { signedBlocksWindow: 0n }],
    ['signed blocks window must be at most', { signedBlocksWindow: 1_000_001n }],
    ['downtime jail duration must be positive', { downtimeJailDuration: { seconds: 0n, nanos: 0 } }],
    ['downtime jail duration must be shorter', { downtimeJailDuration: { seconds: 1n << 40n, nanos: 0 } }],
    ['min signed per window cannot be negative', { minSignedPerWindow: decimal('-0.1') }],
    ['min signed per window too large', { minSignedPerWindow: decimal('1.1') }],
    ['double sign slash fraction too large', { slashFractionDoubleSign: decimal('1.1') }],
    ['downtime slash fraction cannot be negative', { slashFractionDowntime: decimal('-1') }],
  ])('are refused: %s', (problem, edit) => {
    const world = worldOf();
    expect(() => update(world, { ...SHORT, ...edit })).toThrow(problem);
    expect(world.composition.slashing.params(world.context)).toEqual(SHORT);
  });
});

describe('random attendance', () => {
  it('is counted as a list of the last blocks would count it', () => {
    const attendance = fc.array(fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }), { maxLength: 60 });
    const window = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(attendance, window, fc.integer({ min: 0, max: 10 }), (blocks, size, tenths) => {
        const minSignedPerWindow = decimal(`${tenths / 10}`);
        const params = { ...SHORT, signedBlocksWindow: BigInt(size), minSignedPerWindow };
        const world = worldOf(params, [10_000_000n, 10_000_000n, 10_000_000n]);
        const models = [0, 1].map(() => ({ seen: [] as boolean[], isJailed: false }));
        for (const absent of blocks) {
          world.endBlock(1n, { lastCommit: votes(world, ...[0, 1].filter((i) => absent[i])) });
          const { height } = world.context.block;
          for (const [i, model] of models.entries()) {
            if (model.isJailed) continue;
            model.seen.push(absent[i] ?? false);
            const missed = model.seen.slice(-size).filter(Boolean).length;
            // Half to even, as Go rounds what is to be signed.
            const missedMax = size - Number(minSignedPerWindow.multiplyInteger(BigInt(size)).round());
            model.isJailed = height > BigInt(size) && missed > missedMax;
            expect(validatorOf(world, i).jailed).toBe(model.isJailed);
            if (!model.isJailed) expect(infoOf(world, i)?.missedBlocksCounter).toBe(BigInt(missed));
          }
          expect(world.broken()).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
