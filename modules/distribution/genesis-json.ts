/** Rewards and their kin in a genesis document, in x/distribution's shape. */
import { Decimal } from '../../core/decimal.ts';
import type { Address } from '../../framework/address.ts';
import { type DecCoins, decCoinsFromJson, decCoinsToJson } from '../../framework/dec-coins.ts';
import type { JsonObject, JsonReader } from '../../framework/json.ts';
import { addressFromJson, decimalFromJson, smallFromJson } from '../../framework/json-fields.ts';
import type { DistributionAddresses } from './ports.ts';
import type { CurrentRewards, HistoricalRewards, SlashEvent, StartingInfo } from './types.ts';

/** Something of a validator. */
export interface OfValidator<T> {
  readonly operator: Address;
  readonly value: T;
}

/** What is kept of a period. */
export interface HistoricalRecord extends OfValidator<HistoricalRewards> {
  readonly period: bigint;
}

/** Where a delegation began. */
export interface StartingRecord extends OfValidator<StartingInfo> {
  readonly delegator: Address;
}

/** A slash with its height. */
export interface SlashRecord extends OfValidator<SlashEvent> {
  readonly height: bigint;
}

/** Where an account wants its rewards. */
export interface WithdrawRecord {
  readonly delegator: Address;
  readonly to: Address;
}

type Read<T> = (json: JsonReader, addresses: DistributionAddresses) => T;

const operatorOf: Read<Address> = (json, { validators }) =>
  addressFromJson(json.member('validator_address'), validators);

const delegatorOf: Read<Address> = (json, { accounts }) =>
  addressFromJson(json.member('delegator_address'), accounts);

function operatorJson(operator: Address, { validators }: DistributionAddresses): JsonObject {
  return { validator_address: validators.toText(operator) };
}

/** A withdraw address as the document has it. */
export function withdrawToJson({ delegator, to }: WithdrawRecord, a: DistributionAddresses): JsonObject {
  return { delegator_address: a.accounts.toText(delegator), withdraw_address: a.accounts.toText(to) };
}

/** @throws JsonError naming the path */
export const withdrawFromJson: Read<WithdrawRecord> = (json, addresses) => {
  json.onlyMembers('delegator_address', 'withdraw_address');
  return {
    delegator: delegatorOf(json, addresses),
    to: addressFromJson(json.member('withdraw_address'), addresses.accounts),
  };
};

/** Outstanding rewards as the document has them. */
export function outstandingToJson(
  { operator, value }: OfValidator<DecCoins>,
  addresses: DistributionAddresses,
): JsonObject {
  return { ...operatorJson(operator, addresses), outstanding_rewards: decCoinsToJson(value) };
}

/** @throws JsonError naming the path */
export const outstandingFromJson: Read<OfValidator<DecCoins>> = (json, addresses) => {
  json.onlyMembers('validator_address', 'outstanding_rewards');
  const value = decCoinsFromJson(json.member('outstanding_rewards'));
  return { operator: operatorOf(json, addresses), value };
};

/** A commission as the document has it. */
export function commissionToJson(
  { operator, value }: OfValidator<DecCoins>,
  addresses: DistributionAddresses,
): JsonObject {
  return { ...operatorJson(operator, addresses), accumulated: { commission: decCoinsToJson(value) } };
}

/** @throws JsonError naming the path */
export const commissionFromJson: Read<OfValidator<DecCoins>> = (json, addresses) => {
  json.onlyMembers('validator_address', 'accumulated');
  const accumulated = json.member('accumulated');
  accumulated.onlyMembers('commission');
  return {
    operator: operatorOf(json, addresses),
    value: decCoinsFromJson(accumulated.member('commission')),
  };
};

/** A past period as the document has it. */
export function historicalToJson(record: HistoricalRecord, addresses: DistributionAddresses): JsonObject {
  const { cumulativeRatio, referenceCount } = record.value;
  return {
    ...operatorJson(record.operator, addresses),
    period: record.period.toString(),
    rewards: { cumulative_reward_ratio: decCoinsToJson(cumulativeRatio), reference_count: referenceCount },
  };
}

