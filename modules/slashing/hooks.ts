import type { Address } from '../../framework/address.ts';
import type { Context } from '../../framework/context.ts';
import type { StakingHooks, ValidatorIdentity } from '../staking/types.ts';
import { signingInfoOf } from './liveness.ts';
import type { SlashingCore } from './ports.ts';

/** What slashing notes when validators come, are bonded and go. */
export function slashingHooks(k: SlashingCore): StakingHooks {
  return {
    afterValidatorCreated(context: Context, operator: Address): void {
      const key = k.staking.validator(context, operator)?.consensusKey;
      if (key !== undefined) k.state.publicKeys.set(context, key.address, key.any);
    },
    afterValidatorBonded(context: Context, { consensusAddress }: ValidatorIdentity): void {
      const info = signingInfoOf(k, context, consensusAddress);
      const { height } = context.block;
      k.state.signingInfos.set(context, consensusAddress, { ...info, startHeight: height });
    },
    afterValidatorRemoved(context: Context, { consensusAddress }: ValidatorIdentity): void {
      k.state.publicKeys.remove(context, consensusAddress);
    },
    afterValidatorBeginUnbonding: ignore,
    beforeValidatorModified: ignore,
    beforeValidatorSlashed: ignore,
    beforeDelegationCreated: ignore,
    beforeDelegationSharesModified: ignore,
    beforeDelegationRemoved: ignore,
    afterDelegationModified: ignore,
  };
}

function ignore(): void {}
