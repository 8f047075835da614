import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exportModules, initModules } from '../../app/genesis.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { fromUtf8, toHex } from '../../core/bytes.ts';
import { AddressCodec, moduleAddress } from '../../framework/address.ts';
import { decCoinsToString } from '../../framework/dec-coins.ts';
import { type JsonObject, JsonReader } from '../../framework/json.ts';
import { memoryContext } from '../../framework/testing/memory.ts';
import { QueryInflationRequest, QueryInflationResponse } from '../../proto/gen/cosmos/mint/v1beta1/query.ts';
import { MsgUpdateParams, MsgUpdateParamsResponse } from '../../proto/gen/cosmos/mint/v1beta1/tx.ts';
import { moduleCoins, nextBlock } from '../../test/support/rewards.ts';
import { decimal, StakingWorld } from '../../test/support/staking-world.ts';
import { SUPPLY_MAX } from './begin-block.ts';
import { blockProvision, INITIAL_MINTER, nextInflation } from './minter.ts';
import { DEFAULT_PARAMS, paramsFromJson } from './params.ts';
import type { MintParams } from './types.ts';
import { minterValue, paramsToWire, paramsValue } from './wire.ts';

interface Run {
  readonly params: JsonObject;
  readonly bytes: string;
  readonly steps: readonly {
    readonly bondedRatio: string;
    readonly supply: string;
    readonly inflation: string;
    readonly annualProvisions: string;
    readonly provision: string;
    readonly minter: string;
  }[];
}

const runs: readonly Run[] = JSON.parse(
  readFileSync(new URL('../../test/vectors/mint/minter.json', import.meta.url), 'utf8'),
);

const GOV = new AddressCodec('open').toText(moduleAddress('gov'));
const UPDATE = { message: MsgUpdateParams, response: MsgUpdateParamsResponse };

/** Nearly everything is bonded, and a year has ten blocks. */
const FAST: MintParams = {
  mintDenom: 'uopen',
  inflationRateChange: decimal('0'),
  inflationMax: decimal('0.1'),
  inflationMin: decimal('0.1'),
  goalBonded: decimal('0.67'),
  blocksPerYear: 10n,
};

function worldWith(params: MintParams, coins = 1_000_000n): StakingWorld {
  const world = new StakingWorld({ validators: [94_000_000n], accounts: 6, coins });
  world.run(UPDATE, { authority: GOV, params: paramsToWire(params) });
  return world;
}

describe('the minter', () => {
  it('keeps inflation within its bounds', () => {
    const change = { inflationRateChange: decimal('1'), inflationMin: decimal('0.07') };
    const params = { ...FAST, ...change, inflationMax: decimal('0.2') };
    const next = (bondedRatio: string): string =>
      nextInflation(
        { ...INITIAL_MINTER, inflation: decimal('0.13') },
        params,
        decimal(bondedRatio),
      ).toString();
    // Nothing bonded: 0.13 + 1 / 10. All of it: 0.13 + (1 - 1 / 0.67) / 10 = 0.0807…; a price of two goals: 0.03.
    expect([next('0'), next('1'), next('1.34')]).toEqual([
      '0.200000000000000000',
      '0.080746268656716418',
      '0.070000000000000000',
    ]);
  });

  it.each(runs.map((run, i) => [i, run] as const))('reckons as the SDK does (%i)', (_, run) => {
    const params = paramsFromJson(new JsonReader(run.params, 'params'));
    expect(toHex(paramsValue.encode(params))).toBe(run.bytes);
    let minter = INITIAL_MINTER;
    for (const step of run.steps) {
      const inflation = nextInflation(minter, params, decimal(step.bondedRatio));
      minter = { inflation, annualProvisions: inflation.multiplyInteger(BigInt(step.supply)) };
      expect(inflation.toString()).toBe(step.inflation);
      expect(minter.annualProvisions.toString()).toBe(step.annualProvisions);
      expect(blockProvision(minter, params).toString()).toBe(step.provision);
      expect(toHex(minterValue.encode(minter))).toBe(step.minter);
    }
  });
});

