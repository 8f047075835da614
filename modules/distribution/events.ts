/** Events of distribution: types, attributes and their order as x/distribution has them. */
import { type Event, event } from '../../framework/events.ts';

/** A validator's part of what it earned was added to its commission. */
export function commissionAllocated(amount: string, validator: string): Event {
  return event('commission', { amount, validator });
}

/** A validator and its delegators earned something. */
export function rewardsAllocated(amount: string, validator: string): Event {
  return event('rewards', { amount, validator });
}

/** A delegator was paid. */
export function rewardsWithdrawn(paid: {
  readonly amount: string;
  readonly validator: string;
  readonly delegator: string;
}): Event {
  const { amount, validator, delegator } = paid;
  return event('withdraw_rewards', { amount, validator, delegator });
}

/** A validator was paid its commission. */
export function commissionWithdrawn(amount: string): Event {
  return event('withdraw_commission', { amount });
}

/** Rewards go elsewhere from now on. */
export function withdrawAddressSet(withdrawAddress: string): Event {
  return event('set_withdraw_address', { withdraw_address: withdrawAddress });
}
