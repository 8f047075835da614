/** The bytes of the store, held against those of the SDK: see test/vectors/staking. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { AddressCodec } from '../../framework/address.ts';
import { memoryContext } from '../../framework/testing/memory.ts';
import { ed25519PublicKey } from '../../framework/tx/public-key.ts';
import { decimal } from '../../test/support/staking-world.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { stakingState } from './state.ts';
import type { Validator } from './types.ts';
import { stakingWire } from './wire.ts';

const vectors: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(new URL('../../test/vectors/staking/layout.json', import.meta.url), 'utf8'),
);

const counting = (first: number): Uint8Array => Uint8Array.from({ length: 20 }, (_, i) => first + i);
const OPERATOR = counting(1);
const DELEGATOR = counting(101);
const DESTINATION = counting(201);
const LATER = { seconds: 1_700_000_009n, nanos: 5 };
const PAIR = { delegator: DELEGATOR, validator: OPERATOR };

const VALIDATOR: Validator = {
  operator: OPERATOR,
  consensusKey: ed25519PublicKey(new Uint8Array(32)),
  jailed: false,
  status: 'bonded',
  tokens: 1_234_567_890n,
  shares: decimal('1234567899.5'),
  description: { moniker: 'moniker', identity: '', website: '', securityContact: '', details: '' },
  unbondingHeight: 7n,
  unbondingTime: { seconds: 1_700_000_009n, nanos: 0 },
  commission: {
    rate: decimal('0.1'),
    maxRate: decimal('1'),
    maxChangeRate: decimal('0.01'),
    updateTime: { seconds: 1_700_000_001n, nanos: 5 },
  },
  minSelfDelegation: 1n,
  unbondingIds: [3n],
};

describe('the store of staking', () => {
  const wire = stakingWire({
    accounts: new AddressCodec('open'),
    validators: new AddressCodec('openvaloper'),
  });
  const state = stakingState(wire);

  /** What writing leaves in the store, as hex of key and value. */
  function written(
    write: (context: ReturnType<typeof memoryContext>) => void,
  ): readonly (readonly string[])[] {
    const context = memoryContext(['staking']);
    write(context);
    return [...context.store('staking').iterate({})].map(([key, value]) => [toHex(key), toHex(value)]);
  }

  it('has validators and their indexes where the SDK has them', () => {
    const { validators, operators, powerIndex, lastPowers, validatorQueue, lastTotalPower, params } = state;
    expect(written((c) => validators.set(c, OPERATOR, VALIDATOR))).toEqual([
      [vectors['validatorKey'], vectors['validatorValue']],
    ]);
    const { address } = VALIDATOR.consensusKey;
    expect(written((c) => operators.set(c, address, OPERATOR))).toEqual([
      [vectors['consensusAddressKey'], toHex(OPERATOR)],
    ]);
    expect(written((c) => powerIndex.set(c, [1234n, OPERATOR], OPERATOR))).toEqual([
      [vectors['powerKey'], toHex(OPERATOR)],
    ]);
    expect(written((c) => lastPowers.set(c, OPERATOR, 300n))).toEqual([[vectors['lastPowerKey'], '08ac02']]);
    expect(written((c) => validatorQueue.set(c, [LATER, 7n], []))[0]?.[0]).toBe(vectors['validatorQueueKey']);
    expect(written((c) => lastTotalPower.set(c, 1234n))).toEqual([['12', vectors['totalPowerValue']]]);
    expect(written((c) => params.set(c, DEFAULT_PARAMS))).toEqual([['51', vectors['paramsValue']]]);
  });

  it('has delegations and what moves where the SDK has them', () => {
    const entry = { creationHeight: 7n, completionTime: LATER, initialBalance: 10n };
    const delegation = { ...PAIR, shares: decimal('1.5') };
    const unbonding = { ...PAIR, entries: [{ ...entry, balance: 0n, unbondingId: 2n }] };
    const path = { delegator: DELEGATOR, source: OPERATOR, destination: DESTINATION };
    const redelegation = { ...path, entries: [{ ...entry, sharesDst: decimal('10.25'), unbondingId: 4n }] };
    expect(written((c) => state.delegations.set(c, [DELEGATOR, OPERATOR], delegation))).toEqual([
      [vectors['delegationKey'], vectors['delegationValue']],
    ]);
    expect(written((c) => state.unbondings.set(c, [DELEGATOR, OPERATOR], unbonding))).toEqual([
      [vectors['unbondingKey'], vectors['unbondingValue']],
    ]);
    const triple = [DELEGATOR, OPERATOR, DESTINATION] as const;
    expect(written((c) => state.redelegations.set(c, triple, redelegation))).toEqual([
      [vectors['redelegationKey'], vectors['redelegationValue']],
    ]);
    const keys = written((c) => {
      state.delegationIndex.add(c, [OPERATOR, DELEGATOR]);
      state.unbondingIndex.add(c, [OPERATOR, DELEGATOR]);
      state.redelegationsBySource.add(c, [OPERATOR, DELEGATOR, DESTINATION]);
      state.redelegationsByDestination.add(c, [DESTINATION, DELEGATOR, OPERATOR]);
      state.unbondingQueue.set(c, LATER, []);
      state.redelegationQueue.set(c, LATER, []);
    }).map(([key]) => key);
    const names = ['unbondingIndexKey', 'redelegationBySourceKey', 'redelegationByDestinationKey'];
    const queues = ['unbondingQueueKey', 'redelegationQueueKey', 'delegationIndexKey'];
    expect(keys).toEqual([...names, ...queues].map((name) => vectors[name]));
  });

  it('is read back as it was written', () => {
    const context = memoryContext(['staking']);
    state.validators.set(context, OPERATOR, VALIDATOR);
    const read = state.validators.require(context, OPERATOR);
    expect(wire.validator(read)).toEqual(wire.validator(VALIDATOR));
    state.validatorQueue.set(context, [LATER, 7n], [OPERATOR]);
    expect([...state.validatorQueue.iterate(context)]).toEqual([[[LATER, 7n], [OPERATOR]]]);
    state.lastPowers.set(context, OPERATOR, 0n);
    expect(state.lastPowers.get(context, OPERATOR)).toBe(0n);
  });
});
