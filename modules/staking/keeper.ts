import type { Decimal } from '../../core/decimal.ts';
import type { Address } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { findDelegation } from './delegations.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { bondedRatio, poolTokens } from './pools.ts';
import type { ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';
import type { StakingCore } from './ports.ts';
import { tokensOfShares } from './shares.ts';
import { slash } from './slashing.ts';
import { addressPairKey } from './state.ts';
import type {
  Delegation,
  DelegationPair,
  Offence,
  StakingKeeper,
  StakingParams,
  Validator,
} from './types.ts';
import { jailValidator, unjailValidator, validatorByKey } from './validators.ts';
import { applyValidatorSet, bondedByPower } from './valset.ts';
import { jailOthers, resetHeights } from './zero-height.ts';

/** Staking, as other modules see it. The rules are in the files beside, one for each concern. */
export class Staking implements StakingKeeper {
  readonly #core: StakingCore;

  constructor(core: StakingCore) {
    this.#core = core;
  }

  params(context: ReadContext): StakingParams {
    return this.#core.state.params.get(context) ?? DEFAULT_PARAMS;
  }

  ownsValidatorSet(context: ReadContext): boolean {
    return this.#core.state.lastTotalPower.get(context) !== undefined;
  }

  validator(context: ReadContext, operator: Address): Validator | undefined {
    return this.#core.state.validators.get(context, operator);
  }

  *validators(context: ReadContext): Generator<Validator> {
    for (const [, validator] of this.#core.state.validators.iterate(context)) yield validator;
  }

  validatorByKey(context: ReadContext, consensusAddress: Uint8Array): Validator | undefined {
    return validatorByKey(this.#core, context, consensusAddress);
  }

  delegation(context: ReadContext, pair: DelegationPair): Delegation | undefined {
    return findDelegation(this.#core, context, pair);
  }

  *delegations(context: ReadContext): Generator<Delegation> {
    for (const [, delegation] of this.#core.state.delegations.iterate(context)) yield delegation;
  }

  *delegationsOf(context: ReadContext, delegator: Address): Generator<Delegation> {
    const range = { prefix: addressPairKey.prefix(delegator) };
    for (const [, delegation] of this.#core.state.delegations.iterate(context, range)) yield delegation;
  }

  bondedByPower(context: ReadContext): Generator<Validator> {
    return bondedByPower(this.#core, context);
  }

  tokensOf(validator: Validator, shares: Decimal): Decimal {
    return tokensOfShares(validator, shares);
  }

  totalBonded(context: ReadContext): bigint {
    return poolTokens(this.#core, context).bonded;
  }

  bondedRatio(context: ReadContext): Decimal {
    return bondedRatio(this.#core, context);
  }

  lastTotalPower(context: ReadContext): bigint {
    return this.#core.state.lastTotalPower.get(context) ?? 0n;
  }

  /** Bonds those that are strongest now: at genesis, after its transactions. @returns the first set */
  applyValidatorSet(context: Context): readonly ValidatorUpdate[] {
    return applyValidatorSet(this.#core, context);
  }

  slash(context: Context, offence: Offence): bigint {
    return slash(this.#core, context, offence);
  }

  jail(context: Context, consensusAddress: Uint8Array): boolean {
    const validator = validatorByKey(this.#core, context, consensusAddress);
    if (validator === undefined || validator.jailed) return false;
    jailValidator(this.#core, context, validator);
    return true;
  }

  unjail(context: Context, consensusAddress: Uint8Array): boolean {
    const validator = validatorByKey(this.#core, context, consensusAddress);
    if (validator === undefined || !validator.jailed) return false;
    unjailValidator(this.#core, context, validator);
    return true;
  }

  /** @returns changes of the set @throws StateError see `zero-height.ts` */
  jailOthers(context: Context, allowed: readonly Address[]): readonly ValidatorUpdate[] {
    return jailOthers(this.#core, context, allowed);
  }

  /** Everything that unbonds or moves began at height 0: before an export for it. */
  resetHeights(context: Context): void {
    resetHeights(this.#core, context);
  }
}
