/** Tokens on their way back to an account: they wait for the unbonding time and can be slashed until then. */
import type { Decimal } from '../../core/decimal.ts';
import { addDuration, compareInstants } from '../../core/time.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { delegate, unbond } from './delegations.ts';
import { stakingErrors } from './errors.ts';
import { bondCoins, moveTokens, NOT_BONDED_POOL } from './pools.ts';
import type { StakingCore } from './ports.ts';
import type { DelegationPair, UnbondingDelegation, UnbondingEntry, Validator } from './types.ts';
import { nextUnbondingId, requireValidator } from './validators.ts';

/** What a pair has under way. */
export function findUnbonding(
  k: StakingCore,
  context: ReadContext,
  { delegator, validator }: DelegationPair,
): UnbondingDelegation | undefined {
  return k.state.unbondings.get(context, [delegator, validator]);
}

/** Writes it with its index, or removes both when no entry is left. */
export function setUnbonding(k: StakingCore, context: Context, unbonding: UnbondingDelegation): void {
  const { delegator, validator, entries } = unbonding;
  if (entries.length > 0) {
    k.state.unbondings.set(context, [delegator, validator], unbonding);
    k.state.unbondingIndex.add(context, [validator, delegator]);
  } else {
    k.state.unbondings.remove(context, [delegator, validator]);
    k.state.unbondingIndex.remove(context, [validator, delegator]);
  }
}

/** Notes when a pair has something to be paid out. */
export function enqueueUnbonding(
  k: StakingCore,
  context: Context,
  due: { readonly pair: DelegationPair; readonly at: Timestamp },
): void {
  const { delegator, validator } = due.pair;
  const queued = k.state.unbondingQueue.get(context, due.at) ?? [];
  k.state.unbondingQueue.set(context, due.at, [...queued, { delegator, validator }]);
}

/** When what begins to unbond now is done. */
export function unbondingEnd(k: StakingCore, context: ReadContext): Timestamp {
  return addDuration(context.block.time, k.state.params.require(context).unbondingTime);
}

/** What a message that takes tokens away reports. */
export interface Undelegated {
  readonly completionTime: Timestamp;
  readonly tokens: bigint;
}

/**
 * Takes shares back from a validator.
 * @throws StateError (staking 27) when the pair has as many entries as it may
 */
export function undelegate(
  k: StakingCore,
  context: Context,
  order: DelegationPair & { readonly shares: Decimal },
): Undelegated {
  const { status } = requireValidator(k, context, order.validator);
  const entries = findUnbonding(k, context, order)?.entries ?? [];
  if (entries.length >= k.state.params.require(context).maxEntries)
    throw new StateError(stakingErrors.maxUnbondingDelegationEntries);
  const tokens = unbond(k, context, order);
  moveTokens(k, context, { from: status, to: 'unbonding', tokens });
  const completionTime = unbondingEnd(k, context);
  const pair = { delegator: order.delegator, validator: order.validator };
  addEntry(k, context, { pair, completionTime, tokens });
  enqueueUnbonding(k, context, { pair, at: completionTime });
  return { completionTime, tokens };
}

/** What was begun in the same block is one entry. */
function addEntry(
  k: StakingCore,
  context: Context,
  added: Undelegated & { readonly pair: DelegationPair },
): void {
  const { pair, completionTime, tokens } = added;
  const { height } = context.block;
  const unbondingId = nextUnbondingId(k, context);
  const entries = findUnbonding(k, context, pair)?.entries ?? [];
  const same = entries.findIndex(
    (entry) => entry.creationHeight === height && compareInstants(entry.completionTime, completionTime) === 0,
  );
  const fresh: UnbondingEntry = {
    creationHeight: height,
    completionTime,
    initialBalance: tokens,
    balance: tokens,
    unbondingId,
  };
  const after =
    same < 0 ? [...entries, fresh] : entries.map((entry, i) => (i === same ? grown(entry, tokens) : entry));
  setUnbonding(k, context, { ...pair, entries: after });
}

function grown(entry: UnbondingEntry, tokens: bigint): UnbondingEntry {
  return {
    ...entry,
    initialBalance: entry.initialBalance + tokens,
    balance: entry.balance + tokens,
  };
}

/** True when an entry's time has come. */
export function isMature(entry: { readonly completionTime: Timestamp }, { block }: ReadContext): boolean {
  return compareInstants(entry.completionTime, block.time) <= 0;
}

/**
 * Pays out what is due to a pair.
 * @returns tokens paid; undefined when the pair has nothing under way (it was cancelled)
 */
export function completeUnbonding(
  k: StakingCore,
  context: Context,
  pair: DelegationPair,
): bigint | undefined {
  const unbonding = findUnbonding(k, context, pair);
  if (unbonding === undefined) return undefined;
  let paid = 0n;
  for (const entry of unbonding.entries) {
    if (!isMature(entry, context) || entry.balance === 0n) continue;
    const coins = bondCoins(k, context, entry.balance);
    k.bank.undelegate(context, { module: NOT_BONDED_POOL, to: pair.delegator, coins });
    paid += entry.balance;
  }
  const entries = unbonding.entries.filter((entry) => !isMature(entry, context));
  setUnbonding(k, context, { ...unbonding, entries });
  return paid;
}

/** An entry that is to be delegated again, in whole or in part. */
export interface Cancellation {
  readonly validator: Validator;
  readonly unbonding: UnbondingDelegation;
  /** Place of the entry. */
  readonly index: number;
  readonly tokens: bigint;
}

/**
 * What a cancellation would do.
 * @throws StateError (sdk 38, 18) when there is no such entry, or too little in it, or it is done
 */
export function planCancellation(
  context: ReadContext,
  order: {
    readonly validator: Validator;
    readonly unbonding: UnbondingDelegation;
    readonly creationHeight: bigint;
    readonly tokens: bigint;
  },
): Cancellation {
  const { validator, unbonding, creationHeight, tokens } = order;
  const index = unbonding.entries.findIndex((entry) => entry.creationHeight === creationHeight);
  const entry = unbonding.entries[index];
  if (entry === undefined)
    throw new StateError(
      sdkErrors.notFound,
      `unbonding delegation entry is not found at block height ${creationHeight}`,
    );
  if (entry.balance < tokens)
    throw new StateError(
      sdkErrors.invalidRequest,
      'amount is greater than the unbonding delegation entry balance',
    );
  if (compareInstants(entry.completionTime, context.block.time) < 0)
    throw new StateError(sdkErrors.invalidRequest, 'unbonding delegation is already processed');
  return { validator, unbonding, index, tokens };
}

/** Delegates tokens that were on their way back. */
export function cancelUnbonding(k: StakingCore, context: Context, planned: Cancellation): void {
  const { validator, unbonding, index, tokens } = planned;
  delegate(k, context, { delegator: unbonding.delegator, validator, tokens, source: 'unbonding' });
  const entries = unbonding.entries.flatMap((entry, i) => {
    if (i !== index) return [entry];
    const balance = entry.balance - tokens;
    return balance === 0n ? [] : [{ ...entry, balance, initialBalance: entry.initialBalance - tokens }];
  });
  setUnbonding(k, context, { ...unbonding, entries });
}
