/** Payment channels: opened, paid into, claimed from, closed and withdrawn, rightly and wrongly. */
import { toHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { hashChainOf } from '../../../modules/channels/format/hash-chain.ts';
import { type ChannelRecord, ReceiverKind } from '../../../proto/gen/openledger/channels/v1/channels.ts';
import * as query from '../../../proto/gen/openledger/channels/v1/query.ts';
import * as wire from '../../../proto/gen/openledger/channels/v1/tx.ts';
import { consentOf, rowFor, sessionSigner, type TestSigner, voucherFor } from '../../support/channels.ts';
import type { Actor } from '../actors.ts';
import {
  actorAt,
  anyone,
  BOND_DENOM,
  coin,
  type Operation,
  operation,
  OTHER_DENOM,
  someOf,
  type World,
} from '../world.ts';
import { asked } from './attribution.ts';

const SERVICE = '/openledger.channels.v1.Query';
/** Links of the hash chains of these vouchers. */
const LINKS = 20;

/** The payer's key after so many rotations, and the receiver's: made of the salt, so that nobody remembers. */
function payerSigner(salt: Uint8Array, keyVersion: number): TestSigner {
  return sessionSigner(`payer ${toHex(salt)} ${keyVersion}`);
}

function receiverSigner(salt: Uint8Array): TestSigner {
  return sessionSigner(`receiver ${toHex(salt)}`);
}

/** Channels that somebody pays for. */
function channelsOf(world: World, payer: Actor): readonly ChannelRecord[] {
  const types = { request: query.QueryChannelsByPayerRequest, response: query.QueryChannelsByPayerResponse };
  return asked(world, `${SERVICE}/ChannelsByPayer`, types, { payer: payer.address })?.channels ?? [];
}

/** Somebody who has channels, and one of them. */
function aChannel(world: World): ChannelRecord | undefined {
  const { random, actors } = world;
  const start = random.below(actors.length);
  for (let i = 0; i < actors.length; i++) {
    const payer = actors[(start + i) % actors.length];
    const channel = payer === undefined ? undefined : random.some(channelsOf(world, payer));
    if (channel !== undefined) return channel;
  }
  return undefined;
}

function anOpening(world: World, payer: Actor): wire.MsgOpenChannel {
  const { random, time } = world;
  const salt = sha256(utf8(`salt ${random.below(1_000_000)}`));
  const denom = random.oneIn(3) ? OTHER_DENOM : BOND_DENOM;
  const config = {
    payer: payer.address,
    payerAuthorizer: payerSigner(salt, 0).key,
    receiverKind: random.oneIn(2) ? ReceiverKind.RECEIVER_KIND_ROUTER : ReceiverKind.RECEIVER_KIND_ACCOUNT,
    receiver: anyone(world).address,
    receiverAuthorizer: receiverSigner(salt).key,
    denom,
    withdrawDelay: random.between(55, 80),
    openBefore: time.seconds + BigInt(random.between(1, 90)),
    salt,
  };
  return { config, deposit: `${someOf(world, payer, denom)}` };
}

/** A voucher on some lane, perhaps of the key before, perhaps of a channel that is gone or for too much. */
function aRow(world: World, record: ChannelRecord): wire.ClaimRow {
  const { random, context } = world;
  const { channel, balance } = record;
  const id = random.oneIn(12) ? sha256(record.id) : record.id;
  const isOld = channel.keyVersion > 0 && random.oneIn(4);
  const keyVersion = channel.keyVersion - (isOld ? 1 : 0);
  const seed = sha256(utf8(`seed ${random.below(100)}`));
  const links = hashChainOf(seed, LINKS);
  const root = links[0];
  const hashChain =
    random.oneIn(3) && root !== undefined
      ? { root, unit: BigInt(random.between(1, 9)), links: LINKS }
      : undefined;
  const open = BigInt(balance.deposited) - BigInt(balance.claimed);
  const cumulative = BigInt(random.between(0, 3)) * (random.amount(open / 3n) + 1n);
  const voucher = voucherFor(id, {
    lane: random.below(random.oneIn(20) ? 1025 : 4),
    keyVersion,
    cumulative,
    ceiling: random.oneIn(2) ? cumulative : 0n,
    resource: sha256(utf8(`resource ${random.below(1000)}`)),
    hashChain,
  });
  const index = hashChain === undefined ? 0 : random.below(LINKS + 1);
  const total = cumulative + BigInt(index) * (hashChain?.unit ?? 0n);
  return rowFor(voucher, {
    signer: payerSigner(channel.config.salt, random.oneIn(40) ? 99 : keyVersion),
    chainId: context.block.chainId,
    total: random.oneIn(40) ? total + 1n : total,
    ...(index === 0 ? {} : { preimage: links[index] ?? seed, preimageIndex: index }),
  });
}

function aClosing(world: World, record: ChannelRecord, sender: Actor): wire.MsgCloseChannel {
  const { random, context, time } = world;
  const { channel, balance } = record;
  const { config, keyVersion } = channel;
  const open = BigInt(balance.deposited) - BigInt(balance.claimed);
  const isReceiver = sender.address === config.receiver;
  const isAlone = isReceiver && random.oneIn(2);
  const total = BigInt(balance.claimed) + (isAlone ? 0n : random.amount(open));
  const closeBefore = time.seconds + BigInt(random.between(1, 60));
  const signer = isReceiver ? payerSigner(config.salt, keyVersion) : receiverSigner(config.salt);
  const agreement = { channelId: record.id, keyVersion, total, closeBefore };
  return {
    sender: sender.address,
    channelId: record.id,
    total: `${total}`,
    closeBefore,
    consent: isAlone ? undefined : consentOf(agreement, signer, context.block.chainId),
  };
}

/** An operation on a channel by one of its parties. */
function onChannel<M>(
  type: Parameters<typeof operation<M>>[0],
  weight: number,
  party: (world: World, record: ChannelRecord) => string,
  make: (world: World, record: ChannelRecord, signer: Actor) => M,
): Operation {
  const found = new WeakMap<World, ChannelRecord>();
  const signerOf = (world: World): Actor | undefined => {
    const record = aChannel(world);
    if (record === undefined) return undefined;
    found.set(world, record);
    return world.random.oneIn(25) ? anyone(world) : actorAt(world, party(world, record));
  };
  return operation(
    type,
    weight,
    (world, signer) => {
      const record = found.get(world);
      return record === undefined ? undefined : make(world, record, signer);
    },
    signerOf,
  );
}

const payerOf = (_: World, { channel }: ChannelRecord): string => channel.config.payer;
const receiverOf = (_: World, { channel }: ChannelRecord): string => channel.config.receiver;
const eitherOf = (world: World, record: ChannelRecord): string =>
  world.random.oneIn(2) ? payerOf(world, record) : receiverOf(world, record);

/** What people do with channels. */
export const channelOperations: readonly Operation[] = [
  operation(wire.MsgOpenChannel, 25, anOpening),
  onChannel(wire.MsgTopUpChannel, 8, payerOf, (world, { id, channel }, sender) => ({
    sender: sender.address,
    channelId: id,
    amount: coin(someOf(world, sender, channel.config.denom), channel.config.denom),
  })),
  onChannel(wire.MsgClaimVouchers, 40, receiverOf, (world, record, claimer) => ({
    claimer: claimer.address,
    rows: Array.from({ length: world.random.between(1, 5) }, () => aRow(world, record)),
  })),
  onChannel(wire.MsgRotateKey, 8, payerOf, (_, { id, channel }, payer) => ({
    payer: payer.address,
    channelId: id,
    payerAuthorizer: payerSigner(channel.config.salt, channel.keyVersion + 1).key,
  })),
  onChannel(wire.MsgCloseChannel, 6, eitherOf, aClosing),
  onChannel(wire.MsgInitiateWithdrawal, 8, payerOf, (_, { id }, payer) => ({
    payer: payer.address,
    channelId: id,
  })),
  onChannel(wire.MsgFinalizeWithdrawal, 12, payerOf, (_, { id }, payer) => ({
    payer: payer.address,
    channelId: id,
  })),
];
