import type { AddressCodec } from '../../framework/address.ts';
import { type Coin, parseCoin } from '../../framework/coins.ts';
import { StateError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import type { StatementVerifier } from '../../framework/tx/statement.ts';
import type { ChannelBalance, Withdrawal } from '../../proto/gen/openledger/channels/v1/channels.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import type { ClaimPlan, Claims } from './claims.ts';
import { type ClosePlan, planClose } from './closing.ts';
import { channelErrors } from './errors.ts';
import type { Channels, OpenChannel } from './keeper.ts';
import { validateParams } from './params.ts';
import type { ChannelState } from './state.ts';
import { formOf, keyOf, readAmount, rowOf, validateConfig, validateId } from './wire.ts';

/** What the messages work with. */
export interface ChannelMessagePorts {
  readonly channels: Channels;
  readonly claims: Claims;
  readonly state: ChannelState;
  readonly statements: StatementVerifier;
  readonly addresses: AddressCodec;
}

/** `openledger.channels.v1.Msg`. */
export function channelMessages(ports: ChannelMessagePorts): readonly MessageRoute[] {
  return [
    messageRoute(openChannel(ports)),
    messageRoute(topUpChannel(ports)),
    messageRoute(rotateKey(ports)),
    messageRoute(claimVouchers(ports)),
    messageRoute(closeChannel(ports)),
    messageRoute(initiateWithdrawal(ports)),
    messageRoute(finalizeWithdrawal(ports)),
    paramsMessage(wire, {
      addresses: ports.addresses,
      validate: validateParams,
      set: (context, params) => ports.state.params.set(context, params),
    }),
  ];
}

function openChannel({
  channels,
  addresses,
}: ChannelMessagePorts): MessageHandler<wire.MsgOpenChannel, wire.MsgOpenChannelResponse, OpenChannel> {
  return {
    type: wire.MsgOpenChannel,
    response: wire.MsgOpenChannelResponse,
    signers: ({ config }) => [config.payer],
    validate({ config, deposit }) {
      validateConfig(config, addresses);
      requirePositive(readAmount(deposit, 'deposit', channelErrors.invalidChannel));
    },
    check(context, { config }) {
      const id = channels.checkOpening(context, config);
      const { payerAuthorizer } = config;
      const rest = { previousKey: undefined, withdrawal: undefined };
      return { id, channel: { config, payerAuthorizer, keyVersion: 0, ...rest } };
    },
    execute(context, { deposit }, opened) {
      channels.open(context, opened, BigInt(deposit));
      return { channelId: opened.id };
    },
  };
}

interface TopUpPlan {
  readonly coin: Coin;
  readonly balance: ChannelBalance;
}

function topUpChannel({
  channels,
}: ChannelMessagePorts): MessageHandler<wire.MsgTopUpChannel, wire.MsgTopUpChannelResponse, TopUpPlan> {
  return {
    type: wire.MsgTopUpChannel,
    response: wire.MsgTopUpChannelResponse,
    signers: ({ sender }) => [sender],
    validate({ channelId, amount }) {
      validateId(channelId);
      requirePositive(parseCoin(amount).amount);
    },
    check(context, { channelId, amount }) {
      const coin = parseCoin(amount);
      return { coin, balance: channels.checkTopUp(context, channels.require(context, channelId), coin) };
    },
    execute(context, { sender, channelId }, plan) {
      channels.topUp(context, channelId, { sender, ...plan });
      return {};
    },
  };
}

function rotateKey({
  channels,
}: ChannelMessagePorts): MessageHandler<wire.MsgRotateKey, wire.MsgRotateKeyResponse, OpenChannel> {
  return {
    type: wire.MsgRotateKey,
    response: wire.MsgRotateKeyResponse,
    signers: ({ payer }) => [payer],
    validate({ channelId, payerAuthorizer }) {
      validateId(channelId);
      keyOf(payerAuthorizer);
    },
    check(context, { channelId, payer }) {
      const open = channels.requireOf(context, channelId, payer);
      channels.checkRotation(context, open);
      return open;
    },
    execute: (context, { payerAuthorizer }, open) => ({
      keyVersion: channels.rotate(context, open, payerAuthorizer),
    }),
  };
}

function claimVouchers({
  claims,
}: ChannelMessagePorts): MessageHandler<wire.MsgClaimVouchers, wire.MsgClaimVouchersResponse, ClaimPlan> {
  return {
    type: wire.MsgClaimVouchers,
    response: wire.MsgClaimVouchersResponse,
    signers: ({ claimer }) => [claimer],
    validate({ rows }) {
      if (rows.length === 0) throw new StateError(channelErrors.invalidVoucher, 'a claim without rows');
      for (const row of rows) rowOf(row);
    },
    signatures: (context, { claimer, rows }) => claims.signatures(context, claimer, rows),
    check: (context, { claimer, rows }) => claims.plan(context, claimer, rows),
    execute: (context, _, plan) => ({ results: claims.pay(context, plan) }),
  };
}

function closeChannel(
  ports: ChannelMessagePorts,
): MessageHandler<wire.MsgCloseChannel, wire.MsgCloseChannelResponse, ClosePlan> {
  return {
    type: wire.MsgCloseChannel,
    response: wire.MsgCloseChannelResponse,
    signers: ({ sender }) => [sender],
    validate({ channelId, total, consent }) {
      validateId(channelId);
      readAmount(total, 'total', channelErrors.invalidAgreement);
      if (consent !== undefined) formOf(consent.form);
    },
    check: (context, message) => planClose(context, message, ports),
    execute(context, _, { open, paid }) {
      const returned = ports.channels.close(context, open, paid);
      return { paid: `${paid}`, returned: `${returned}` };
    },
  };
}

function initiateWithdrawal({
  channels,
}: ChannelMessagePorts): MessageHandler<
  wire.MsgInitiateWithdrawal,
  wire.MsgInitiateWithdrawalResponse,
  OpenChannel
> {
  return {
    type: wire.MsgInitiateWithdrawal,
    response: wire.MsgInitiateWithdrawalResponse,
    signers: ({ payer }) => [payer],
    validate: ({ channelId }) => validateId(channelId),
    check(context, { channelId, payer }) {
      const open = channels.requireOf(context, channelId, payer);
      channels.checkInitiation(open);
      return open;
    },
    execute(context, _, open): { readonly withdrawal: Withdrawal } {
      return { withdrawal: channels.initiateWithdrawal(context, open) };
    },
  };
}

function finalizeWithdrawal({
  channels,
}: ChannelMessagePorts): MessageHandler<
  wire.MsgFinalizeWithdrawal,
  wire.MsgFinalizeWithdrawalResponse,
  OpenChannel
> {
  return {
    type: wire.MsgFinalizeWithdrawal,
    response: wire.MsgFinalizeWithdrawalResponse,
    signers: ({ payer }) => [payer],
    validate: ({ channelId }) => validateId(channelId),
    check(context, { channelId, payer }) {
      const open = channels.requireOf(context, channelId, payer);
      channels.checkFinalization(context, open);
      return open;
    },
    execute: (context, _, open) => ({ returned: `${channels.close(context, open, 0n)}` }),
  };
}

function requirePositive(amount: bigint): void {
  if (amount <= 0n) throw new StateError(channelErrors.invalidChannel, 'a deposit must be above 0');
}
