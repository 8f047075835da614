/** Plans: one at most is waiting; those that were carried out are noted by height and name. */
import { compareInstants } from '../../core/time.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import type { UpgradeCore } from './ports.ts';

/** Go's zero time, 0001-01-01: what a plan that has none is stored with. */
const ZERO_TIME: Timestamp = { seconds: -62_135_596_800n, nanos: 0 };
/** A missing time is read as this one; the SDK tells them apart and refuses it. */
const EPOCH: Timestamp = { seconds: 0n, nanos: 0 };

/**
 * Checks a plan by itself.
 * @throws StateError (sdk 18)
 */
function validatePlan({ time, upgradedClientState, name, height }: Plan): void {
  const refuse = (problem: string): StateError => new StateError(sdkErrors.invalidRequest, problem);
  if (compareInstants(time, ZERO_TIME) !== 0 && compareInstants(time, EPOCH) !== 0)
    throw refuse('time-based upgrades have been deprecated in the SDK');
  if (upgradedClientState !== undefined)
    throw refuse('upgrade logic for IBC has been moved to the IBC module');
  if (name === '') throw refuse('name cannot be empty');
  if (height <= 0n) throw refuse('height must be greater than 0');
}

/**
 * Whether a plan may be made now.
 * @returns it as it is stored
 * @throws StateError (sdk 18)
 */
export function checkPlan(k: UpgradeCore, context: ReadContext, given: Plan): Plan {
  validatePlan(given);
  if (given.height < context.block.height)
    throw new StateError(sdkErrors.invalidRequest, 'upgrade cannot be scheduled in the past');
  if (doneHeight(k, context, given.name) !== 0n)
    throw new StateError(
      sdkErrors.invalidRequest,
      `upgrade with name ${given.name} has already been completed`,
    );
  return { ...given, time: ZERO_TIME };
}

/** Makes it the one that waits, in the place of another. */
export function schedulePlan(k: UpgradeCore, context: Context, plan: Plan): void {
  const before = k.state.plan.get(context);
  if (before !== undefined) clearIbcState(k, context, before.height);
  k.state.plan.set(context, plan);
}

/** Forgets the one that waits, if any. */
export function clearPlan(k: UpgradeCore, context: Context): void {
  const before = k.state.plan.get(context);
  if (before === undefined) return;
  clearIbcState(k, context, before.height);
  k.state.plan.remove(context);
}

/** Height at which an upgrade was carried out; 0 when it was not. */
export function doneHeight(k: UpgradeCore, context: ReadContext, name: string): bigint {
  for (const [[height, done]] of k.state.done.iterate(context)) if (done === name) return height;
  return 0n;
}

/** Name of the upgrade that was carried out last. */
export function lastDone(k: UpgradeCore, context: ReadContext): string | undefined {
  for (const [[, name]] of k.state.done.iterate(context, { reverse: true })) return name;
  return undefined;
}

/** Forgets what was prepared for chains that follow this one. */
export function clearIbcState(k: UpgradeCore, context: Context, height: bigint): void {
  k.state.upgradedIbcState.remove(context, `${height}/upgradedClient`);
  k.state.upgradedIbcState.remove(context, `${height}/upgradedConsState`);
}
