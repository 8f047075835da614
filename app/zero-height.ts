import { AssertionError } from '../core/errors.ts';
import { type BlockInfo, Context } from '../framework/context.ts';
import { StateError, sdkErrors } from '../framework/errors.ts';
import { unlimitedGas } from '../framework/gas.ts';
import type { MultiStoreBranch } from '../store/kv.ts';
import type { Composition } from './modules.ts';

/** What is prepared, and who may sign afterwards. */
export interface ZeroHeightState {
  readonly branch: MultiStoreBranch;
  /** Of the state: what still happens before the export happens then. */
  readonly block: BlockInfo;
  /** Operators (`…valoper`); empty: all. */
  readonly jailAllowed: readonly string[];
}

/**
 * Prepares a state for a chain that begins at height 0, as simapp's `prepForZeroHeightGenesis`: commissions
 * and rewards are paid, what remains of them goes to the community, validators and delegations begin anew,
 * and what refers to heights refers to 0. Heights that only tell of the past (receipts, claims,
 * contributions, evidence) stay.
 * @throws StateError (sdk 18) when the state breaks an invariant, on an operator that is none, or when nobody
 * would be left to sign
 */
export function prepareForZeroHeight(composition: Composition, state: ZeroHeightState): void {
  const { branch, block, jailAllowed } = state;
  const { consensus, distribution, slashing, staking, validatorAddresses } = composition;
  const context = new Context({ branch, block, mode: 'finalize', gas: unlimitedGas() });
  requireInvariants(composition, context);
  const allowed = jailAllowed.map((text) => {
    try {
      return validatorAddresses.toBytes(text);
    } catch (cause) {
      if (cause instanceof AssertionError) throw cause;
      throw new StateError(sdkErrors.invalidRequest, `${text} is no operator of a validator`);
    }
  });
  if (!staking.ownsValidatorSet(context)) return;
  distribution.payEverybody(context);
  const zero = { ...block, height: 0n };
  distribution.beginAnew(new Context({ branch, block: zero, mode: 'finalize', gas: unlimitedGas() }));
  const updates = staking.jailOthers(context, allowed);
  consensus.apply(context, updates);
  staking.resetHeights(context);
  slashing.resetStartHeights(context);
}

function requireInvariants({ modules }: Composition, context: Context): void {
  for (const { name, invariants } of modules)
    for (const invariant of invariants) {
      const problem = invariant.check(context);
      if (problem !== undefined)
        throw new StateError(
          sdkErrors.invalidRequest,
          `the state is broken: ${name}/${invariant.name}: ${problem}`,
        );
    }
}
