import { expect, test } from 'vitest';
import { Contribution } from '../proto/gen/openledger/datanet/v1/datanet.ts';
import { GenesisState } from '../proto/gen/openledger/datanet/v1/genesis.ts';
import { JsonReader } from './json.ts';
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
