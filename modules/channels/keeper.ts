import { equalBytes, toHex } from '../../core/bytes.ts';
import type { Address } from '../../framework/address.ts';
import type { Coin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { KV_GAS } from '../../framework/gas.ts';
import {
  type Channel,
  ChannelBalance,
  type ChannelConfig,
  type ChannelRecord,
  type Params,
  ReceiverKind,
  type SigningKey,
  type Withdrawal,
} from '../../proto/gen/openledger/channels/v1/channels.ts';
import { channelErrors } from './errors.ts';
import { channelClosed, channelOpened, channelToppedUp, keyRotated, withdrawalInitiated } from './events.ts';
import { channelId } from './format/configuration.ts';
import { AMOUNT_END } from './format/encoding.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { ChannelPorts } from './ports.ts';
import type { ClaimedInterval } from '../settlement/types.ts';
import { type ChannelState, laneKey, STORE_NAME } from './state.ts';
import type { ChannelView } from './types.ts';

/** A channel that was read, under its id. */
export interface OpenChannel {
  readonly id: Uint8Array;
  readonly channel: Channel;
}

/** Channels and their deposits. What is claimed of them: `claims.ts`. */
export class Channels implements ChannelView {
  readonly #state: ChannelState;
  readonly #ports: ChannelPorts;

  constructor(state: ChannelState, ports: ChannelPorts) {
    this.#state = state;
    this.#ports = ports;
  }

  params(context: ReadContext): Params {
    return this.#state.params.get(context) ?? DEFAULT_PARAMS;
  }

  channel(context: ReadContext, id: Uint8Array): Channel | undefined {
    return this.#state.channels.get(context, id);
  }

  balance(context: ReadContext, id: Uint8Array): ChannelBalance | undefined {
    return this.#state.balances.get(context, id);
  }

  /** @throws StateError (channels 4) */
  require(context: ReadContext, id: Uint8Array): OpenChannel {
    const channel = this.channel(context, id);
    if (channel === undefined)
      throw new StateError(
        channelErrors.unknownChannel,
        `there is no channel ${toHex(id)}; it was never opened, or it is closed`,
      );
    return { id, channel };
  }

  /** The channel, if the account is its payer. @throws StateError (channels 4, 5) */
  requireOf(context: ReadContext, id: Uint8Array, payer: string): OpenChannel {
    const open = this.require(context, id);
    if (!this.isSame(open.channel.config.payer, payer))
      throw new StateError(channelErrors.notAParty, `${payer} is not the payer of channel ${toHex(id)}`);
    return open;
  }

  /** True for two texts of one address. */
  isSame(a: string, b: string): boolean {
    const { addresses } = this.#ports;
    return a === b || equalBytes(addresses.toBytes(a), addresses.toBytes(b));
  }

  /** The id of a channel that may be opened now. @throws StateError (channels 2, 3, 13) */
  checkOpening(context: ReadContext, config: ChannelConfig): Uint8Array {
    const { withdrawDelayMin, withdrawDelayMax, openWindow } = this.params(context);
    const { withdrawDelay, openBefore, receiver, receiverKind } = config;
    if (receiverKind === ReceiverKind.RECEIVER_KIND_ROUTER && this.#ports.router === undefined)
      throw new StateError(
        channelErrors.noRouter,
        'this chain has no revenue router; give an account as receiver',
      );
    if (this.#ports.bank.isBlocked(this.#ports.addresses.toBytes(receiver)))
      throw invalid(`${receiver} is a module’s account and cannot receive`);
    if (withdrawDelay < withdrawDelayMin || withdrawDelay > withdrawDelayMax)
      throw invalid(`withdraw_delay is ${withdrawDelay}, must be ${withdrawDelayMin} to ${withdrawDelayMax}`);
    const now = context.block.time.seconds;
    if (openBefore <= now || openBefore > now + BigInt(openWindow))
      throw invalid(`open_before is ${openBefore}, must be in the ${openWindow} seconds after ${now}`);
    const id = channelId(context.block.chainId, config);
    if (this.#state.channels.has(context, id) || this.#state.closed.has(context, [openBefore, id]))
      throw new StateError(
        channelErrors.idUsed,
        `channel ${toHex(id)} is open or was closed; take another salt`,
      );
    return id;
  }

  /** Opens a channel that `checkOpening` has passed. */
  open(context: Context, opened: OpenChannel, deposit: bigint): void {
    const { id, channel } = opened;
    const { config } = channel;
    this.#take(context, config.payer, { denom: config.denom, amount: deposit });
    this.insert(context, opened, { deposited: deposit.toString(), claimed: '0' });
    context.emit(channelOpened(id, config, deposit));
  }

  /** Writes a channel with its money and indexes. */
  insert(context: Context, { id, channel }: OpenChannel, balance: ChannelBalance): void {
    this.#state.channels.replace(context, id, undefined, channel);
    this.#state.balances.set(context, id, balance);
  }

  /** What a channel will hold with that much more. @throws StateError (channels 2, 10) */
  checkTopUp(context: ReadContext, { id, channel }: OpenChannel, coin: Coin): ChannelBalance {
    if (channel.withdrawal !== undefined) throw withdrawn(id);
    if (coin.denom !== channel.config.denom)
      throw invalid(`channel ${toHex(id)} holds ${channel.config.denom}, not ${coin.denom}`);
    const balance = this.#state.balances.require(context, id);
    const deposited = BigInt(balance.deposited) + coin.amount;
    if (deposited >= AMOUNT_END) throw invalid('a channel holds less than 2^128 altogether');
    return { ...balance, deposited: deposited.toString() };
  }

  /** Pays more in, as `checkTopUp` has it. */
  topUp(
    context: Context,
    id: Uint8Array,
    paid: { readonly sender: string; readonly coin: Coin; readonly balance: ChannelBalance },
  ): void {
    const { sender, coin, balance } = paid;
    this.#take(context, sender, coin);
    this.#state.balances.set(context, id, balance);
    context.emit(channelToppedUp(id, sender, `${coin.amount}${coin.denom}`));
  }

  /** True while vouchers of the key before the last rotation can be claimed. */
  isPreviousKeyGood({ block }: ReadContext, { previousKey }: Channel): boolean {
    if (previousKey === undefined) return false;
    return block.time.seconds <= previousKey.untilTime || block.height <= previousKey.untilHeight;
  }

  /** @throws StateError (channels 10, 12) */
  checkRotation(context: ReadContext, { id, channel }: OpenChannel): void {
    if (channel.withdrawal !== undefined) throw withdrawn(id);
    if (this.isPreviousKeyGood(context, channel))
      throw new StateError(
        channelErrors.rotationUnderWay,
        `vouchers of the key before can be claimed until ${channel.previousKey?.untilTime ?? 0n}; rotate after it`,
      );
  }

  /** @returns the version of the new key */
  rotate(context: Context, { id, channel }: OpenChannel, key: SigningKey): number {
    const { time: untilTime, height: untilHeight } = this.#delayFrom(context, channel);
    const keyVersion = channel.keyVersion + 1;
    const previousKey = { key: channel.payerAuthorizer, untilTime, untilHeight };
    const rotated = { ...channel, payerAuthorizer: key, keyVersion, previousKey };
    this.#state.channels.replace(context, id, channel, rotated);
    context.emit(keyRotated(id, { keyVersion, untilTime, untilHeight }));
    return keyVersion;
  }

  /** @throws StateError (channels 10) */
  checkInitiation({ id, channel }: OpenChannel): void {
    if (channel.withdrawal !== undefined) throw withdrawn(id);
  }

  initiateWithdrawal(context: Context, { id, channel }: OpenChannel): Withdrawal {
    const withdrawal = this.#delayFrom(context, channel);
    this.#state.channels.replace(context, id, channel, { ...channel, withdrawal });
    context.emit(withdrawalInitiated(id, withdrawal));
    return withdrawal;
  }

  /**
   * Time is what a receiver has to react in, and blocks are what it needs to do so: after a stop of the chain
   * the time may be over with the first block.
   */
  #delayFrom(context: ReadContext, { config }: Channel): Withdrawal {
    const { time, height } = context.block;
    return {
      time: time.seconds + BigInt(config.withdrawDelay),
      height: height + BigInt(this.params(context).withdrawBlocks),
    };
  }

  /** @throws StateError (channels 11) */
  checkFinalization({ block }: ReadContext, { id, channel: { withdrawal } }: OpenChannel): void {
    if (withdrawal === undefined)
      throw new StateError(
        channelErrors.withdrawalNotDue,
        `no withdrawal of channel ${toHex(id)} was initiated`,
      );
    if (block.time.seconds < withdrawal.time || block.height < withdrawal.height)
      throw new StateError(
        channelErrors.withdrawalNotDue,
        `the withdrawal is due at ${withdrawal.time} (now ${block.time.seconds}) and height ${withdrawal.height} (now ${block.height})`,
      );
  }

  /**
   * Ends a channel: what is left, less what the receiver gets now, goes back to the payer. Nothing of it
   * stays, but the id as long as somebody could open it again.
   * @returns what goes back
   */
  close(context: Context, { id, channel: { config } }: OpenChannel, paid: bigint): bigint {
    const { deposited, claimed } = this.#state.balances.require(context, id);
    const returned = BigInt(deposited) - BigInt(claimed) - paid;
    const lanes = [...this.#state.lanes.iterate(context, { prefix: laneKey.prefix(id) })];
    for (const [key] of lanes) this.#state.lanes.remove(context, key);
    this.#state.balances.remove(context, id);
    this.#state.channels.remove(context, id);
    if (context.block.time.seconds < config.openBefore) {
      context.gas.consume(KV_GAS.delete, 'closed channel');
      this.#state.closed.add(context, [config.openBefore, id]);
    }
    const { addresses } = this.#ports;
    const { denom } = config;
    // What the router takes is of lanes: a closing pays it nothing (`planClose`).
    this.#give(context, addresses.toBytes(config.receiver), { denom, amount: paid });
    this.#give(context, addresses.toBytes(config.payer), { denom, amount: returned });
    context.emit(channelClosed(id, config, { paid, returned }));
    return returned;
  }

  /** Moves what was claimed of lanes to their receiver, or notes it under its name with the router. */
  payClaimed(
    context: Context,
    { receiver: text, receiverKind, denom }: ChannelConfig,
    lanes: readonly ClaimedInterval[],
  ): void {
    const receiver = this.#ports.addresses.toBytes(text);
    const amount = lanes.reduce((sum, { from, to }) => sum + to - from, 0n);
    const { router, bank } = this.#ports;
    if (receiverKind !== ReceiverKind.RECEIVER_KIND_ROUTER || router === undefined)
      this.#give(context, receiver, { denom, amount });
    else if (amount > 0n) {
      const coins = [{ denom, amount }];
      bank.sendBetweenModules(context, { from: STORE_NAME, to: router.routerAccount, coins });
      router.collect(context, { gateway: receiver, denom, lanes });
    }
  }

  /** Channels with their money, for queries and exports. */
  record(context: ReadContext, id: Uint8Array, channel: Channel): ChannelRecord {
    return { id, channel, balance: this.balance(context, id) ?? ChannelBalance.create() };
  }

  #take(context: Context, sender: string, coin: Coin): void {
    const from = this.#ports.addresses.toBytes(sender);
    this.#ports.bank.sendToModule(context, { from, module: STORE_NAME, coins: [coin] });
  }

  #give(context: Context, to: Address, coin: Coin): void {
    if (coin.amount === 0n) return;
    this.#ports.bank.sendFromModule(context, { module: STORE_NAME, to, coins: [coin] });
  }
}

function invalid(problem: string): StateError {
  return new StateError(channelErrors.invalidChannel, problem);
}

function withdrawn(id: Uint8Array): StateError {
  return new StateError(channelErrors.beingWithdrawn, `a withdrawal of channel ${toHex(id)} is under way`);
}
