import { expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { moduleAddress } from '../../framework/address.ts';
import type { ErrorKind } from '../../framework/errors.ts';
import type { ChannelConfig } from '../../proto/gen/openledger/channels/v1/channels.ts';
import * as queries from '../../proto/gen/openledger/channels/v1/query.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import { ChannelWorld, opening } from '../../test/support/channel-world.ts';
import { sessionSigner, voucherFor } from '../../test/support/channels.ts';
import { restoreChain } from '../../test/support/restore.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { channelErrors } from './errors.ts';
import { FORGOTTEN_PER_BLOCK } from './end-block.ts';
import { channelId } from './format/configuration.ts';

const { CLAIM_OUTCOME_PAID: PAID, CLAIM_OUTCOME_PAID_IN_PART: IN_PART } = wire.ClaimOutcome;
const { CLAIM_OUTCOME_NOTHING_NEW: NOTHING_NEW, CLAIM_OUTCOME_DEPOSIT_EMPTY: EMPTY } = wire.ClaimOutcome;

test('a channel pays what is claimed and gives the rest back, to the unit', () => {
  const world = new ChannelWorld();
  const { chain, payer, receiver } = world;
  const [had, got] = [chain.balance(payer.address), chain.balance(receiver.address)];
  const id = world.open(world.config());
  expect([chain.balance(payer.address), world.held()]).toEqual([had - 1000n, 1000n]);
  const topUp = { sender: payer.address, channelId: id, amount: { denom: 'uopen', amount: '500' } };
  world.sendOk(payer, anyOf(wire.MsgTopUpChannel, topUp));
  expect(world.claim(world.row(voucherFor(id)))).toEqual([[PAID, '100']]);
  expect(world.claim(world.row(voucherFor(id, { cumulative: 350n }), { total: 320n }))).toEqual([
    [PAID, '220'],
  ]);
  expect(world.claim(world.row(voucherFor(id, { lane: 7, cumulative: 40n, ceiling: 5n })))).toEqual([
    [PAID, '40'],
  ]);
  world.sound();
  world.sendOk(payer, world.payerMessage('initiate', id));
  world.waitDelay();
  expect(world.claim(world.row(voucherFor(id, { cumulative: 350n })))).toEqual([[PAID, '30']]);
  world.sendOk(payer, world.payerMessage('finalize', id));
  expect([chain.balance(payer.address), chain.balance(receiver.address)]).toEqual([had - 390n, got + 390n]);
  expect(world.held()).toBe(0n);
  world.sound();
});

test('the id is known before the channel is there, and binds chain and configuration', () => {
  const world = new ChannelWorld();
  const config = world.config();
  const id = world.open(config);
  const types = { request: queries.QueryChannelRequest, response: queries.QueryChannelResponse };
  const { channel } = world.chain.query('/openledger.channels.v1.Query/Channel', types, { channelId: id });
  expect(channel.channel.config).toEqual(config);
  expect(channel.balance).toEqual({ deposited: '1000', claimed: '0' });
  const others = [
    channelId('test-chain-2', config),
    channelId('test-chain-1', { ...config, payer: config.receiver }),
    channelId('test-chain-1', { ...config, payerAuthorizer: config.receiverAuthorizer }),
    channelId('test-chain-1', { ...config, receiver: config.payer }),
    channelId('test-chain-1', { ...config, receiverKind: 2 }),
    channelId('test-chain-1', { ...config, receiverAuthorizer: config.payerAuthorizer }),
    channelId('test-chain-1', { ...config, denom: 'uusd' }),
    channelId('test-chain-1', { ...config, withdrawDelay: 901 }),
    channelId('test-chain-1', { ...config, openBefore: config.openBefore + 1n }),
    channelId('test-chain-1', { ...config, salt: sha256(config.salt) }),
  ];
  expect(new Set([id, ...others].map(toHex)).size).toBe(11);
});

test('configurations that could not work are refused, each with its number', () => {
  const world = new ChannelWorld();
  const { payer } = world;
  const cases: readonly (readonly [Partial<ChannelConfig>, ErrorKind])[] = [
    [{ receiverKind: 0 }, channelErrors.invalidChannel],
    [{ payerAuthorizer: { kind: 1, key: new Uint8Array(33) } }, channelErrors.invalidChannel],
    [{ receiverAuthorizer: { kind: 2, key: new Uint8Array(32) } }, channelErrors.invalidChannel],
    [{ receiverAuthorizer: { kind: 0, key: new Uint8Array(32) } }, channelErrors.invalidChannel],
    [{ denom: '!' }, channelErrors.invalidChannel],
    [{ salt: new Uint8Array(31) }, channelErrors.invalidChannel],
    [{ withdrawDelay: 899 }, channelErrors.invalidChannel],
    [{ withdrawDelay: 2_592_001 }, channelErrors.invalidChannel],
    [{ openBefore: world.chain.time }, channelErrors.invalidChannel],
    [{ openBefore: world.chain.time + 90_000n }, channelErrors.invalidChannel],
    [
      { receiver: world.chain.app.composition.addresses.toText(moduleAddress('payments')) },
      channelErrors.invalidChannel,
    ],
  ];
  for (const [change, kind] of cases) world.refused(payer, opening(world.config(change), 5n), kind);
  world.refused(payer, opening(world.config(), 0n), channelErrors.invalidChannel);
  world.refused(payer, opening(world.config(), 1n << 128n), channelErrors.invalidChannel);
  const id = world.open(world.config(), 5n);
  world.refused(
    payer,
    opening(world.config({ openBefore: world.chain.time + 3599n }), 5n),
    channelErrors.idUsed,
  );
  const topUp = { sender: payer.address, channelId: id, amount: { denom: 'uother', amount: '5' } };
  world.refused(payer, anyOf(wire.MsgTopUpChannel, topUp), channelErrors.invalidChannel);
  const unknown = { ...topUp, channelId: sha256(id) };
  world.refused(payer, anyOf(wire.MsgTopUpChannel, unknown), channelErrors.unknownChannel);
});

test('lanes are independent, order does not matter, and together they never claim more than the deposit', () => {
  const world = new ChannelWorld();
  const id = world.open(world.config(), 250n);
  const first = world.row(voucherFor(id, { lane: 1, cumulative: 100n }));
  const later = world.row(voucherFor(id, { lane: 1, cumulative: 160n }));
  const other = world.row(voucherFor(id, { lane: 1023, cumulative: 120n }));
  expect(world.claim(later, first, other)).toEqual([
    [PAID, '160'],
    [NOTHING_NEW, '0'],
    [IN_PART, '90'],
  ]);
  expect(world.claim(other)).toEqual([[EMPTY, '0']]);
  const topUp = { sender: world.other.address, channelId: id, amount: { denom: 'uopen', amount: '500' } };
  world.sendOk(world.other, anyOf(wire.MsgTopUpChannel, topUp));
  expect(world.claim(other, other)).toEqual([
    [PAID, '30'],
    [NOTHING_NEW, '0'],
  ]);
  const types = { request: queries.QueryLanesRequest, response: queries.QueryLanesResponse };
  const { lanes } = world.chain.query('/openledger.channels.v1.Query/Lanes', types, { channelId: id });
  expect(lanes.map(({ lane, claimed }) => [lane, claimed])).toEqual([
    [1, '160'],
    [1023, '120'],
  ]);
  world.sound();
});

test('ids of closed channels are forgotten when nobody could open them, some in each block', () => {
  const world = new ChannelWorld();
  const { chain, payer, receiver } = world;
  const count = FORGOTTEN_PER_BLOCK + 5;
  const openBefore = chain.time + 3600n;
  const configs = Array.from({ length: count }, (_, i) =>
    world.config({ openBefore, salt: sha256(utf8(`salt ${i}`)) }),
  );
  const opened = configs.map((config) => opening(config, 1n));
  const closed = configs.map((config) =>
    anyOf(wire.MsgCloseChannel, {
      sender: receiver.address,
      channelId: channelId(chain.chainId, config),
      total: '0',
      closeBefore: openBefore,
      consent: undefined,
    }),
  );
  const big = { gas: 100_000_000n, fee: '' };
  expect(chain.deliver(chain.sign(payer, opened, big)).code).toBe(0);
  expect(chain.deliver(chain.sign(receiver, closed, big)).code).toBe(0);
  const left = (): number => {
    const { closed: rows } = chain.app.exportState().appState['channels'] as { closed: readonly unknown[] };
    return rows.length;
  };
  expect(left()).toBe(count);
  chain.skip(3600);
  chain.block();
  expect(left()).toBe(5);
  chain.block();
  expect(left()).toBe(0);
});

test('a thousand rows of a thousand channels fit into one transaction', () => {
  const world = new ChannelWorld();
  const { chain, payer, receiver } = world;
  const count = 1000;
  const configs = Array.from({ length: count }, (_, i) => world.config({ salt: sha256(utf8(`salt ${i}`)) }));
  const big = { gas: 200_000_000n, fee: '' };
  const opened = chain.sign(
    payer,
    configs.map((config) => opening(config, 500n)),
    big,
  );
  expect(chain.deliver(opened).code).toBe(0);
  const rows = configs.map((config) => world.row(voucherFor(channelId(chain.chainId, config))));
  const tx = chain.sign(receiver, [world.claimOf(...rows)], big);
  expect(tx.length).toBeLessThan(1_048_576);
  const got = chain.balance(receiver.address);
  const result = chain.deliver(tx);
  expect(result.code, result.log).toBe(0);
  expect(chain.balance(receiver.address) - got).toBe(100n * BigInt(count));
  expect(Number(result.gasUsed) / count).toBeLessThan(16_000);
  expect(tx.length / count).toBeLessThan(190);
  world.sound();
});

test('the state that is exported is the state that its genesis restores', () => {
  const world = new ChannelWorld();
  const { chain, payer } = world;
  const id = world.open(world.config());
  const second = world.open(world.config({ salt: sha256(utf8('second')) }));
  const closed = world.open(world.config({ salt: sha256(utf8('closed')) }));
  world.claim(world.row(voucherFor(id, { lane: 3 })), world.row(voucherFor(id, { lane: 900 })));
  world.sendOk(payer, world.payerMessage('initiate', id));
  const rotation = { payer: payer.address, channelId: second, payerAuthorizer: sessionSigner('next').key };
  world.sendOk(payer, anyOf(wire.MsgRotateKey, rotation));
  const giveUp = { sender: world.receiver.address, channelId: closed, total: '0', consent: undefined };
  world.sendOk(world.receiver, anyOf(wire.MsgCloseChannel, { ...giveUp, closeBefore: chain.time + 60n }));
  const restored = restoreChain(chain);
  expect(restored.brokenInvariants()).toEqual([]);
  const { channels, bank } = chain.app.exportState().appState;
  // The restored chain begins a hundred million seconds later: what was closed is forgotten.
  const expected = { ...(channels as object), closed: [] };
  expect(restored.exportState().appState).toMatchObject({ bank, channels: expected });
});

test('channels are found by payer and by receiver', () => {
  const world = new ChannelWorld();
  const ids = ['a', 'b', 'c'].map((salt) => toHex(world.open(world.config({ salt: sha256(utf8(salt)) }))));
  const byPayer = world.chain.query(
    '/openledger.channels.v1.Query/ChannelsByPayer',
    { request: queries.QueryChannelsByPayerRequest, response: queries.QueryChannelsByPayerResponse },
    { payer: world.payer.address },
  );
  const byReceiver = world.chain.query(
    '/openledger.channels.v1.Query/ChannelsByReceiver',
    { request: queries.QueryChannelsByReceiverRequest, response: queries.QueryChannelsByReceiverResponse },
    { receiver: world.receiver.address },
  );
  for (const { channels } of [byPayer, byReceiver])
    expect(channels.map(({ id }) => toHex(id))).toEqual(ids.toSorted());
  const missing = world.chain.rawQuery(
    '/openledger.channels.v1.Query/Channel',
    queries.QueryChannelRequest.encode({ channelId: sha256(utf8('none')) }),
  );
  expect(missing.log).toContain('there is no channel');
});
