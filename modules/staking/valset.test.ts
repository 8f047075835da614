/** Who is in the validator set. */
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../../core/bytes.ts';
import { moduleAddress } from '../../framework/address.ts';
import * as tx from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { consensusKey, decimal, StakingWorld } from '../../test/support/staking-world.ts';
import type { DelegationPair, StakingHooks, ValidatorIdentity } from './types.ts';

function limitValidators(world: StakingWorld, maxValidators: number): void {
  const params = {
    ...world.composition.staking.params(world.context),
    maxValidators,
    minCommissionRate: '0',
  };
  world.run(
    { message: tx.MsgUpdateParams, response: tx.MsgUpdateParamsResponse },
    { authority: world.composition.addresses.toText(moduleAddress('gov')), params },
  );
}

function delegate(world: StakingWorld, from: number, to: number, amount: number): void {
  world.run(
    { message: tx.MsgDelegate, response: tx.MsgDelegateResponse },
    {
      delegatorAddress: world.account(from).address,
      validatorAddress: world.operator(to),
      amount: { denom: 'uopen', amount: amount.toString() },
    },
  );
}

function undelegate(world: StakingWorld, from: number, to: number, amount: number): void {
  world.run(
    { message: tx.MsgUndelegate, response: tx.MsgUndelegateResponse },
    {
      delegatorAddress: world.account(from).address,
      validatorAddress: world.operator(to),
      amount: { denom: 'uopen', amount: amount.toString() },
    },
  );
}

function statuses(world: StakingWorld, count: number): readonly (string | undefined)[] {
  return Array.from(
    { length: count },
    (_, i) => world.composition.staking.validator(world.context, world.address(i))?.status,
  );
}

describe('the validator set', () => {
  it('is left in the order of the operators, after those who stay or join in the order of their powers', () => {
    const tokens = [4n, 7n, 5n, 6n, 3n].map((power) => power * 1_000_000n);
    const world = new StakingWorld({ validators: tokens });
    world.endBlock();
    for (const i of [2, 0, 4, 3]) world.composition.staking.jail(world.context, world.keyAddress(i));
    delegate(world, 5, 1, 1_000_000);
    const leavers = [2, 0, 4, 3].sort((a, b) => compareBytes(world.address(a), world.address(b)));
    expect(leavers).not.toEqual([0, 2, 3, 4]);
    const updates = [1, ...leavers].map((i) => ({
      pubKey: { ed25519: consensusKey(i), secp256k1: undefined },
      power: i === 1 ? 8n : 0n,
    }));
    expect(world.endBlock()).toEqual(updates);
  });

  it('is told to consensus at genesis and then only where powers change', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 20_999_999n] });
    expect(world.firstUpdates).toEqual([
      { pubKey: { ed25519: consensusKey(1), secp256k1: undefined }, power: 20n },
      { pubKey: { ed25519: consensusKey(0), secp256k1: undefined }, power: 10n },
    ]);
    delegate(world, 3, 0, 999_999);
    expect(world.endBlock()).toEqual([]);
    delegate(world, 3, 0, 1);
    expect(world.endBlock()).toEqual([
      { pubKey: { ed25519: consensusKey(0), secp256k1: undefined }, power: 11n },
    ]);
    expect(world.composition.staking.lastTotalPower(world.context)).toBe(31n);
  });

  it('follows the largest number of validators, down and up', () => {
    const world = new StakingWorld({ validators: [30_000_000n, 20_000_000n, 10_000_000n] });
    limitValidators(world, 2);
    expect(world.endBlock().map(({ power }) => power)).toEqual([0n]);
    expect(statuses(world, 3)).toEqual(['bonded', 'bonded', 'unbonding']);
    expect(world.composition.staking.totalBonded(world.context)).toBe(50_000_000n);
    // The weakest of two is overtaken.
    delegate(world, 4, 2, 11_000_000);
    expect(world.endBlock().map(({ power }) => power)).toEqual([21n, 0n]);
    expect(statuses(world, 3)).toEqual(['bonded', 'unbonding', 'bonded']);
    limitValidators(world, 3);
    expect(world.endBlock().map(({ power }) => power)).toEqual([20n]);
    for (let i = 0; i < 12; i++) world.endBlock();
    expect(statuses(world, 3)).toEqual(['bonded', 'bonded', 'bonded']);
    expect(world.broken()).toEqual([]);
  });

  it('prefers the lower address of two that are equally strong', () => {
    const world = new StakingWorld({ validators: [20_000_000n, 20_500_000n, 20_000_000n] });
    limitValidators(world, 1);
    world.endBlock();
    const strongest = [0, 1, 2].toSorted((a, b) => compareBytes(world.address(a), world.address(b)))[0];
    expect(statuses(world, 3).map((status) => status === 'bonded')).toEqual(
      [0, 1, 2].map((i) => i === strongest),
    );
    expect(world.broken()).toEqual([]);
  });

  it('drops a validator that all have left, and forgets it when its unbonding is over', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 20_000_000n] });
    undelegate(world, 0, 0, 10_000_000);
    world.endBlock();
    expect(statuses(world, 2)).toEqual(['unbonding', 'bonded']);
    for (let i = 0; i < 10; i++) world.endBlock();
    expect(statuses(world, 2)).toEqual([undefined, 'bonded']);
    expect(world.composition.staking.validatorByKey(world.context, world.keyAddress(0))).toBeUndefined();
    expect(world.balance(0)).toBe(1_000_010_000_000n);
    expect(world.broken()).toEqual([]);
  });

  it('stays as it is when nobody would be left in it', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
    const { staking } = world.composition;
    for (const i of [0, 1]) staking.jail(world.context, world.keyAddress(i));
    expect(world.endBlock()).toEqual([]);
    expect(statuses(world, 2)).toEqual(['bonded', 'bonded']);
    undelegate(world, 0, 0, 10_000_000);
    expect(world.endBlock()).toEqual([]);
    staking.unjail(world.context, world.keyAddress(1));
    expect(world.endBlock().map(({ power }) => power)).toEqual([0n]);
    expect(statuses(world, 2)).toEqual(['unbonding', 'bonded']);
    for (let i = 0; i < 12; i++) world.endBlock();
    expect(statuses(world, 2)).toEqual([undefined, 'bonded']);
    expect(world.broken()).toEqual([]);
  });

  it('is kept with the headers of the last blocks, in the order of power', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 20_000_000n] });
    for (let i = 0; i < 8; i++) world.endBlock();
    const { modules } = world.composition;
    const held = [
      ...world.context.reader('staking').iterate({ start: Uint8Array.of(0x50), end: Uint8Array.of(0x51) }),
    ];
    // Five headers: blocks 5 to 9, the last of which has begun.
    expect(held.map(([key]) => key[8])).toEqual([5, 6, 7, 8, 9]);
    expect(modules.find(({ name }) => name === 'staking')?.consensusVersion).toBe(5);
  });
});

