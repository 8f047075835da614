/** Channels as programs open and watch them; both parties' side of the vouchers is `vouchers/`. */
import { LedgerError, messageOf } from '../core/errors.ts';
import { channelId } from '../modules/channels/format/configuration.ts';
import type { PageRequest, PageResponse } from '../proto/gen/cosmos/base/query/v1beta1/pagination.ts';
import {
  type ChannelConfig,
  type ChannelRecord,
  ReceiverKind,
  type SigningKey,
} from '../proto/gen/openledger/channels/v1/channels.ts';
import type { Connection } from './connect.ts';
import type { ChannelQueries } from './queries.ts';
import type { ChannelMirror } from './vouchers/mirror.ts';

export { channelId };

const PAGE = 200n;

/** Who pays whom through a channel to a gateway. */
export interface GatewayChannel {
  readonly payer: string;
  /** Signs vouchers. */
  readonly payerKey: SigningKey;
  /** Address under which the gateway settles. */
  readonly gateway: string;
  /** Consents to closings. */
  readonly gatewayKey: SigningKey;
  readonly denom: string;
  /** Seconds: within the chain's bounds. */
  readonly withdrawDelay: number;
  /** Seconds since 1970, of the chain's clock. */
  readonly openBefore: bigint;
  /** 32 bytes, each time others. */
  readonly salt: Uint8Array;
}

/** The configuration of a channel whose money a gateway settles by epochs. */
export function gatewayChannel(channel: GatewayChannel): ChannelConfig {
  const { payer, payerKey, gateway, gatewayKey, denom, withdrawDelay, openBefore, salt } = channel;
  return {
    payer,
    payerAuthorizer: payerKey,
    receiverKind: ReceiverKind.RECEIVER_KIND_ROUTER,
    receiver: gateway,
    receiverAuthorizer: gatewayKey,
    denom,
    withdrawDelay,
    openBefore,
    salt,
  };
}

/**
 * What the chain shows of a channel now: for `Payee.observe`.
 * @param now the caller's clock, in seconds: taken before the chain is asked
 * @returns undefined when the channel is not there, or not any more
 */
export async function channelMirror(
  connection: Connection,
  id: Uint8Array,
  now: number,
): Promise<ChannelMirror | undefined> {
  const { channels } = connection.queries.openledger;
  const blockTime = await chainTime(connection);
  const record = await foundOrNone(channels.channel({ channelId: id }));
  if (record === undefined) return undefined;
  return mirrorOf(channels, record.channel, { blockTime, now });
}

/** All channels to a receiver: an account, or a gateway's name at the router. */
export async function mirrorsOfReceiver(
  connection: Connection,
  receiver: string,
  now: number,
): Promise<readonly ChannelMirror[]> {
  const { channels } = connection.queries.openledger;
  const blockTime = await chainTime(connection);
  const records = await everyPage(
    (pagination) => channels.channelsByReceiver({ receiver, pagination }),
    (page) => page.channels,
  );
  const mirrors: ChannelMirror[] = [];
  for (const record of records) mirrors.push(await mirrorOf(channels, record, { blockTime, now }));
  return mirrors;
}

async function mirrorOf(
  channels: Pick<ChannelQueries, 'lanes'>,
  record: ChannelRecord,
  { blockTime, now }: { readonly blockTime: bigint; readonly now: number },
): Promise<ChannelMirror> {
  const lanes = await everyPage(
    (pagination) => channels.lanes({ channelId: record.id, pagination }),
    (page) => page.lanes,
  );
  return { record, lanes, asOf: now, blockTime };
}

/** Time of the last block, in seconds since 1970. */
export async function chainTime({ comet }: Pick<Connection, 'comet'>): Promise<bigint> {
  const { syncInfo } = await comet.status();
  return BigInt(Math.floor(syncInfo.latestBlockTime.getTime() / 1000));
}

/** Everything of a paginated query. */
export async function everyPage<T extends { readonly pagination?: PageResponse | undefined }, R>(
  ask: (pagination: PageRequest) => Promise<T>,
  rows: (page: T) => readonly R[],
): Promise<readonly R[]> {
  const all: R[] = [];
  let key: Uint8Array = new Uint8Array(0);
  do {
    const page = await ask({ key, offset: 0n, limit: PAGE, countTotal: false, reverse: false });
    all.push(...rows(page));
    key = page.pagination?.nextKey ?? new Uint8Array(0);
  } while (key.length > 0);
  return all;
}

/** Undefined when the chain says that there is no such thing. @throws whatever else is wrong */
export async function foundOrNone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (messageOf(error).includes('there is no')) return undefined;
    throw error instanceof Error ? error : new LedgerError('client.query', messageOf(error));
  }
}
