/**
 * Parameters have versions, from 1. An object keeps the number of those that it was made under; a version
 * is stored while an object has it.
 */
import { assert } from '../../core/errors.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { Params } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { AttributionState } from './state.ts';

type VersionState = Pick<AttributionState, 'params' | 'paramsChanges' | 'versions'>;

/** The parameters in use. */
export function currentParams(state: VersionState, context: ReadContext): Params {
  return state.params.get(context) ?? DEFAULT_PARAMS;
}

/** Their version. */
export function currentVersion(state: VersionState, context: ReadContext): bigint {
  return state.paramsChanges.peek(context) + 1n;
}

/** The parameters of a version; undefined for one that is not in use and that no object has. */
export function findParams(state: VersionState, context: ReadContext, version: bigint): Params | undefined {
  if (version === currentVersion(state, context)) return currentParams(state, context);
  return state.versions.get(context, version)?.params;
}

/** Replaces the parameters for what is made from now on. */
export function changeParams(state: VersionState, context: Context, params: Params): void {
  state.paramsChanges.next(context);
  state.params.set(context, params);
}

/** Notes an object under the parameters in use; their version. */
export function holdVersion(state: VersionState, context: Context): bigint {
  const version = currentVersion(state, context);
  const held = state.versions.get(context, version);
  const params = held?.params ?? currentParams(state, context);
  state.versions.set(context, version, { version, params, objects: (held?.objects ?? 0n) + 1n });
  return version;
}

/** The parameters that an object was made under. */
export function paramsOf(
  state: VersionState,
  context: ReadContext,
  { paramsVersion }: { readonly paramsVersion: bigint },
): Params {
  const held = state.versions.get(context, paramsVersion);
  assert(held !== undefined, 'an object names a version of parameters that is not kept');
  return held.params;
}

/** Forgets an object, and the version with its last one. */
export function releaseVersion(
  state: VersionState,
  context: Context,
  { paramsVersion }: { readonly paramsVersion: bigint },
): void {
  const held = state.versions.get(context, paramsVersion);
  assert(held !== undefined, 'an object names a version of parameters that is not kept');
  if (held.objects === 1n) state.versions.remove(context, paramsVersion);
  else state.versions.set(context, paramsVersion, { ...held, objects: held.objects - 1n });
}
