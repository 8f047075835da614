import { expect, test } from 'vitest';
import { toHex } from '../core/bytes.ts';
import { Coin } from '../proto/gen/cosmos/base/v1beta1/coin.ts';
import { MsgUpdateParams } from '../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import { MsgUpdateParams as SlashingUpdate } from '../proto/gen/cosmos/slashing/v1beta1/tx.ts';
import { MsgDelegate } from '../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { AnyTypes } from './any-types.ts';
import { JsonReader } from './json.ts';
import { anyFromJson, anyToJson } from './proto-json.ts';
import { repack } from './repack.ts';

const types = new AnyTypes([{ type: MsgUpdateParams }]);

test('numbers that were never given are packed as zeros, at any depth, and nothing else changes', () => {
  const nothing = MsgUpdateParams.create({ authority: 'a' });
  const { typeUrl, value } = repack(MsgUpdateParams, nothing);
  expect(typeUrl).toBe('/cosmos.distribution.v1beta1.MsgUpdateParams');
  // Each of the three rates is `0`, a byte of text; the switch is off and left out.
  expect(toHex(value)).toBe('0a01611209' + '0a0130' + '120130' + '1a0130');
  const { params } = SlashingUpdate.decode(repack(SlashingUpdate, SlashingUpdate.create()).value);
  expect(toHex(params.minSignedPerWindow)).toBe('30');
  const delegate = MsgDelegate.create({ amount: Coin.create({ denom: 'uopen' }) });
  expect(MsgDelegate.decode(repack(MsgDelegate, delegate).value).amount).toEqual({
    denom: 'uopen',
    amount: '0',
  });
  const whole = MsgDelegate.create({ amount: { denom: 'uopen', amount: '7' }, delegatorAddress: 'x' });
  expect(repack(MsgDelegate, whole).value).toEqual(MsgDelegate.encode(whole));
});

test('what was packed so is the same in JSON after a round trip, and so is a message that JSON leaves out of', () => {
  const packed = repack(MsgUpdateParams, MsgUpdateParams.create());
  const json = anyToJson(packed, types);
  expect(json['params']).toMatchObject({ base_proposer_reward: '0.000000000000000000' });
  expect(anyFromJson(new JsonReader(json, 'x'), { types, accepts: undefined })).toEqual(packed);
  const short = { '@type': packed.typeUrl, params: {} };
  expect(anyFromJson(new JsonReader(short, 'x'), { types, accepts: undefined })).toEqual(packed);
});
