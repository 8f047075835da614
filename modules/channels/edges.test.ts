/** The last second and block in which something may be done, the first in which it may not; events. */
import { expect, test } from 'vitest';
import { fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { ChannelWorld, opening } from '../../test/support/channel-world.ts';
import { accountSigner, consentOf, sessionSigner, voucherFor } from '../../test/support/channels.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { channelErrors } from './errors.ts';

const { CLAIM_OUTCOME_PAID: PAID, CLAIM_OUTCOME_KEY_RETIRED: RETIRED } = wire.ClaimOutcome;
const WINDOW = 86_400n;
const BLOCKS = 100n;

function salted(name: string): { readonly salt: Uint8Array } {
  return { salt: sha256(utf8(name)) };
}

/** Time of the next block, in seconds. */
function nextTime({ chain }: ChannelWorld): bigint {
  return chain.time + 1n;
}

/** Goes on so that the next block has this height. */
function blocksBefore({ chain }: ChannelWorld, height: bigint): void {
  while (chain.height + 1n < height) chain.block();
}

/** Skips, so that the next block has this time. */
function skipTo(world: ChannelWorld, time: bigint): void {
  world.chain.skip(Number(time - nextTime(world)));
}

function rotating(world: ChannelWorld, id: Uint8Array, name: string): Any {
  const payerAuthorizer = sessionSigner(name).key;
  return anyOf(wire.MsgRotateKey, { payer: world.payer.address, channelId: id, payerAuthorizer });
}

function toppingUp(world: ChannelWorld, id: Uint8Array, amount: bigint): Any {
  const coin = { denom: 'uopen', amount: `${amount}` };
  return anyOf(wire.MsgTopUpChannel, { sender: world.payer.address, channelId: id, amount: coin });
}

function eventOf(result: ExecTxResult, type: string): Record<string, string> {
  const found = result.events.filter((event) => event.type === type);
  expect(found.length, type).toBe(1);
  const pairs = (found[0]?.attributes ?? []).map(({ key, value }) => [key, value] as const);
  return Object.fromEntries(pairs);
}

test('a channel is opened before open_before, which is in the window to its last second', () => {
  const world = new ChannelWorld();
  const opens = (openBefore: bigint): Any => opening(world.config({ openBefore }), 5n);
  world.refused(world.payer, opens(nextTime(world)), channelErrors.invalidChannel);
  world.refused(world.payer, opens(nextTime(world) + WINDOW + 1n), channelErrors.invalidChannel);
  world.sendOk(world.payer, opens(nextTime(world) + 1n));
  world.sendOk(world.payer, opens(nextTime(world) + WINDOW));
});

test('the key before is good to the last second of its time and to the last block of its blocks', () => {
  for (const last of ['second', 'block'] as const) {
    const world = new ChannelWorld();
    const id = world.open(world.config());
    world.sendOk(world.payer, rotating(world, id, 'next'));
    const [time, height] = [world.chain.time + 900n, world.chain.height + BLOCKS];
    if (last === 'second') {
      blocksBefore(world, height + 1n);
      skipTo(world, time);
    } else {
      skipTo(world, time + 1n);
      blocksBefore(world, height);
    }
    expect(world.claim(world.row(voucherFor(id)))).toEqual([[PAID, '100']]);
    expect(world.claim(world.row(voucherFor(id, { cumulative: 200n })))).toEqual([[RETIRED, '0']]);
  }
});

test('a withdrawal is paid out from the first second and the first block of its delay on', () => {
  for (const last of ['second', 'block'] as const) {
    const world = new ChannelWorld();
    const id = world.open(world.config());
    world.sendOk(world.payer, world.payerMessage('initiate', id));
    const [time, height] = [world.chain.time + 900n, world.chain.height + BLOCKS];
    if (last === 'second') {
      blocksBefore(world, height);
      skipTo(world, time - 1n);
    } else {
      skipTo(world, time);
      blocksBefore(world, height - 1n);
    }
    const finalize = world.payerMessage('finalize', id);
    world.refused(world.payer, finalize, channelErrors.withdrawalNotDue);
    world.sendOk(world.payer, finalize);
    expect(world.held()).toBe(0n);
  }
});

test('the id of a channel that is closed while it could be opened is kept, and a second later not', () => {
  const world = new ChannelWorld();
  const { chain, receiver } = world;
  const closed = (): number => {
    const { closed: rows } = chain.app.exportState().appState['channels'] as { closed: readonly unknown[] };
    return rows.length;
  };
  const close = (channelId: Uint8Array): Any => {
    const message = { sender: receiver.address, channelId, total: '0', consent: undefined };
    return anyOf(wire.MsgCloseChannel, { ...message, closeBefore: chain.time + 60n });
  };
  const openBefore = chain.time + 3n;
  const [first, second] = ['first', 'second'].map((name) =>
    world.open(world.config({ openBefore, ...salted(name) }), 5n),
  );
  if (first === undefined || second === undefined) throw new RangeError('no channels');
  world.sendOk(receiver, close(second));
  // The block's time is open_before: nobody can open it any more.
  expect([chain.time, closed()]).toEqual([openBefore, 0]);
  const later = world.config({ openBefore: nextTime(world) + 2n, ...salted('third') });
  const third = world.open(later, 5n);
  world.sendOk(receiver, close(third));
  expect([chain.time + 1n, closed()]).toEqual([later.openBefore, 1]);
  world.refused(world.payer, opening(later, 5n), channelErrors.invalidChannel);
  expect(closed()).toBe(0);
});

test('an agreement pays out the whole deposit, and is over in the second of close_before', () => {
  const world = new ChannelWorld();
  const { receiver, payer } = world;
  const id = world.open(world.config());
  const close = (closeBefore: bigint): Any => {
    const agreement = { channelId: id, keyVersion: 0, total: 1000n, closeBefore };
    const consent = consentOf(agreement, accountSigner(receiver));
    const message = { sender: payer.address, channelId: id, total: '1000', closeBefore, consent };
    return anyOf(wire.MsgCloseChannel, message);
  };
  world.refused(payer, close(nextTime(world)), channelErrors.invalidAgreement);
  const got = world.chain.balance(receiver.address);
  const result = world.sendOk(payer, close(nextTime(world) + 1n));
  expect(world.chain.balance(receiver.address) - got).toBe(1000n);
  expect(eventOf(result, 'close_channel')).toMatchObject({ paid: '1000uopen', returned: '0uopen' });
});

test('a top-up leaves less than 2^128 in a channel', () => {
  const world = new ChannelWorld();
  const id = world.open(world.config());
  const log = world.refused(
    world.payer,
    toppingUp(world, id, (1n << 128n) - 1000n),
    channelErrors.invalidChannel,
  );
  expect(log).toContain('less than 2^128');
});

test('what happens to a channel is told by an event each', () => {
  const world = new ChannelWorld();
  const { payer, receiver, chain } = world;
  const config = world.config();
  const opened = world.sendOk(payer, opening(config, 1000n));
  const { channel_id: text = '' } = eventOf(opened, 'open_channel');
  expect(eventOf(opened, 'open_channel')).toMatchObject({ payer: payer.address, deposit: '1000uopen' });
  const id = fromHex(text);
  const channel = { channel_id: toHex(id) };
  const topUp = world.sendOk(payer, toppingUp(world, id, 5n));
  expect(eventOf(topUp, 'top_up_channel')).toMatchObject({ ...channel, amount: '5uopen' });
  const claimed = world.sendOk(receiver, world.claimOf(world.row(voucherFor(id, { lane: 3 }))));
  expect(eventOf(claimed, 'claim_voucher')).toMatchObject({
    ...channel,
    lane: '3',
    paid: '100',
    claimed: '100',
  });
  const rotated = world.sendOk(payer, rotating(world, id, 'next'));
  expect(eventOf(rotated, 'rotate_channel_key')).toMatchObject({
    ...channel,
    previous_until_time: `${chain.time + 900n}`,
    previous_until_height: `${chain.height + BLOCKS}`,
  });
  const initiated = world.sendOk(payer, world.payerMessage('initiate', id));
  expect(eventOf(initiated, 'initiate_channel_withdrawal')).toMatchObject({
    ...channel,
    time: `${chain.time + 900n}`,
    height: `${chain.height + BLOCKS}`,
  });
  world.waitDelay();
  const finalized = world.sendOk(payer, world.payerMessage('finalize', id));
  expect(eventOf(finalized, 'close_channel')).toMatchObject({
    ...channel,
    paid: '0uopen',
    returned: '905uopen',
  });
});
