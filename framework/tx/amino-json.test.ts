import { describe, expect, it } from 'vitest';
import { MsgMultiSend, MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { DecCoin } from '../../proto/gen/cosmos/base/v1beta1/coin.ts';
import { MsgUpdateParams } from '../../proto/gen/cosmos/consensus/v1/tx.ts';
import { Metadata } from '../../proto/gen/cosmos/bank/v1beta1/bank.ts';
import { BaseAccount } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';
import { ModeInfo } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { Duration } from '../../proto/gen/google/protobuf/duration.ts';
import { Timestamp } from '../../proto/gen/google/protobuf/timestamp.ts';
import { AnyTypes } from '../any-types.ts';
import { canonicalJson, type JsonValue } from '../json.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { messageToAmino as toAmino } from './amino-json.ts';

function messageToAmino<T>(type: MessageType<T>, message: T): JsonValue {
  return toAmino(type, message, new AnyTypes([]));
}

describe('amino JSON', () => {
  it('keeps empty coins as a list, leaves out other defaults', () => {
    expect(canonicalJson(messageToAmino(MsgSend, MsgSend.create({ fromAddress: 'a' })))).toBe(
      '{"amount":[],"from_address":"a"}',
    );
  });

  it('writes slices that were never filled as Go does', () => {
    expect(messageToAmino(MsgMultiSend, MsgMultiSend.create({}))).toEqual({ inputs: null, outputs: null });
  });

  it('shows decimals with their point', () => {
    const shown = (amount: string): unknown => messageToAmino(DecCoin, { denom: 'uopen', amount });
    expect(shown('100000000000000000')).toEqual({ denom: 'uopen', amount: '0.100000000000000000' });
    expect(shown('-12500000000000000000')).toEqual({ denom: 'uopen', amount: '-12.500000000000000000' });
    expect(shown('1')).toEqual({ denom: 'uopen', amount: '0.000000000000000001' });
  });

  it('writes 64-bit numbers and durations as text, smaller ones as numbers', () => {
    const evidence = { maxAgeNumBlocks: 7n, maxAgeDuration: { seconds: 2n, nanos: 5 }, maxBytes: 0n };
    const params = MsgUpdateParams.create({ authority: 'gov', evidence });
    expect(messageToAmino(MsgUpdateParams, params)).toEqual({
      authority: 'gov',
      evidence: { max_age_num_blocks: '7', max_age_duration: '2000000005' },
    });
    const denomUnits = [{ denom: 'open', exponent: 6, aliases: ['o'] }];
    expect(messageToAmino(Metadata, Metadata.create({ base: 'uopen', denomUnits }))).toEqual({
      base: 'uopen',
      denom_units: [{ denom: 'open', exponent: 6, aliases: ['o'] }],
    });
    expect(messageToAmino(Timestamp, { seconds: 0n, nanos: 5_000_000 })).toBe('1970-01-01T00:00:00.005Z');
  });

  it('does not sign what it cannot show', () => {
    const pubKey = { typeUrl: '/x', value: new Uint8Array(0) };
    expect(() => messageToAmino(BaseAccount, BaseAccount.create({ pubKey }))).toThrow(
      'unable to resolve type URL /x: tx parse error',
    );
    const single = ModeInfo.create({ single: { mode: 1 } });
    expect(() => messageToAmino(ModeInfo, single)).toThrow(
      'SIGN_MODE_LEGACY_AMINO_JSON does not support field single of a oneof: feature not supported',
    );
    const long = Duration.create({ seconds: 9_223_372_036n });
    expect(() => messageToAmino(Duration, long)).toThrow('a duration of 9223372036 seconds');
    const coin = { denom: 'uopen', amount: '0.1' };
    expect(() => messageToAmino(DecCoin, coin)).toThrow('0.1 as decimal amount');
  });
});
