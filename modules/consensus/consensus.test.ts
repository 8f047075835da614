import { describe, expect, it } from 'vitest';
import { addressOf } from '../../consensus/types/public-key.ts';
import { AddressCodec, moduleAddress } from '../../framework/address.ts';
import type { Context } from '../../framework/context.ts';
import { memoryContext } from '../../framework/testing/memory.ts';
import { MsgUpdateParams } from '../../proto/gen/cosmos/consensus/v1/tx.ts';
import { Consensus } from './keeper.ts';
import { type ConsensusKey, consensusKeyMessage, consensusKeyOf } from './keys.ts';
import { consensusMessages } from './messages.ts';
import { DEFAULT_CONSENSUS_PARAMS } from './params.ts';
import { consensusState, STORE_NAME } from './state.ts';

const ED: ConsensusKey = { type: 'ed25519', bytes: new Uint8Array(32).fill(1) };
const SECP: ConsensusKey = { type: 'secp256k1', bytes: new Uint8Array(33).fill(2) };
const update = (key: ConsensusKey, power: bigint) => ({ pubKey: consensusKeyMessage(key), power });

function keeperWith(...pubKeyTypes: readonly string[]): {
  readonly keeper: Consensus;
  readonly context: Context;
} {
  const context = memoryContext([STORE_NAME]);
  const keeper = new Consensus(consensusState());
  keeper.setParams(context, { ...DEFAULT_CONSENSUS_PARAMS, validator: { pubKeyTypes } });
  return { keeper, context };
}

describe('validators', () => {
  it('have keys of both kinds, each under its own address', () => {
    const { keeper, context } = keeperWith('ed25519', 'secp256k1');
    keeper.apply(context, [update(ED, 3n), update(SECP, 4n)]);
    const found = keeper
      .validators(context)
      .map(({ address, pubKey, power }) => ({ address, pubKey, power }));
    expect(found).toHaveLength(2);
    for (const [pubKey, power] of [[ED, 3n] as const, [SECP, 4n] as const])
      expect(found).toContainEqual({ address: addressOf(pubKey), pubKey, power });
    keeper.apply(context, [update(SECP, 0n)]);
    expect(keeper.validators(context).map(({ pubKey }) => pubKey)).toEqual([ED]);
  });

  it('have no other keys than the parameters allow; who leaves may have any', () => {
    const { keeper, context } = keeperWith('ed25519');
    expect(() => keeper.apply(context, [update(SECP, 1n)])).toThrow('allows ed25519, not secp256k1');
    keeper.apply(context, [update(SECP, 0n)]);
    // Allowed by the block itself is not yet allowed: the engine takes the parameters of its beginning.
    const both = { ...DEFAULT_CONSENSUS_PARAMS, validator: { pubKeyTypes: ['ed25519', 'secp256k1'] } };
    keeper.setParams(context, both);
    expect(() => keeper.apply(context, [update(SECP, 1n)], ['ed25519'])).toThrow('allows ed25519');
    keeper.apply(context, [update(SECP, 1n)]);
  });

  it.each([
    ['no key', { ed25519: undefined, secp256k1: undefined }, 'needs an ed25519 or a secp256k1 key'],
    ['a short key', consensusKeyMessage({ ...ED, bytes: new Uint8Array(31) }), 'has 32 bytes, not 31'],
    ['a key that is not compressed', consensusKeyMessage({ ...SECP, bytes: new Uint8Array(65) }), 'not 65'],
  ])('%s is refused', (_what, pubKey, message) => {
    const { keeper, context } = keeperWith('ed25519', 'secp256k1');
    expect(() => keeper.apply(context, [{ pubKey, power: 1n }])).toThrow(message);
  });

  it('keep their kind in protobuf', () => {
    for (const key of [ED, SECP]) expect(consensusKeyOf(consensusKeyMessage(key))).toEqual(key);
  });
});

it('the kinds of keys that validators have cannot be forbidden', () => {
  const { keeper, context } = keeperWith('ed25519', 'secp256k1');
  keeper.apply(context, [update(ED, 1n), update(SECP, 1n)]);
  const addresses = new AddressCodec('open');
  const [route] = consensusMessages(keeper, addresses);
  const { block, evidence } = DEFAULT_CONSENSUS_PARAMS;
  const updateTo = (...pubKeyTypes: readonly string[]) => {
    const authority = addresses.toText(moduleAddress('gov'));
    const validator = { pubKeyTypes };
    return MsgUpdateParams.create({ authority, block, evidence, validator });
  };
  const run = (...types: readonly string[]): void =>
    void route?.bind(MsgUpdateParams.encode(updateTo(...types)), addresses).run(context);
  expect(() => run('ed25519')).toThrow('must name secp256k1');
  run('secp256k1', 'ed25519');
});
