/**
 * Messages with anything in their fields: refused with a code, or done; never a crash, never a broken state.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moduleAddress } from '../../framework/address.ts';
import { StateError } from '../../framework/errors.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import * as tx from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { consensusKeyAny, decimal, StakingWorld } from '../../test/support/staking-world.ts';

const world = new StakingWorld({ validators: [10_000_000n, 8_000_000n] });
const gov = world.composition.addresses.toText(moduleAddress('gov'));

const number = fc.oneof(
  fc.constantFrom('', '0', '1', '-1', '+5', '007', '1e9', '0x10', '1.5', ' 1', '99999999999999999999'),
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }).map(String),
  fc.string({ maxLength: 6 }),
);
const rate = fc.oneof(number, fc.constantFrom('0', decimal('0.1').toWire(), decimal('1').toWire()));
const account = fc.oneof(
  fc.constantFrom(...world.accounts.map(({ address }) => address), gov, ''),
  fc.string({ maxLength: 60 }),
);
const operator = fc.oneof(
  fc.constantFrom(...world.accounts.map((_, i) => world.operator(i)), world.account(0).address, ''),
  fc.string({ maxLength: 60 }),
);
const coin = fc.record({
  denom: fc.oneof(fc.constant('uopen'), fc.constant('uopen'), fc.string({ maxLength: 12 })),
  amount: number,
});
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('[do-not-modify]', 'x'.repeat(4000)));
const description = fc.record({
  moniker: text,
  identity: text,
  website: text,
  securityContact: text,
  details: text,
});
const pubkey = fc.oneof(
  fc.constantFrom(undefined, consensusKeyAny(0), consensusKeyAny(5), world.account(1).pubKey.any),
  fc.record({
    typeUrl: fc.constantFrom('', consensusKeyAny(0).typeUrl, '/cosmos.crypto.multisig.LegacyAminoPubKey'),
    value: fc.uint8Array({ maxLength: 40 }),
  }),
);
const int64 = fc.oneof(fc.constantFrom(0n, 1n, -1n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
const uint32 = fc.oneof(fc.constantFrom(0, 1, 7, 0xffff_ffff), fc.nat());

/** Encodes what is valid protobuf, whatever it means. */
function attempt<M>(message: MessageType<M>, value: M): void {
  try {
    world.run({ message, response: tx.MsgEditValidatorResponse }, value);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    expect(error.kind.code).toBeGreaterThan(1);
  }
}

const pair = { delegatorAddress: account, validatorAddress: operator };
const messages = fc.oneof(
  fc.record({ ...pair, amount: coin }).map((m) => () => attempt(tx.MsgDelegate, m)),
  fc.record({ ...pair, amount: coin }).map((m) => () => attempt(tx.MsgUndelegate, m)),
  fc
    .record({ ...pair, amount: coin, creationHeight: int64 })
    .map((m) => () => attempt(tx.MsgCancelUnbondingDelegation, m)),
  fc
    .record({
      delegatorAddress: account,
      validatorSrcAddress: operator,
      validatorDstAddress: operator,
      amount: coin,
    })
    .map((m) => () => attempt(tx.MsgBeginRedelegate, m)),
  fc
    .record({
      description,
      commission: fc.record({ rate, maxRate: rate, maxChangeRate: rate }),
      minSelfDelegation: number,
      delegatorAddress: account,
      validatorAddress: operator,
      pubkey,
      value: coin,
    })
    .map((m) => () => attempt(tx.MsgCreateValidator, m)),
  fc
    .record({ description, validatorAddress: operator, commissionRate: rate, minSelfDelegation: number })
    .map((m) => () => attempt(tx.MsgEditValidator, m)),
  fc
    .record({
      authority: fc.constantFrom(gov, world.account(0).address),
      params: fc.record({
        unbondingTime: fc.record({ seconds: int64, nanos: fc.constantFrom(0, -1, 5, 1_000_000_000) }),
        maxValidators: uint32,
        maxEntries: uint32,
        historicalEntries: uint32,
        bondDenom: fc.constantFrom('uopen', 'uusd', '', '!'),
        minCommissionRate: rate,
      }),
    })
    .map((m) => () => attempt(tx.MsgUpdateParams, m)),
);

describe('hostile messages', () => {
  it('are refused with a code, or leave a state that holds', () => {
    let ended = 0;
    fc.assert(
      fc.property(messages, (send) => {
        send();
        if (ended++ % 20 === 0) {
          world.endBlock();
          expect(world.broken()).toEqual([]);
        }
      }),
      { numRuns: 1500 },
    );
  });
});