describe('a block', () => {
  it('makes its part of a year’s coins, which are shared out with its fees', () => {
    const world = worldWith(FAST);
    // Supply 100,000,000: a tenth of a tenth.
    nextBlock(world);
    const minted = world.context.events.find(({ type }) => type === 'mint');
    expect(minted?.attributes.map(({ key, value }) => [key, value])).toEqual([
      ['bonded_ratio', '0.940000000000000000'],
      ['inflation', '0.100000000000000000'],
      ['annual_provisions', '10000000.000000000000000000'],
      ['amount', '1000000'],
    ]);
    expect(world.composition.bank.supply(world.context, 'uopen')).toBe(101_000_000n);
    expect(moduleCoins(world, 'mint')).toEqual([]);
    expect(moduleCoins(world, 'distribution')).toEqual([{ denom: 'uopen', amount: 1_000_000n }]);
    const pool = world.composition.distribution.communityPool(world.context);
    expect(decCoinsToString(pool)).toBe('20000.000000000000000000uopen');
    const route = world.composition.modules
      .flatMap(({ queries }) => queries)
      .find(({ path }) => path === '/cosmos.mint.v1beta1.Query/Inflation');
    const answer = route?.answer(world.context, QueryInflationRequest.encode({}));
    expect(fromUtf8(QueryInflationResponse.decode(answer ?? new Uint8Array(0)).inflation)).toBe(
      decimal('0.1').toWire(),
    );
    expect(world.broken()).toEqual([]);
  });

  it('makes nothing where nothing is to be made, and says so', () => {
    const world = new StakingWorld({ validators: [94_000_000n] });
    nextBlock(world);
    const minted = world.context.events.find(({ type }) => type === 'mint');
    expect(minted?.attributes.at(-1)?.value).toBe('0');
  });

  it('does not take the supply out of 256 bits, however fast it grows', () => {
    const doubling = { ...FAST, inflationMax: decimal('1'), inflationMin: decimal('1'), blocksPerYear: 1n };
    const world = worldWith(doubling);
    for (let i = 0; i < 110; i++) nextBlock(world);
    expect(world.composition.bank.supply(world.context, 'uopen')).toBe(SUPPLY_MAX);
    expect(world.broken()).toEqual([]);
  });

  it('does not come where the validators are fixed', () => {
    const world = new StakingWorld({ validators: [] });
    nextBlock(world);
    expect(world.context.events).toEqual([]);
  });
});

describe('parameters', () => {
  it.each<readonly [string, Partial<MintParams>]>([
    ['mint denom cannot be blank', { mintDenom: ' ' }],
    ['invalid denom: 1', { mintDenom: '1' }],
    ['inflation rate change cannot be negative', { inflationRateChange: decimal('-0.1') }],
    ['max inflation too large', { inflationMax: decimal('1.1') }],
    ['goal bonded must be positive', { goalBonded: decimal('0') }],
    ['blocks per year must be positive', { blocksPerYear: 0n }],
    ['blocks per year must be at most', { blocksPerYear: 1n << 63n }],
    ['must be greater than or equal to min inflation', { inflationMin: decimal('0.2') }],
  ])('are refused: %s', (problem, change) => {
    expect(() => worldWith({ ...FAST, ...change })).toThrow(problem);
  });

  it('cannot be missing', () => {
    const world = worldWith(FAST);
    const params = { ...paramsToWire(FAST), goalBonded: '' };
    expect(() => world.run(UPDATE, { authority: GOV, params })).toThrow('goal bonded cannot be nil');
  });
});

describe('genesis', () => {
  it('comes back as it was exported', () => {
    const world = worldWith(FAST);
    nextBlock(world);
    const exported = exportModules(world.composition.modules, world.context);
    const { modules } = composeModules('open');
    const context = memoryContext(storeNames(modules));
    initModules(modules, context, exported);
    expect(exportModules(modules, context)['mint']).toEqual(exported['mint']);
    expect(exported['mint']).toMatchObject({ minter: { inflation: '0.100000000000000000' } });
  });

  it('has the SDK’s defaults, and names what is wrong', () => {
    const module = composeModules('open').modules.find(({ name }) => name === 'mint');
    const defaults: JsonObject = Object(module?.genesis?.defaults());
    expect(paramsFromJson(new JsonReader(defaults['params'], ''))).toEqual(DEFAULT_PARAMS);
    const negative = { ...defaults, minter: { inflation: '-0.1', annual_provisions: '0.0' } };
    expect(() => module?.genesis?.validate(new JsonReader(negative, 'app_state.mint'))).toThrow(
      'app_state.mint.minter.inflation: should be positive',
    );
  });
});
