/** Stake that moves from one validator to another without waiting, and can still be slashed for the first. */
import type { Decimal } from '../../core/decimal.ts';
import { equalBytes } from '../../core/bytes.ts';
import type { Address } from '../../framework/address.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { delegate, unbond } from './delegations.ts';
import { stakingErrors } from './errors.ts';
import type { StakingCore } from './ports.ts';
import { addressTripleKey } from './state.ts';
import type { Redelegation, RedelegationEntry, RedelegationPath, Validator } from './types.ts';
import { isMature, unbondingEnd } from './unbonding.ts';
import { nextUnbondingId } from './validators.ts';

/** Go's zero time, 0001-01-01: what a redelegation that is done at once reports. */
const ZERO_TIME: Timestamp = { seconds: -62_135_596_800n, nanos: 0 };

/** What moves along a path. */
export function findRedelegation(
  k: StakingCore,
  context: ReadContext,
  { delegator, source, destination }: RedelegationPath,
): Redelegation | undefined {
  return k.state.redelegations.get(context, [delegator, source, destination]);
}

/** Writes it with its indexes, or removes all when no entry is left. */
export function setRedelegation(k: StakingCore, context: Context, redelegation: Redelegation): void {
  const { delegator, source, destination, entries } = redelegation;
  const { redelegations, redelegationsBySource, redelegationsByDestination } = k.state;
  if (entries.length > 0) {
    redelegations.set(context, [delegator, source, destination], redelegation);
    redelegationsBySource.add(context, [source, delegator, destination]);
    redelegationsByDestination.add(context, [destination, delegator, source]);
  } else {
    redelegations.remove(context, [delegator, source, destination]);
    redelegationsBySource.remove(context, [source, delegator, destination]);
    redelegationsByDestination.remove(context, [destination, delegator, source]);
  }
}

/** Notes when a path has something that is done. */
export function enqueueRedelegation(
  k: StakingCore,
  context: Context,
  due: { readonly path: RedelegationPath; readonly at: Timestamp },
): void {
  const { delegator, source, destination } = due.path;
  const queued = k.state.redelegationQueue.get(context, due.at) ?? [];
  k.state.redelegationQueue.set(context, due.at, [...queued, { delegator, source, destination }]);
}

/**
 * Moves shares to another validator.
 * @returns when it can no longer be slashed for the first
 * @throws StateError (staking 29 to 33) as x/staking
 */
export function beginRedelegation(
  k: StakingCore,
  context: Context,
  order: RedelegationPath & { readonly shares: Decimal },
): Timestamp {
  const { delegator, source, destination, shares } = order;
  const path = { delegator, source, destination };
  const { from, to } = validatorsOf(k, context, path);
  const tokens = unbond(k, context, { delegator, validator: source, shares });
  if (tokens === 0n) throw new StateError(stakingErrors.tinyRedelegationAmount);
  const sharesDst = delegate(k, context, { delegator, validator: to, tokens, source: from.status });
  const end = endOfRedelegation(k, context, source);
  if (end === undefined) return ZERO_TIME;
  const entry = { ...end, initialBalance: tokens, sharesDst, unbondingId: nextUnbondingId(k, context) };
  const entries: readonly RedelegationEntry[] = findRedelegation(k, context, path)?.entries ?? [];
  setRedelegation(k, context, { ...path, entries: [...entries, entry] });
  enqueueRedelegation(k, context, { path, at: end.completionTime });
  return end.completionTime;
}

function validatorsOf(
  k: StakingCore,
  context: ReadContext,
  path: RedelegationPath,
): { readonly from: Validator; readonly to: Validator } {
  const { delegator, source, destination } = path;
  if (equalBytes(source, destination)) throw new StateError(stakingErrors.selfRedelegation);
  const to = k.state.validators.get(context, destination);
  if (to === undefined) throw new StateError(stakingErrors.badRedelegationDst);
  const from = k.state.validators.get(context, source);
  if (from === undefined) throw new StateError(stakingErrors.noValidatorFound);
  if (receives(k, context, { delegator, validator: source }))
    throw new StateError(stakingErrors.transitiveRedelegation);
  const entries = findRedelegation(k, context, path)?.entries ?? [];
  if (entries.length > 0 && entries.length >= k.state.params.require(context).maxEntries)
    throw new StateError(stakingErrors.maxRedelegationEntries);
  return { from, to };
}

/** True when what the account has with the validator came, in part, from another one lately. */
function receives(
  k: StakingCore,
  context: ReadContext,
  pair: { readonly delegator: Address; readonly validator: Address },
): boolean {
  const prefix = addressTripleKey.prefix2(pair.validator, pair.delegator);
  for (const _ of k.state.redelegationsByDestination.iterate(context, { prefix })) return true;
  return false;
}

/** Since when the source's stake can be punished, and how long; undefined when it no longer can. */
function endOfRedelegation(
  k: StakingCore,
  context: ReadContext,
  source: Address,
): { readonly creationHeight: bigint; readonly completionTime: Timestamp } | undefined {
  const validator = k.state.validators.get(context, source);
  if (validator?.status === 'unbonding')
    return { creationHeight: validator.unbondingHeight, completionTime: validator.unbondingTime };
  if (validator?.status === 'unbonded') return undefined;
  // Bonded; or the last delegation of an unbonded one has just gone, and it with that.
  return { creationHeight: context.block.height, completionTime: unbondingEnd(k, context) };
}

/**
 * Forgets what is done along a path.
 * @returns tokens that were moved; undefined when nothing is under way
 */
export function completeRedelegation(
  k: StakingCore,
  context: Context,
  path: RedelegationPath,
): bigint | undefined {
  const redelegation = findRedelegation(k, context, path);
  if (redelegation === undefined) return undefined;
  const mature = redelegation.entries.filter((entry) => isMature(entry, context));
  const entries = redelegation.entries.filter((entry) => !isMature(entry, context));
  setRedelegation(k, context, { ...redelegation, entries });
  return mature.reduce((sum, { initialBalance }) => sum + initialBalance, 0n);
}
