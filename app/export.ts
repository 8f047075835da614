/**
 * The state of a height as the parts of a genesis document from which another chain, or this one after a
 * change of its rules, begins.
 */
import { Context, type BlockInfo } from '../framework/context.ts';
import { StateError, sdkErrors } from '../framework/errors.ts';
import { unlimitedGas } from '../framework/gas.ts';
import type { JsonObject } from '../framework/json.ts';
import type { ConsensusKey } from '../modules/consensus/keys.ts';
import type { ConsensusParams } from '../proto/gen/tendermint/types/params.ts';
import type { MultiStoreBranch } from '../store/kv.ts';
import { exportModules } from './genesis.ts';
import type { Composition } from './modules.ts';
import { prepareForZeroHeight } from './zero-height.ts';

/** What is exported, and for what. */
export interface ExportOptions {
  /** Default: the last commit's. */
  readonly height?: bigint;
  /** For a chain that begins at height 0: pays out rewards and resets what refers to heights. */
  readonly forZeroHeight?: boolean;
  /**
   * Operators (`…valoper`) that stay out of jail in an export for height 0; all others are jailed. Empty or
   * missing: nobody is.
   */
  readonly jailAllowed?: readonly string[];
  /** Names; empty or missing: all. */
  readonly modules?: readonly string[];
}

/** A validator as the document lists it. */
export interface ExportedValidator {
  /** 20 bytes, of the key. */
  readonly address: Uint8Array;
  readonly pubKey: ConsensusKey;
  readonly power: bigint;
  /** Its moniker; empty where staking does not know the validator. */
  readonly name: string;
}

/** What `export` says: the parts of the document that come from the state. */
export interface ExportedState {
  readonly appState: JsonObject;
  readonly validators: readonly ExportedValidator[];
  readonly consensusParams: ConsensusParams;
  /** The height after the exported one; 0 for an export for height 0. */
  readonly initialHeight: bigint;
}

/**
 * Exports a state. The branch is written to and then dropped.
 * @throws StateError (sdk 18) on a module that there is not, and what `prepareForZeroHeight` throws
 */
export function exportState(
  composition: Composition,
  state: { readonly branch: MultiStoreBranch; readonly block: BlockInfo },
  options: ExportOptions = {},
): ExportedState {
  const { branch, block } = state;
  const modules = selectModules(composition, options.modules ?? []);
  const { forZeroHeight = false, jailAllowed = [] } = options;
  if (jailAllowed.length > 0 && !forZeroHeight)
    throw new StateError(sdkErrors.invalidRequest, 'validators are jailed only for height 0');
  if (forZeroHeight) prepareForZeroHeight(composition, { branch, block, jailAllowed });
  const context = new Context({ branch, block, mode: 'query', gas: unlimitedGas() });
  return {
    appState: exportModules(modules, context),
    validators: exportValidators(composition, context),
    consensusParams: composition.consensus.params(context),
    initialHeight: forZeroHeight ? 0n : block.height + 1n,
  };
}

function selectModules({ modules }: Composition, names: readonly string[]): Composition['modules'] {
  for (const name of names)
    if (!modules.some((module) => module.name === name))
      throw new StateError(sdkErrors.invalidRequest, `module ${name} not found`);
  return names.length === 0 ? modules : modules.filter(({ name }) => names.includes(name));
}

function exportValidators(
  { consensus, staking }: Composition,
  context: Context,
): readonly ExportedValidator[] {
  return consensus.validators(context).map((validator) => ({
    ...validator,
    name: staking.validatorByKey(context, validator.address)?.description.moniker ?? '',
  }));
}
