/** Fields of messages, with the complaints of x/staking. */
import { Decimal } from '../../core/decimal.ts';
import { messageOf } from '../../core/errors.ts';
import type { Address } from '../../framework/address.ts';
import { type Coin, isDenom, parseAmount, type WireCoin } from '../../framework/coins.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { StakingAddresses } from './ports.ts';

/** A request that makes no sense (sdk 18). */
export function invalidRequest(detail: string): StateError {
  return new StateError(sdkErrors.invalidRequest, detail);
}

/** @throws StateError (sdk 7) */
export function operatorOf({ validators }: StakingAddresses, text: string, role: string): Address {
  try {
    return validators.toBytes(text);
  } catch (error) {
    throw new StateError(sdkErrors.invalidAddress, `invalid ${role} address: ${messageOf(error)}`);
  }
}

/** @throws StateError (sdk 7) */
export function accountOf({ accounts }: StakingAddresses, text: string): Address {
  try {
    return accounts.toBytes(text);
  } catch (error) {
    throw new StateError(sdkErrors.invalidAddress, `invalid delegator address: ${messageOf(error)}`);
  }
}

/** @throws StateError (sdk 18) with that problem when it is not a positive amount of a denomination */
export function positiveCoin({ denom, amount }: WireCoin, problem: string): Coin {
  const value = amountOrZero(amount);
  if (!isDenom(denom) || value <= 0n) throw invalidRequest(problem);
  return { denom, amount: value };
}

/** What the text says; zero when it says nothing. */
export function amountOrZero(text: string): bigint {
  return text === '' ? 0n : parseAmount(text);
}

/** A decimal as messages carry it. @throws StateError (sdk 18) */
export function decimalOf(text: string, name: string): Decimal {
  try {
    return Decimal.ofWire(text);
  } catch (error) {
    throw invalidRequest(`invalid ${name}: ${messageOf(error)}`);
  }
}
