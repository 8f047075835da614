/** Events of staking: types, attributes and their order as x/staking has them. */
import { type Coin, coinToString } from '../../framework/coins.ts';
import type { Timestamp } from '../../framework/context.ts';
import { type Event, event } from '../../framework/events.ts';
import type { StakingAddresses } from './ports.ts';
import type { DelegationPair, RedelegationPath, Validator } from './types.ts';
import { formatSecond } from './wire.ts';

/** Tokens of the bond denomination. */
export interface Tokens {
  readonly denom: string;
  readonly tokens: bigint;
}

/** What a message names, as it names it. */
export interface PairTexts {
  readonly validator: string;
  readonly delegator: string;
}

/** A validator began. */
export function createdValidator(validator: string, amount: Coin): Event {
  return event('create_validator', { validator, amount: coinToString(amount) });
}

/** A validator changed what it says of itself. */
export function editedValidator({ commission, minSelfDelegation }: Validator): Event {
  return event('edit_validator', {
    commission_rate: commissionText(commission),
    min_self_delegation: minSelfDelegation.toString(),
  });
}

/** Go's text of a commission: gogoproto's compact form, in which decimals are integers of 10^-18. */
function commissionText({ rate, maxRate, maxChangeRate, updateTime }: Validator['commission']): string {
  const texts = [rate, maxRate, maxChangeRate].map((decimal) => decimal.toWire());
  const rates = `rate:"${texts[0]}" max_rate:"${texts[1]}" max_change_rate:"${texts[2]}" `;
  return `commission_rates:<${rates}> update_time:<${timeText(updateTime)}> `;
}

function timeText({ seconds, nanos }: Timestamp): string {
  const parts = [seconds === 0n ? '' : `seconds:${seconds} `, nanos === 0 ? '' : `nanos:${nanos} `];
  return parts.join('');
}

/** Coins were delegated. */
export function delegated(texts: PairTexts, amount: Coin, newShares: string): Event {
  const { validator, delegator } = texts;
  return event('delegate', { validator, delegator, amount: coinToString(amount), new_shares: newShares });
}

/** Stake began to move. */
export function redelegated(
  texts: { readonly source: string; readonly destination: string },
  amount: Coin,
  completionTime: Timestamp,
): Event {
  return event('redelegate', {
    source_validator: texts.source,
    destination_validator: texts.destination,
    amount: coinToString(amount),
    completion_time: formatSecond(completionTime),
  });
}

/** Stake began to unbond. */
export function unbonded(texts: PairTexts, amount: Coin, completionTime: Timestamp): Event {
  const { validator, delegator } = texts;
  return event('unbond', {
    validator,
    delegator,
    amount: coinToString(amount),
    completion_time: formatSecond(completionTime),
  });
}

/** What was unbonding is delegated again. */
export function cancelledUnbonding(texts: PairTexts, amount: Coin, creationHeight: bigint): Event {
  const { validator, delegator } = texts;
  return event('cancel_unbonding_delegation', {
    amount: coinToString(amount),
    validator,
    delegator,
    creation_height: creationHeight.toString(),
  });
}

/** What was unbonding has been paid out. */
export function completedUnbonding(
  { delegator, validator }: DelegationPair,
  paid: Tokens,
  addresses: StakingAddresses,
): Event {
  return event('complete_unbonding', {
    amount: amountText(paid),
    validator: addresses.validators.toText(validator),
    delegator: addresses.accounts.toText(delegator),
  });
}

/** What was moved can no longer be slashed for where it came from. */
export function completedRedelegation(
  { delegator, source, destination }: RedelegationPath,
  moved: Tokens,
  { accounts, validators }: StakingAddresses,
): Event {
  return event('complete_redelegation', {
    amount: amountText(moved),
    delegator: accounts.toText(delegator),
    source_validator: validators.toText(source),
    destination_validator: validators.toText(destination),
  });
}

/** Coins without zeros. */
function amountText({ denom, tokens }: Tokens): string {
  return tokens === 0n ? '' : coinToString({ denom, amount: tokens });
}