/** @throws JsonError naming the path */
export const historicalFromJson: Read<HistoricalRecord> = (json, addresses) => {
  json.onlyMembers('validator_address', 'period', 'rewards');
  const rewards = json.member('rewards');
  rewards.onlyMembers('cumulative_reward_ratio', 'reference_count');
  return {
    operator: operatorOf(json, addresses),
    period: json.member('period').uint64(),
    value: {
      cumulativeRatio: decCoinsFromJson(rewards.member('cumulative_reward_ratio')),
      referenceCount: smallFromJson(rewards.member('reference_count')),
    },
  };
};

/** A period under way as the document has it. */
export function currentToJson(
  { operator, value }: OfValidator<CurrentRewards>,
  addresses: DistributionAddresses,
): JsonObject {
  return {
    ...operatorJson(operator, addresses),
    rewards: { rewards: decCoinsToJson(value.rewards), period: value.period.toString() },
  };
}

/** @throws JsonError naming the path */
export const currentFromJson: Read<OfValidator<CurrentRewards>> = (json, addresses) => {
  json.onlyMembers('validator_address', 'rewards');
  const rewards = json.member('rewards');
  rewards.onlyMembers('rewards', 'period');
  const period = rewards.member('period').uint64();
  if (period === 0n) rewards.member('period').fail('is zero: periods count from 1');
  return {
    operator: operatorOf(json, addresses),
    value: { rewards: decCoinsFromJson(rewards.member('rewards')), period },
  };
};

/** The beginning of a delegation as the document has it. */
export function startingToJson(record: StartingRecord, addresses: DistributionAddresses): JsonObject {
  const { previousPeriod, stake, height } = record.value;
  return {
    delegator_address: addresses.accounts.toText(record.delegator),
    ...operatorJson(record.operator, addresses),
    starting_info: {
      previous_period: previousPeriod.toString(),
      stake: stake.toString(),
      height: height.toString(),
    },
  };
}

/** @throws JsonError naming the path */
export const startingFromJson: Read<StartingRecord> = (json, addresses) => {
  json.onlyMembers('delegator_address', 'validator_address', 'starting_info');
  const info = json.member('starting_info');
  info.onlyMembers('previous_period', 'stake', 'height');
  const stake = decimalFromJson(info.member('stake'));
  if (stake.sign < 0) info.member('stake').fail('is negative');
  return {
    operator: operatorOf(json, addresses),
    delegator: delegatorOf(json, addresses),
    value: {
      previousPeriod: info.member('previous_period').uint64(),
      stake,
      height: info.member('height').uint64(),
    },
  };
};

/** A slash as the document has it. */
export function slashToJson(record: SlashRecord, addresses: DistributionAddresses): JsonObject {
  const { period, fraction } = record.value;
  return {
    ...operatorJson(record.operator, addresses),
    height: record.height.toString(),
    period: period.toString(),
    validator_slash_event: { validator_period: period.toString(), fraction: fraction.toString() },
  };
}

/** @throws JsonError naming the path */
export const slashFromJson: Read<SlashRecord> = (json, addresses) => {
  json.onlyMembers('validator_address', 'height', 'period', 'validator_slash_event');
  const event = json.member('validator_slash_event');
  event.onlyMembers('validator_period', 'fraction');
  const period = event.member('validator_period').uint64();
  if (json.member('period').uint64() !== period) json.member('period').fail(`the event says ${period}`);
  const fraction = decimalFromJson(event.member('fraction'));
  if (fraction.sign < 0 || fraction.greaterThan(Decimal.ONE))
    event.member('fraction').fail('is not within 0 and 1');
  return {
    operator: operatorOf(json, addresses),
    height: json.member('height').uint64(),
    value: { period, fraction },
  };
};
