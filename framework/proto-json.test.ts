import { expect, test } from 'vitest';
import { Contribution } from '../proto/gen/openledger/datanet/v1/datanet.ts';
import { GenesisState } from '../proto/gen/openledger/datanet/v1/genesis.ts';
import { BasicAllowance } from '../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';
import { Grant } from '../proto/gen/cosmos/authz/v1beta1/authz.ts';
import { Params as SlashingParams } from '../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import { StakeAuthorization } from '../proto/gen/cosmos/staking/v1beta1/authz.ts';
import { fromUtf8 } from '../core/bytes.ts';
import { AnyTypes } from './any-types.ts';
import { JsonReader, type JsonValue } from './json.ts';
import { messageFromJson, messageToJson } from './proto-json.ts';

const contribution = Contribution.create({
  id: 7n,
  root: Uint8Array.of(1, 2, 3),
  uris: ['ipfs://x'],
  state: 2,
  submittedHeight: -5n,
});

test('a message reads back from its JSON form, with names and forms of ProtoJSON', () => {
  const state = GenesisState.create({ contributions: [contribution] });
  const json = messageToJson(GenesisState, state);
  expect(json['contributions']).toMatchObject([
    { id: '7', root: 'AQID', state: 'CONTRIBUTION_STATE_ACCEPTED', submitted_height: '-5', title: '' },
  ]);
  expect(messageFromJson(GenesisState, new JsonReader(json, ''))).toEqual(state);
});

test('what is missing has its default, and what does not fit is named by its path', () => {
  const read = (value: Parameters<typeof readAt>[0]): unknown => readAt(value);
  expect(read({})).toEqual(Contribution.create());
  expect(() => read({ idd: '1' })).toThrow('c.idd: is not a known field');
  expect(() => read({ id: '-1' })).toThrow('c.id: is not an unsigned 64-bit number');
  expect(() => read({ state: 'GOOD' })).toThrow('c.state: GOOD is none of');
  expect(() => read({ uris: [1] })).toThrow('c.uris[0]: is not text');
  expect(() => read({ submitted_height: '9223372036854775808' })).toThrow('no signed 64-bit');
});

function readAt(value: ConstructorParameters<typeof JsonReader>[0]): Contribution {
  return messageFromJson(Contribution, new JsonReader(value, 'c'));
}

test('times, durations, decimals, oneofs and what an Any holds are named by their path when they do not fit', () => {
  const params = (json: JsonValue): SlashingParams =>
    messageFromJson(SlashingParams, new JsonReader(json, 'p'));
  expect(params({ downtime_jail_duration: '600.5s' }).downtimeJailDuration).toEqual({
    seconds: 600n,
    nanos: 500_000_000,
  });
  expect(params({ downtime_jail_duration: '-0.000000001s' }).downtimeJailDuration.nanos).toBe(-1);
  expect(fromUtf8(params({ slash_fraction_downtime: '0.01' }).slashFractionDowntime)).toBe(
    '10000000000000000',
  );
  for (const wrong of ['600', '1h', '1.0000000001s', ''])
    expect(() => params({ downtime_jail_duration: wrong })).toThrow(
      'p.downtime_jail_duration: is no duration',
    );
  for (const wrong of ['.5', '1.', '0.1234567890123456789', '1e3', 'NaN'])
    expect(() => params({ slash_fraction_downtime: wrong })).toThrow(
      'p.slash_fraction_downtime: is no decimal',
    );

  const list = { address: ['x'] };
  const stake = (json: JsonValue): unknown => messageFromJson(StakeAuthorization, new JsonReader(json, 'a'));
  expect(stake({ allow_list: list })).toMatchObject({ allowList: list, denyList: undefined });
  expect(() => stake({ allow_list: list, deny_list: list })).toThrow('a.deny_list: only one of validators');
  expect(() => stake({ max_tokens: { amount: '1.5' } })).toThrow('a.max_tokens.amount: is not an integer');

  const types = new AnyTypes([{ type: StakeAuthorization }, { type: BasicAllowance }]);
  const grant = (authorization: JsonValue): unknown =>
    messageFromJson(Grant, new JsonReader({ authorization }, 'g'), types);
  expect(() => grant({})).toThrow('g.authorization.@type: is missing');
  expect(() => grant({ '@type': '/x.Y' })).toThrow('g.authorization.@type: /x.Y is no type');
  expect(() => grant({ '@type': BasicAllowance.typeUrl })).toThrow('g.authorization.@type: no concrete type');
  expect(() => grant({ '@type': StakeAuthorization.typeUrl, x: 1 })).toThrow(
    'g.authorization.x: is not a known',
  );
});