/** Writes down what it is told. */
class Listener implements StakingHooks {
  readonly told: string[] = [];
  readonly #names: ReadonlyMap<string, string>;

  constructor(names: ReadonlyMap<string, string>) {
    this.#names = names;
  }

  #note(what: string, ...addresses: readonly Uint8Array[]): void {
    const known = addresses.map((address) => this.#names.get(Buffer.from(address).toString('hex')) ?? '?');
    this.told.push([what, ...known].join(' '));
  }

  afterValidatorCreated(_: unknown, operator: Uint8Array): void {
    this.#note('created', operator);
  }
  beforeValidatorModified(_: unknown, operator: Uint8Array): void {
    this.#note('modified', operator);
  }
  afterValidatorRemoved(_: unknown, { operator, consensusAddress }: ValidatorIdentity): void {
    this.#note('removed', operator, consensusAddress);
  }
  afterValidatorBonded(_: unknown, { operator, consensusAddress }: ValidatorIdentity): void {
    this.#note('bonded', operator, consensusAddress);
  }
  afterValidatorBeginUnbonding(_: unknown, { operator, consensusAddress }: ValidatorIdentity): void {
    this.#note('unbonding', operator, consensusAddress);
  }
  beforeDelegationCreated(_: unknown, { delegator, validator }: DelegationPair): void {
    this.#note('new delegation', delegator, validator);
  }
  beforeDelegationSharesModified(_: unknown, { delegator, validator }: DelegationPair): void {
    this.#note('before change', delegator, validator);
  }
  beforeDelegationRemoved(_: unknown, { delegator, validator }: DelegationPair): void {
    this.#note('before removal', delegator, validator);
  }
  afterDelegationModified(_: unknown, { delegator, validator }: DelegationPair): void {
    this.#note('after change', delegator, validator);
  }
  beforeValidatorSlashed(_: unknown, operator: Uint8Array, fraction: { toString(): string }): void {
    this.#note(`slashed ${fraction.toString()}`, operator);
  }
}

describe('hooks', () => {
  it('are told in the order of the SDK', () => {
    const world = new StakingWorld({ validators: [10_000_000n, 20_000_000n] });
    const names = new Map(
      [0, 1, 2, 3].flatMap((i) => [
        [Buffer.from(world.address(i)).toString('hex'), `account${i}`] as const,
        [Buffer.from(world.keyAddress(i)).toString('hex'), `key${i}`] as const,
      ]),
    );
    const listener = new Listener(names);
    world.composition.stakingHooks.add(listener);
    delegate(world, 3, 0, 5);
    delegate(world, 3, 0, 5);
    undelegate(world, 3, 0, 4);
    undelegate(world, 3, 0, 6);
    const height = world.context.block.height;
    const offence = { consensusAddress: world.keyAddress(0), height, power: 10n, fraction: decimal('0.03') };
    world.composition.staking.slash(world.context, offence);
    undelegate(world, 0, 0, 9_700_000);
    world.endBlock();
    for (let i = 0; i < 11; i++) world.endBlock();
    expect(listener.told).toEqual([
      'new delegation account3 account0',
      'after change account3 account0',
      'before change account3 account0',
      'after change account3 account0',
      'before change account3 account0',
      'after change account3 account0',
      'before change account3 account0',
      'before removal account3 account0',
      'modified account0',
      'slashed 0.030000000000000000 account0',
      'before change account0 account0',
      'before removal account0 account0',
      'unbonding account0 key0',
      'removed account0 key0',
    ]);
    expect(world.broken()).toEqual([]);
  });
});
