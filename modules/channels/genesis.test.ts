/** What a genesis says of channels is held against itself; the plain way through is in `channels.test.ts`. */
import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { JsonReader } from '../../framework/json.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import type { ChannelRecord } from '../../proto/gen/openledger/channels/v1/channels.ts';
import { GenesisState } from '../../proto/gen/openledger/channels/v1/genesis.ts';
import { MsgCloseChannel, MsgRotateKey } from '../../proto/gen/openledger/channels/v1/tx.ts';
import { ChannelWorld } from '../../test/support/channel-world.ts';
import { sessionSigner, voucherFor } from '../../test/support/channels.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { LANES } from './format/voucher.ts';

/** Two channels, of one of which three lanes have claimed 100 each and the key was rotated; a closed one. */
function exported(): { readonly world: ChannelWorld; readonly state: GenesisState } {
  const world = new ChannelWorld();
  const { payer, receiver, chain } = world;
  const [id, , closed] = ['first', 'second', 'closed'].map((name) =>
    world.open(world.config({ salt: sha256(utf8(name)) })),
  );
  if (id === undefined || closed === undefined) throw new RangeError('no channels');
  world.claim(...[1, 2, LANES - 1].map((lane) => world.row(voucherFor(id, { lane }))));
  const payerAuthorizer = sessionSigner('next').key;
  world.sendOk(payer, anyOf(MsgRotateKey, { payer: payer.address, channelId: id, payerAuthorizer }));
  const giveUp = { sender: receiver.address, channelId: closed, total: '0', consent: undefined };
  world.sendOk(receiver, anyOf(MsgCloseChannel, { ...giveUp, closeBefore: chain.time + 60n }));
  const json = new JsonReader(chain.app.exportState({}).appState['channels'], 'channels');
  return { world, state: messageFromJson(GenesisState, json) };
}

const { world, state } = exported();
const { channels, lanes, closed } = state;

/** What a chain that begins says of a changed genesis; nothing when it takes it. */
function refusal(change: Partial<GenesisState>): string {
  const json = messageToJson(GenesisState, { ...state, ...change });
  const module = world.chain.app.composition.modules.find(({ name }) => name === 'channels');
  try {
    module?.genesis?.validate(new JsonReader(json, 'channels'));
  } catch (error) {
    return String(error);
  }
  return '';
}

/** The channels, of which those with claims are changed. */
function claimedOnes(change: (record: ChannelRecord) => ChannelRecord): readonly ChannelRecord[] {
  return channels.map((record) => (record.balance.claimed === '0' ? record : change(record)));
}

function withBalance(balance: Partial<ChannelRecord['balance']>): readonly ChannelRecord[] {
  return claimedOnes((record) => ({ ...record, balance: { ...record.balance, ...balance } }));
}

test('what was exported is taken, also when all was claimed that was paid in', () => {
  expect([channels.length, lanes.length, closed.length]).toEqual([2, 3, 1]);
  expect(refusal({})).toBe('');
  expect(refusal({ channels: withBalance({ deposited: '300' }) })).toBe('');
});

test('a channel holds what its lanes have not claimed of its deposit', () => {
  expect(refusal({ channels: withBalance({ deposited: '299' }) })).toContain('more was claimed than paid in');
  expect(refusal({ channels: withBalance({ claimed: '299' }) })).toContain('its lanes have claimed 300');
  expect(refusal({ channels: withBalance({ deposited: '-1' }) })).toContain('deposited');
  expect(refusal({ channels: withBalance({ claimed: '' }) })).toContain('claimed');
  expect(refusal({ lanes: lanes.slice(1) })).toContain('its lanes have claimed 200');
  expect(refusal({ lanes: [] })).toContain('its lanes have claimed 0');
});

test('each lane is there once, below the last number, and of a channel that is there', () => {
  const [first, second] = lanes;
  if (first === undefined || second === undefined) throw new RangeError('no lanes');
  expect(refusal({ lanes: [first, first, second] })).toMatch(/lanes\[1\].*comes twice/);
  const last = lanes.map((one) => (one.lane === LANES - 1 ? { ...one, lane: LANES } : one));
  expect(refusal({ lanes: last })).toContain(`lane ${LANES} is above ${LANES - 1}`);
  const stray = { channelId: sha256(utf8('stray')), lane: 0, claimed: '5' };
  expect(refusal({ lanes: [...lanes, stray] })).toContain('there is no channel');
  expect(refusal({ channels: [claimless()] })).toContain('there is no channel');
});

/** The channel of which nothing was claimed. */
function claimless(): ChannelRecord {
  const record = channels.find(({ balance }) => balance.claimed === '0');
  if (record === undefined) throw new RangeError('no channel');
  return record;
}

test('ids ascend, each once, and none is open and closed', () => {
  expect(refusal({ channels: channels.toReversed() })).toMatch(/channels\[1\].*ids must ascend/);
  const twin = claimless();
  expect(refusal({ channels: [twin, twin], lanes: [] })).toMatch(/channels\[1\].*ids must ascend/);
  const open = closed.map((one) => ({ ...one, id: twin.id }));
  expect(refusal({ closed: open })).toContain('is open');
  expect(refusal({ closed: closed.map((one) => ({ ...one, id: new Uint8Array(31) })) })).toContain('id');
});

test('keys are keys, the one before the last rotation too', () => {
  const key = { kind: 1, key: new Uint8Array(31) };
  const rotated = claimedOnes(({ channel, ...record }) => {
    if (channel.previousKey === undefined) throw new RangeError('no rotation');
    return { ...record, channel: { ...channel, previousKey: { ...channel.previousKey, key } } };
  });
  expect(refusal({ channels: rotated })).toMatch(/channels\.channels\[\d\]/);
  const current = claimedOnes(({ channel, ...record }) => ({
    ...record,
    channel: { ...channel, payerAuthorizer: key },
  }));
  expect(refusal({ channels: current })).toMatch(/channels\.channels\[\d\]/);
});
