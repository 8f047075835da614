/**
 * Allowances: reading, checking and spending them. Pure but for the gas that a list of messages costs.
 *
 * | kind | allows |
 * | --- | --- |
 * | `BasicAllowance` | so much in all (no limit: anything), until a time |
 * | `PeriodicAllowance` | the same, and so much in each period |
 * | `AllowedMsgAllowance` | another allowance, for transactions of certain messages only |
 */
import { compareInstants } from '../../core/time.ts';
import { ANY_DEPTH_MAX, type AnyType, AnyTypes } from '../../framework/any-types.ts';
import {
  amountOf,
  type Coin,
  type Coins,
  coinsToString,
  coinsToWire,
  normalizeCoins,
  parseCoin,
  problemOfCoins,
  subtractCoins,
  type WireCoin,
} from '../../framework/coins.ts';
import type { ReadContext, Timestamp } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { STORED_ELEMENTS_MAX } from '../../framework/limits.ts';
import {
  AllowedMsgAllowance,
  BasicAllowance,
  PeriodicAllowance,
} from '../../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { Duration } from '../../proto/gen/google/protobuf/duration.ts';
import { feegrantErrors } from './errors.ts';
import type { Allowance } from './types.ts';

/** Gas for each message looked at, in the list and in the transaction. */
const MESSAGE_GAS = 10;

const NANOS_PER_SECOND = 1_000_000_000;
/** The last second of the year 9999: what a time can be. */
const SECONDS_MAX = 253_402_300_799n;

/** The messages that an allowance can be, for every `Any` that holds one. */
export const ALLOWANCE_TYPES: readonly AnyType[] = [
  { type: BasicAllowance },
  { type: PeriodicAllowance },
  { type: AllowedMsgAllowance },
];

/** As state holds them; what comes in a transaction has been through the transaction's limit. */
export const STORED_ALLOWANCES: AnyTypes = new AnyTypes(ALLOWANCE_TYPES, {
  elementsMax: STORED_ELEMENTS_MAX,
});
const INTERFACE = 'cosmos.feegrant.v1beta1.FeeAllowanceI';

/**
 * The allowance inside.
 * @throws StateError (feegrant 5) when there is none, (sdk 2) when it is of an unknown type or malformed
 */
export function readAllowance(any: Any | undefined, depth = 1): Allowance {
  if (any === undefined) throw new StateError(feegrantErrors.noAllowance, 'failed to get allowance');
  if (depth > ANY_DEPTH_MAX) throw new StateError(sdkErrors.txDecode, 'max depth exceeded');
  STORED_ALLOWANCES.unpack(any, INTERFACE);
  switch (any.typeUrl) {
    case BasicAllowance.typeUrl:
      return { kind: 'basic', value: BasicAllowance.decode(any.value) };
    case PeriodicAllowance.typeUrl:
      return { kind: 'periodic', value: PeriodicAllowance.decode(any.value) };
    default: {
      const value = AllowedMsgAllowance.decode(any.value);
      return { kind: 'allowed-messages', value, inner: readAllowance(value.allowance, depth + 1) };
    }
  }
}

/** The allowance as an `Any`. */
export function writeAllowance(allowance: Allowance): Any {
  switch (allowance.kind) {
    case 'basic':
      return { typeUrl: BasicAllowance.typeUrl, value: BasicAllowance.encode(allowance.value) };
    case 'periodic':
      return { typeUrl: PeriodicAllowance.typeUrl, value: PeriodicAllowance.encode(allowance.value) };
    case 'allowed-messages': {
      const value = { ...allowance.value, allowance: writeAllowance(allowance.inner) };
      return { typeUrl: AllowedMsgAllowance.typeUrl, value: AllowedMsgAllowance.encode(value) };
    }
  }
}

/** When it ends; undefined for never. */
export function expirationOf(allowance: Allowance): Timestamp | undefined {
  switch (allowance.kind) {
    case 'basic':
      return allowance.value.expiration;
    case 'periodic':
      return allowance.value.basic.expiration;
    case 'allowed-messages':
      return expirationOf(allowance.inner);
  }
}

/** What is looked at: what a message grants, or what may be left of it when some has been spent. */
type Stage = 'granted' | 'stored';

/** @throws StateError when its limits, times or messages make no sense */
export function validateAllowance(allowance: Allowance, stage: Stage = 'granted'): void {
  switch (allowance.kind) {
    case 'basic':
      validateBasicAllowance(allowance.value);
      break;
    case 'periodic':
      validatePeriodic(allowance.value, stage);
      break;
    case 'allowed-messages':
      if (allowance.value.allowedMessages.length === 0)
        throw new StateError(feegrantErrors.noMessages, "allowed messages shouldn't be empty");
      validateAllowance(allowance.inner, stage);
  }
}

function validateBasicAllowance({ spendLimit, expiration }: BasicAllowance): void {
  if (spendLimit.length > 0) requirePositive(spendLimit, 'send amount');
  if (expiration !== undefined && expiration.seconds < 0n)
    throw new StateError(feegrantErrors.invalidDuration, 'expiration time cannot be negative');
}

