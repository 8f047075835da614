import { LedgerError, messageOf } from '../../core/errors.ts';
import type { Address, AddressCodec } from '../../framework/address.ts';
import {
  addCoins,
  type Coins,
  coinsToString,
  NO_COINS,
  parseCoins,
  type WireCoin,
} from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import * as wire from '../../proto/gen/cosmos/vesting/v1beta1/tx.ts';
import type { Vesting } from '../auth/types.ts';
import type { VestingPorts } from './ports.ts';

/** Largest time: a signed 64-bit number of seconds. */
const TIME_MAX = (1n << 63n) - 1n;

/** `cosmos.vesting.v1beta1.Msg`. */
export function vestingMessages(ports: VestingPorts): readonly MessageRoute[] {
  return [
    messageRoute(msgCreateVestingAccount(ports)),
    messageRoute(msgCreatePermanentLockedAccount(ports)),
    messageRoute(msgCreatePeriodicVestingAccount(ports)),
  ];
}

/** A new account, and who pays for what is locked in it. */
interface CreatePlan {
  readonly from: Address;
  readonly to: Address;
  readonly vesting: Vesting;
}

/** A schedule of which nothing is delegated yet. */
function fresh(kind: Vesting['kind'], original: Coins, endTime: bigint): Vesting {
  const none = { delegatedFree: NO_COINS, delegatedVesting: NO_COINS, startTime: 0n, periods: [] };
  return { kind, original, endTime, ...none };
}

function msgCreateVestingAccount(
  ports: VestingPorts,
): MessageHandler<wire.MsgCreateVestingAccount, wire.MsgCreateVestingAccountResponse, CreatePlan> {
  const plan = (message: wire.MsgCreateVestingAccount): CreatePlan => {
    const parties = readParties(ports.addresses, message);
    const original = positiveCoins(message.amount);
    if (message.endTime <= 0n) throw invalidRequest('invalid end time');
    const kind = message.delayed ? 'delayed' : 'continuous';
    return { ...parties, vesting: fresh(kind, original, message.endTime) };
  };
  return {
    type: wire.MsgCreateVestingAccount,
    response: wire.MsgCreateVestingAccountResponse,
    signers: ({ fromAddress }) => [fromAddress],
    validate: (message) => void plan(message),
    check(context, message) {
      const planned = plan(message);
      checkSend(ports, context, planned);
      checkRecipient(ports, context, message.toAddress);
      if (message.delayed) return planned;
      const startTime = context.block.time.seconds;
      return { ...planned, vesting: { ...planned.vesting, startTime } };
    },
    execute(context, _, planned) {
      create(ports, context, planned);
      return {};
    },
  };
}

function msgCreatePermanentLockedAccount(
  ports: VestingPorts,
): MessageHandler<
  wire.MsgCreatePermanentLockedAccount,
  wire.MsgCreatePermanentLockedAccountResponse,
  CreatePlan
> {
  const plan = (message: wire.MsgCreatePermanentLockedAccount): CreatePlan => {
    const parties = readParties(ports.addresses, message);
    return { ...parties, vesting: fresh('permanent', positiveCoins(message.amount), 0n) };
  };
  return {
    type: wire.MsgCreatePermanentLockedAccount,
    response: wire.MsgCreatePermanentLockedAccountResponse,
    signers: ({ fromAddress }) => [fromAddress],
    validate: (message) => void plan(message),
    check(context, message) {
      const planned = plan(message);
      checkSend(ports, context, planned);
      checkRecipient(ports, context, message.toAddress);
      return planned;
    },
    execute(context, _, planned) {
      create(ports, context, planned);
      return {};
    },
  };
}

function msgCreatePeriodicVestingAccount(
  ports: VestingPorts,
): MessageHandler<
  wire.MsgCreatePeriodicVestingAccount,
  wire.MsgCreatePeriodicVestingAccountResponse,
  CreatePlan
> {
  const plan = (message: wire.MsgCreatePeriodicVestingAccount): CreatePlan => ({
    ...readParties(ports.addresses, message),
    vesting: periodic(message),
  });
  return {
    type: wire.MsgCreatePeriodicVestingAccount,
    response: wire.MsgCreatePeriodicVestingAccountResponse,
    signers: ({ fromAddress }) => [fromAddress],
    validate: (message) => void plan(message),
    check(context, message) {
      const planned = plan(message);
      checkRecipient(ports, context, message.toAddress);
      checkSend(ports, context, planned);
      return planned;
    },
    execute(context, _, planned) {
      create(ports, context, planned);
      return {};
    },
  };
}

function periodic({ startTime, vestingPeriods }: wire.MsgCreatePeriodicVestingAccount): Vesting {
  if (startTime < 1n)
    throw invalidRequest(`invalid start time of ${startTime}, length must be greater than 0`);
  const periods = vestingPeriods.map(({ length, amount }, i) => {
    if (length < 1n)
      throw invalidRequest(
        `invalid period length of ${length} in period ${i}, length must be greater than 0`,
      );
    return { length, amount: positiveCoins(amount) };
  });
  const original = periods.reduce<Coins>((sum, { amount }) => addCoins(sum, amount), NO_COINS);
  const endTime = periods.reduce((sum, { length }) => sum + length, startTime);
  if (endTime > TIME_MAX)
    throw invalidRequest('cumulative endTime overflowed, and/or is less than startTime');
  if (periods.length === 0) throw invalidRequest('vesting start-time cannot be before end-time');
  return { ...fresh('periodic', original, endTime), startTime, periods };
}

function checkSend({ bank }: VestingPorts, context: ReadContext, { vesting }: CreatePlan): void {
  bank.checkSendEnabled(context, vesting.original);
}

function checkRecipient({ bank, accounts, addresses }: VestingPorts, context: ReadContext, to: string): void {
  const address = addresses.toBytes(to);
  if (bank.isBlocked(address))
    throw new StateError(sdkErrors.unauthorized, `${to} is not allowed to receive funds`);
  if (accounts.has(context, address)) throw invalidRequest(`account ${to} already exists`);
}

function create({ accounts, bank }: VestingPorts, context: Context, { from, to, vesting }: CreatePlan): void {
  try {
    accounts.createVesting(context, to, vesting);
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'vesting') throw invalidRequest(messageOf(error));
    throw error;
  }
  bank.send(context, { from, to, coins: vesting.original });
}

function readParties(
  addresses: AddressCodec,
  message: { readonly fromAddress: string; readonly toAddress: string },
): { readonly from: Address; readonly to: Address } {
  const from = readAddress(addresses, { text: message.fromAddress, role: 'from' });
  return { from, to: readAddress(addresses, { text: message.toAddress, role: 'to' }) };
}

function readAddress(
  addresses: AddressCodec,
  { text, role }: { readonly text: string; readonly role: string },
): Address {
  try {
    return addresses.toBytes(text);
  } catch (error) {
    throw new StateError(sdkErrors.invalidAddress, `invalid '${role}' address: ${messageOf(error)}`);
  }
}

function positiveCoins(amount: readonly WireCoin[]): Coins {
  const coins = parseCoins(amount);
  if (coins.length === 0) throw new StateError(sdkErrors.invalidCoins, coinsToString(coins));
  return coins;
}

function invalidRequest(problem: string): StateError {
  return new StateError(sdkErrors.invalidRequest, problem);
}
