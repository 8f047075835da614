import { messageOf } from '../../core/errors.ts';
import { type Address, type AddressCodec, moduleAddress } from '../../framework/address.ts';
import {
  addCoins,
  type Coins,
  coinsToString,
  equalCoins,
  isDenom,
  NO_COINS,
  parseCoin,
  parseCoins,
  type WireCoin,
} from '../../framework/coins.ts';
import { invalidAuthority, StateError, sdkErrors } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import * as wire from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { bankErrors } from './errors.ts';
import { messageSender, transferred } from './events.ts';
import type { Bank } from './keeper.ts';
import { validateParams } from './params.ts';
import type { BankState } from './state.ts';
import type { Transfer } from './types.ts';

/** What the messages work with. */
export interface BankMessagePorts {
  readonly bank: Bank;
  readonly state: BankState;
  readonly addresses: AddressCodec;
}

/** `cosmos.bank.v1beta1.Msg`. */
export function bankMessages(ports: BankMessagePorts): readonly MessageRoute[] {
  return [
    messageRoute(msgSend(ports)),
    messageRoute(msgMultiSend(ports)),
    messageRoute(msgUpdateParams(ports)),
    messageRoute(msgSetSendEnabled(ports)),
  ];
}

function msgSend({
  bank,
  addresses,
}: BankMessagePorts): MessageHandler<wire.MsgSend, wire.MsgSendResponse, Transfer> {
  // A delivered message is checked right after it was validated: the last plan is kept for that.
  let last: { readonly message: wire.MsgSend; readonly transfer: Transfer } | undefined;
  const plan = (message: wire.MsgSend): Transfer => {
    if (last?.message === message) return last.transfer;
    const transfer = {
      from: readAddress(addresses, message.fromAddress, 'from'),
      to: readAddress(addresses, message.toAddress, 'to'),
      coins: positiveCoins(message.amount),
    };
    last = { message, transfer };
    return transfer;
  };
  return {
    type: wire.MsgSend,
    response: wire.MsgSendResponse,
    signers: (message) => [message.fromAddress],
    validate: (message) => void plan(message),
    check(context, message) {
      const transfer = plan(message);
      bank.checkSendEnabled(context, transfer.coins);
      refuseBlocked(bank, transfer.to, message.toAddress);
      return transfer;
    },
    execute(context, _, transfer) {
      bank.send(context, transfer);
      return {};
    },
  };
}

interface Payout {
  readonly to: Address;
  readonly coins: Coins;
}

interface MultiSend {
  readonly from: Address;
  readonly coins: Coins;
  readonly outputs: readonly Payout[];
}

function msgMultiSend({
  bank,
  addresses,
}: BankMessagePorts): MessageHandler<wire.MsgMultiSend, wire.MsgMultiSendResponse, MultiSend> {
  return {
    type: wire.MsgMultiSend,
    response: wire.MsgMultiSendResponse,
    signers: (message) => message.inputs.map((input) => input.address),
    validate: (message) => void planMultiSend(message, addresses),
    check(context, message) {
      const planned = planMultiSend(message, addresses);
      bank.checkSendEnabled(context, planned.coins);
      for (const { to } of planned.outputs) refuseBlocked(bank, to, addresses.toText(to));
      return planned;
    },
    execute(context, _, { from, coins, outputs }) {
      const sender = addresses.toText(from);
      bank.spend(context, from, coins);
      context.emit(messageSender(sender));
      for (const output of outputs) {
        const to = bank.recipientOf(context, { from, ...output });
        bank.receive(context, to, output.coins);
        bank.ensureAccount(context, to);
        const amount = coinsToString(output.coins);
        context.emit(transferred({ recipient: addresses.toText(to), sender, amount }));
      }
      return {};
    },
  };
}

function planMultiSend(message: wire.MsgMultiSend, addresses: AddressCodec): MultiSend {
  const [input] = message.inputs;
  if (input === undefined) throw new StateError(bankErrors.noInputs);
  if (message.inputs.length !== 1) throw new StateError(bankErrors.multipleSenders);
  if (message.outputs.length === 0) throw new StateError(bankErrors.noOutputs);
  const from = readAddress(addresses, input.address, 'input');
  const coins = positiveCoins(input.coins);
  const outputs = message.outputs.map((output) => ({
    to: readAddress(addresses, output.address, 'output'),
    coins: positiveCoins(output.coins),
  }));
  const total = outputs.reduce<Coins>((sum, output) => addCoins(sum, output.coins), NO_COINS);
  if (!equalCoins(coins, total)) throw new StateError(bankErrors.inputOutputMismatch);
  return { from, coins, outputs };
}

function msgUpdateParams({
  bank,
  addresses,
}: BankMessagePorts): MessageHandler<wire.MsgUpdateParams, wire.MsgUpdateParamsResponse, void> {
  return {
    type: wire.MsgUpdateParams,
    response: wire.MsgUpdateParamsResponse,
    signers: (message) => [message.authority],
    validate: ({ params }) => validateParams(params),
    check: (_, message) => requireAuthority(addresses, message.authority),
    execute(context, message) {
      bank.setParams(context, message.params);
      return {};
    },
  };
}

function msgSetSendEnabled({
  state,
  addresses,
}: BankMessagePorts): MessageHandler<wire.MsgSetSendEnabled, wire.MsgSetSendEnabledResponse, void> {
  return {
    type: wire.MsgSetSendEnabled,
    response: wire.MsgSetSendEnabledResponse,
    signers: (message) => [message.authority],
    validate(message) {
      const seen = new Set<string>();
      for (const { denom } of message.sendEnabled) {
        if (seen.has(denom)) throw invalidRequest(`duplicate denom entries found for "${denom}"`);
        if (!isDenom(denom)) throw invalidRequest(`invalid SendEnabled denom "${denom}"`);
        seen.add(denom);
      }
      for (const denom of message.useDefaultFor)
        if (!isDenom(denom)) throw invalidRequest(`invalid UseDefaultFor denom "${denom}"`);
    },
    check: (_, message) => requireAuthority(addresses, message.authority),
    execute(context, message) {
      for (const { denom, enabled } of message.sendEnabled) state.sendEnabled.set(context, denom, enabled);
      for (const denom of message.useDefaultFor) state.sendEnabled.remove(context, denom);
      return {};
    },
  };
}

function readAddress(addresses: AddressCodec, text: string, role: string): Address {
  try {
    return addresses.toBytes(text);
  } catch (error) {
    throw new StateError(sdkErrors.invalidAddress, `invalid ${role} address: ${messageOf(error)}`);
  }
}

/** Coins of which there is at least one. */
function positiveCoins(wireCoins: readonly WireCoin[]): Coins {
  if (wireCoins.length === 0)
    throw new StateError(sdkErrors.invalidCoins, coinsToString(wireCoins.map(parseCoin)));
  return parseCoins(wireCoins);
}

function refuseBlocked(bank: Bank, to: Address, text: string): void {
  if (bank.isBlocked(to))
    throw new StateError(sdkErrors.unauthorized, `${text} is not allowed to receive funds`);
}

function requireAuthority(addresses: AddressCodec, authority: string): void {
  const expected = addresses.toText(moduleAddress('gov'));
  if (authority !== expected)
    throw new StateError(invalidAuthority, `invalid authority; expected ${expected}, got ${authority}`);
}

function invalidRequest(detail: string): StateError {
  return new StateError(sdkErrors.invalidRequest, detail);
}
