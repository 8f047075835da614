import { expect, test } from 'vitest';
import { MsgExec, MsgGrant } from '../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { GenericAuthorization } from '../proto/gen/cosmos/authz/v1beta1/authz.ts';
import { MsgSend } from '../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { MsgUpdateParams } from '../proto/gen/cosmos/consensus/v1/tx.ts';
import { ModeInfo } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { Any } from '../proto/gen/google/protobuf/any.ts';
import { ANY_COUNT_MAX, ANY_DEPTH_MAX, AnyTypes, MESSAGE_INTERFACE } from './any-types.ts';

const types = new AnyTypes([
  { type: MsgSend, interfaceName: MESSAGE_INTERFACE },
  { type: MsgExec, interfaceName: MESSAGE_INTERFACE },
  { type: GenericAuthorization },
]);
const send: Any = { typeUrl: MsgSend.typeUrl, value: MsgSend.encode(MsgSend.create()) };

function exec(msgs: readonly Any[]): Any {
  return { typeUrl: MsgExec.typeUrl, value: MsgExec.encode({ grantee: 'x', msgs }) };
}

test('what an Any holds must be known, of the expected interface, and such a message', () => {
  const check = (msg: Any): void => types.check(MsgExec, { grantee: 'x', msgs: [msg] });
  expect(() => check(send)).not.toThrow();
  expect(() => check({ ...send, typeUrl: '/x.Y' })).toThrow(
    'unable to resolve type URL /x.Y: tx parse error',
  );
  const generic = { typeUrl: GenericAuthorization.typeUrl, value: new Uint8Array(0) };
  expect(() => check(generic)).toThrow('against interface cosmos.base.v1beta1.Msg');
  expect(() => check({ ...send, value: Uint8Array.of(10) })).toThrow(
    'cannot decode cosmos.bank.v1beta1.MsgSend',
  );
  // A field that nobody knows could say anything.
  expect(() => check({ ...send, value: Uint8Array.of(0x78, 1) })).toThrow('no field number 15');
});

test('Anys are counted, and their depth is, in all of a message', () => {
  let nested = send;
  for (let depth = 2; depth < ANY_DEPTH_MAX; depth++) nested = exec([nested]);
  expect(() => types.check(MsgExec, { grantee: 'x', msgs: [nested] })).not.toThrow();
  expect(() => types.check(MsgExec, { grantee: 'x', msgs: [exec([nested])] })).toThrow('max depth exceeded');
  const some = Array.from({ length: ANY_COUNT_MAX / 2 - 1 }, () => send);
  expect(() => types.check(MsgExec, { grantee: 'x', msgs: [exec(some), ...some] })).not.toThrow();
  expect(() => types.check(MsgExec, { grantee: 'x', msgs: [exec(some), send, ...some] })).toThrow(
    'call limit exceeded',
  );
});

test('times and durations are those that Go knows', () => {
  const at = (seconds: bigint, nanos = 0): void => {
    const authorization = { typeUrl: GenericAuthorization.typeUrl, value: new Uint8Array(0) };
    types.check(MsgGrant, MsgGrant.create({ grant: { authorization, expiration: { seconds, nanos } } }));
  };
  for (const seconds of [-62_135_596_800n, 0n, 253_402_300_799n]) expect(() => at(seconds)).not.toThrow();
  for (const seconds of [-62_135_596_801n, 253_402_300_800n])
    expect(() => at(seconds)).toThrow('expiration is no time');
  for (const nanos of [-1, 1_000_000_000]) expect(() => at(0n, nanos)).toThrow('expiration is no time');
  const lasting = (seconds: bigint, nanos = 0): void => {
    const evidence = { maxAgeNumBlocks: 1n, maxAgeDuration: { seconds, nanos }, maxBytes: 1n };
    types.check(MsgUpdateParams, MsgUpdateParams.create({ evidence }));
  };
  for (const seconds of [-9_223_372_036n, 9_223_372_036n]) expect(() => lasting(seconds)).not.toThrow();
  for (const seconds of [-9_223_372_037n, 9_223_372_037n])
    expect(() => lasting(seconds)).toThrow('max_age_duration is no duration');
  expect(() => lasting(1n, -1)).toThrow('max_age_duration is no duration');
});

test('types that refer to themselves are looked at once', () => {
  expect(() => types.check(ModeInfo, ModeInfo.create({ single: { mode: 1 } }))).not.toThrow();
});
