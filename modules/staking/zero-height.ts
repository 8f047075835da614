/** What staking does before its state is exported for a chain that begins at height 0. */
import { latin1, type Address } from '../../framework/address.ts';
import type { Context } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';
import type { StakingCore } from './ports.ts';
import { setRedelegation } from './redelegations.ts';
import { setUnbonding } from './unbonding.ts';
import { jailValidator, requireValidator, setValidator } from './validators.ts';
import { applyValidatorSet } from './valset.ts';

/**
 * Jails every validator that is not among the allowed ones and makes the set of those that are left. Unlike
 * simapp, which leaves a jailed one in the index of powers and then fails over it, this takes it out.
 * @param allowed operators; empty: all of them
 * @returns changes of the set
 * @throws StateError (staking 3) when an allowed one is not there, (sdk 18) when nobody would be left to sign
 */
export function jailOthers(
  k: StakingCore,
  context: Context,
  allowed: readonly Address[],
): readonly ValidatorUpdate[] {
  const kept = new Set(allowed.map((operator) => latin1(requireValidator(k, context, operator).operator)));
  if (kept.size > 0)
    for (const [operator, validator] of [...k.state.validators.iterate(context)])
      if (!validator.jailed && !kept.has(latin1(operator))) jailValidator(k, context, validator);
  const updates = applyValidatorSet(k, context);
  for (const [operator] of k.state.lastPowers.iterate(context))
    if (!requireValidator(k, context, operator).jailed) return updates;
  throw new StateError(sdkErrors.invalidRequest, 'no validator that is not jailed would be left to sign');
}

/** Everything that unbonds or moves began at height 0. */
export function resetHeights(k: StakingCore, context: Context): void {
  const { validators, unbondings, redelegations } = k.state;
  for (const [, held] of [...redelegations.iterate(context)])
    setRedelegation(k, context, { ...held, entries: held.entries.map(begunAtZero) });
  for (const [, held] of [...unbondings.iterate(context)])
    setUnbonding(k, context, { ...held, entries: held.entries.map(begunAtZero) });
  for (const [, validator] of [...validators.iterate(context)])
    setValidator(k, context, { ...validator, unbondingHeight: 0n });
}

function begunAtZero<T extends { readonly creationHeight: bigint }>(entry: T): T {
  return { ...entry, creationHeight: 0n };
}
