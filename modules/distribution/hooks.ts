import type { Decimal } from '../../core/decimal.ts';
import type { Address } from '../../framework/address.ts';
import type { Context } from '../../framework/context.ts';
import type { DelegationPair, StakingHooks, ValidatorIdentity } from '../staking/types.ts';
import { forgetValidator } from './commission.ts';
import { beginDelegation, endDelegation, requireValidator, stakeOf } from './delegations.ts';
import { endPeriod, initializeValidator, recordSlash } from './periods.ts';
import type { DistributionCore } from './ports.ts';

/** What distribution does when validators and delegations change. After x/distribution `keeper/hooks.go`. */
export class DistributionHooks implements StakingHooks {
  readonly #core: DistributionCore;

  constructor(core: DistributionCore) {
    this.#core = core;
  }

  afterValidatorCreated(context: Context, operator: Address): void {
    initializeValidator(this.#core, context, operator);
  }

  beforeValidatorModified(): void {}

  afterValidatorRemoved(context: Context, { operator }: ValidatorIdentity): void {
    forgetValidator(this.#core, context, operator);
  }

  afterValidatorBonded(): void {}

  afterValidatorBeginUnbonding(): void {}

  beforeDelegationCreated(context: Context, { validator }: DelegationPair): void {
    endPeriod(this.#core, context, requireValidator(this.#core, context, validator));
  }

  beforeDelegationSharesModified(context: Context, pair: DelegationPair): void {
    endDelegation(this.#core, context, stakeOf(this.#core, context, pair));
  }

  beforeDelegationRemoved(): void {}

  afterDelegationModified(context: Context, pair: DelegationPair): void {
    beginDelegation(this.#core, context, pair);
  }

  beforeValidatorSlashed(context: Context, operator: Address, fraction: Decimal): void {
    const validator = requireValidator(this.#core, context, operator);
    recordSlash(this.#core, context, { validator, fraction });
  }
}
