import type { Decimal } from '../../core/decimal.ts';
import type { Address } from '../../framework/address.ts';
import type { Context } from '../../framework/context.ts';
import type { DelegationPair, StakingHooks, ValidatorIdentity } from './types.ts';

/**
 * Hooks of several modules, called in the order in which they were added. Filled while the application is
 * composed: modules that listen need staking's keeper, so staking is made before them.
 */
export class StakingHookList implements StakingHooks {
  readonly #listeners: StakingHooks[] = [];

  add(listener: StakingHooks): void {
    this.#listeners.push(listener);
  }

  afterValidatorCreated(context: Context, operator: Address): void {
    for (const listener of this.#listeners) listener.afterValidatorCreated(context, operator);
  }

  beforeValidatorModified(context: Context, operator: Address): void {
    for (const listener of this.#listeners) listener.beforeValidatorModified(context, operator);
  }

  afterValidatorRemoved(context: Context, validator: ValidatorIdentity): void {
    for (const listener of this.#listeners) listener.afterValidatorRemoved(context, validator);
  }

  afterValidatorBonded(context: Context, validator: ValidatorIdentity): void {
    for (const listener of this.#listeners) listener.afterValidatorBonded(context, validator);
  }

  afterValidatorBeginUnbonding(context: Context, validator: ValidatorIdentity): void {
    for (const listener of this.#listeners) listener.afterValidatorBeginUnbonding(context, validator);
  }

  beforeDelegationCreated(context: Context, pair: DelegationPair): void {
    for (const listener of this.#listeners) listener.beforeDelegationCreated(context, pair);
  }

  beforeDelegationSharesModified(context: Context, pair: DelegationPair): void {
    for (const listener of this.#listeners) listener.beforeDelegationSharesModified(context, pair);
  }

  beforeDelegationRemoved(context: Context, pair: DelegationPair): void {
    for (const listener of this.#listeners) listener.beforeDelegationRemoved(context, pair);
  }

  afterDelegationModified(context: Context, pair: DelegationPair): void {
    for (const listener of this.#listeners) listener.afterDelegationModified(context, pair);
  }

  beforeValidatorSlashed(context: Context, operator: Address, fraction: Decimal): void {
    for (const listener of this.#listeners) listener.beforeValidatorSlashed(context, operator, fraction);
  }
}