function validatePeriodic(allowance: PeriodicAllowance, stage: Stage): void {
  const { basic, period, periodSpendLimit, periodCanSpend } = allowance;
  validateBasicAllowance(basic);
  if (periodSpendLimit.length === 0)
    throw new StateError(sdkErrors.invalidCoins, 'spend limit must be positive');
  const limit = requirePositive(periodSpendLimit, 'spend amount');
  if (periodCanSpend.length > 0) requirePositive(periodCanSpend, 'can spend amount');
  // Once all of a coin is spent, a period's limit still names it.
  const total = stage === 'granted' ? basic.spendLimit.map(parseCoin) : [];
  if (total.length > 0 && limit.some(({ denom }) => amountOf(total, denom) === 0n))
    throw new StateError(
      sdkErrors.invalidCoins,
      'period spend limit has different currency than basic spend limit',
    );
  if (period.seconds < 0n || period.nanos < 0)
    throw new StateError(feegrantErrors.invalidDuration, 'negative clock step');
}

function requirePositive(wire: readonly WireCoin[], what: string): Coins {
  const coins = wire.map(parseCoin);
  if (problemOfCoins(coins) !== undefined)
    throw new StateError(sdkErrors.invalidCoins, `${what} is invalid: ${coinsToString(coins)}`);
  return coins;
}

/** A fee that is to be paid out of an allowance. */
export interface Spending {
  readonly fee: readonly Coin[];
  /** Type URLs of the transaction's messages. */
  readonly messages: readonly string[];
}

/**
 * Takes a fee out of an allowance.
 * @returns what is left of it; undefined when it is used up
 * @throws StateError (feegrant 2, 3, 7) when it is not enough, has expired, or is not for such messages
 */
export function spend(context: ReadContext, allowance: Allowance, spending: Spending): Allowance | undefined {
  const fee = normalizeCoins(spending.fee);
  switch (allowance.kind) {
    case 'basic':
      return spendBasic(context, allowance.value, fee);
    case 'periodic':
      return spendPeriodic(context, allowance.value, fee);
    case 'allowed-messages': {
      requireAllowedMessages(context, allowance.value.allowedMessages, spending.messages);
      const inner = spend(context, allowance.inner, spending);
      return inner === undefined ? undefined : { ...allowance, inner };
    }
  }
}

function spendBasic({ block }: ReadContext, basic: BasicAllowance, fee: Coins): Allowance | undefined {
  if (isOver(basic.expiration, block.time)) throw new StateError(feegrantErrors.expired, 'basic allowance');
  if (basic.spendLimit.length === 0) return { kind: 'basic', value: basic };
  const left = subtractCoins(basic.spendLimit.map(parseCoin), fee);
  if (left === undefined) throw new StateError(feegrantErrors.limitExceeded, 'basic allowance');
  if (left.length === 0) return undefined;
  return { kind: 'basic', value: { ...basic, spendLimit: coinsToWire(left) } };
}

function spendPeriodic({ block }: ReadContext, before: PeriodicAllowance, fee: Coins): Allowance | undefined {
  if (isOver(before.basic.expiration, block.time))
    throw new StateError(feegrantErrors.expired, 'absolute limit');
  const now = startPeriod(before, block.time);
  const canSpend = subtractCoins(now.periodCanSpend.map(parseCoin), fee);
  if (canSpend === undefined) throw new StateError(feegrantErrors.limitExceeded, 'period limit');
  const after = { ...now, periodCanSpend: coinsToWire(canSpend) };
  if (now.basic.spendLimit.length === 0) return { kind: 'periodic', value: after };
  const left = subtractCoins(now.basic.spendLimit.map(parseCoin), fee);
  if (left === undefined) throw new StateError(feegrantErrors.limitExceeded, 'absolute limit');
  if (left.length === 0) return undefined;
  return { kind: 'periodic', value: { ...after, basic: { ...now.basic, spendLimit: coinsToWire(left) } } };
}

/**
 * Begins a new period when the old one is over: it ends one period after the old one, or, when that has
 * passed too, one period from now.
 */
function startPeriod(allowance: PeriodicAllowance, now: Timestamp): PeriodicAllowance {
  const { basic, period, periodSpendLimit, periodReset } = allowance;
  if (compareInstants(now, periodReset) < 0) return allowance;
  const total = basic.spendLimit.map(parseCoin);
  const isLess = total.length > 0 && subtractCoins(total, periodSpendLimit.map(parseCoin)) === undefined;
  const next = later(periodReset, period);
  return {
    ...allowance,
    periodCanSpend: isLess ? basic.spendLimit : periodSpendLimit,
    periodReset: compareInstants(now, next) > 0 ? later(now, period) : next,
  };
}

/** Not later than a time can be. */
function later(time: Timestamp, { seconds, nanos }: Duration): Timestamp {
  const sum = time.nanos + nanos;
  const carry = sum >= NANOS_PER_SECOND ? 1n : 0n;
  const total = time.seconds + seconds + carry;
  return total > SECONDS_MAX
    ? { seconds: SECONDS_MAX, nanos: 0 }
    : { seconds: total, nanos: carry === 1n ? sum - NANOS_PER_SECOND : sum };
}

/** The last instant still counts. */
function isOver(expiration: Timestamp | undefined, now: Timestamp): boolean {
  return expiration !== undefined && compareInstants(expiration, now) < 0;
}

function requireAllowedMessages(
  { gas }: ReadContext,
  allowed: readonly string[],
  messages: readonly string[],
): void {
  const known = new Set<string>();
  for (const typeUrl of allowed) {
    gas.consume(MESSAGE_GAS, 'check msg');
    known.add(typeUrl);
  }
  for (const typeUrl of messages) {
    gas.consume(MESSAGE_GAS, 'check msg');
    if (!known.has(typeUrl))
      throw new StateError(feegrantErrors.messageNotAllowed, 'message does not exist in allowed messages');
  }
}
