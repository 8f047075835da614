/**
 * The validator set: who signs the next blocks. Once a block, the strongest `maxValidators` that are not
 * jailed and have power are bonded, all others are not. The work of a block is bounded by `maxValidators`, by
 * the last set, and by `MATURED_PER_BLOCK_MAX` for each of the queues.
 */
import { assert } from '../../core/errors.ts';
import { compareBytes } from '../../core/bytes.ts';
import { latin1 } from '../../framework/address.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import type { ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';
import type { Pair } from '../../framework/keys.ts';
import { completedRedelegation, completedUnbonding } from './events.ts';
import { bondDenom, moveTokens } from './pools.ts';
import type { StakingCore } from './ports.ts';
import { completeRedelegation } from './redelegations.ts';
import { identityOf, powerOf } from './shares.ts';
import type { Validator } from './types.ts';
import { completeUnbonding, unbondingEnd } from './unbonding.ts';
import {
  dequeueValidator,
  enqueueValidator,
  knownValidator,
  nextUnbondingId,
  removeValidator,
  setValidator,
} from './validators.ts';

/**
 * Entries of each queue after which a block begins with no further moment of it; what is due besides waits
 * for the next. So long a chain may have stood still: what became due meanwhile is done within some blocks,
 * not one. All entries of one moment are done together: they are of one block, which had room for the
 * messages that made them.
 */
export const MATURED_PER_BLOCK_MAX = 1_000;

/** What staking does at the end of a block. @returns changes of the set */
export function endBlock(k: StakingCore, context: Context): readonly ValidatorUpdate[] {
  // The set first: with an unbonding time of almost nothing a validator may leave and be done at once.
  const updates = applyValidatorSet(k, context);
  unbondMatureValidators(k, context);
  payOutMatureUnbondings(k, context);
  finishMatureRedelegations(k, context);
  return updates;
}

/**
 * Bonds and unbonds validators by their powers. When nobody at all would be left, the set stays as it is: a
 * chain that nobody signs could not be mended by a transaction.
 * @returns each validator whose power is not what consensus was told last, 0 for those that leave
 */
export function applyValidatorSet(k: StakingCore, context: Context): readonly ValidatorUpdate[] {
  const next = strongest(k, context);
  if (next.length === 0) return [];
  const last = new Map(
    [...k.state.lastPowers.iterate(context)].map(([operator, power]) => [
      latin1(operator),
      { operator, power },
    ]),
  );
  const updates: ValidatorUpdate[] = [];
  let joining = 0n;
  let total = 0n;
  for (const candidate of next) {
    const key = latin1(candidate.operator);
    if (candidate.status !== 'bonded') joining += candidate.tokens;
    const validator = candidate.status === 'bonded' ? candidate : bondValidator(k, context, candidate);
    const power = powerOf(validator);
    if (last.get(key)?.power !== power) {
      updates.push(updateOf(validator, power));
      k.state.lastPowers.set(context, validator.operator, power);
    }
    last.delete(key);
    total += power;
  }
  let leaving = 0n;
  const leavers = [...last.values()].sort((a, b) => compareBytes(a.operator, b.operator));
  for (const { operator } of leavers) {
    const validator = beginUnbonding(k, context, knownValidator(k, context, operator));
    leaving += validator.tokens;
    k.state.lastPowers.remove(context, operator);
    updates.push(updateOf(validator, 0n));
  }
  const tokens = joining - leaving;
  if (tokens > 0n) moveTokens(k, context, { from: 'unbonded', to: 'bonded', tokens });
  if (tokens < 0n) moveTokens(k, context, { from: 'bonded', to: 'unbonded', tokens: -tokens });
  if (updates.length > 0) k.state.lastTotalPower.set(context, total);
  return updates;
}

/**
 * Those that are to be the set, the strongest first. Keys of a kind that the consensus parameters no longer
 * allow are passed over: consensus would refuse them.
 */
function strongest(k: StakingCore, context: ReadContext): readonly Validator[] {
  const { maxValidators } = k.state.params.require(context);
  const kinds = k.consensus.params(context).validator?.pubKeyTypes ?? [];
  const found: Validator[] = [];
  for (const [[power], operator] of k.state.powerIndex.iterate(context, { reverse: true })) {
    if (power === 0n || found.length >= maxValidators) break;
    const validator = knownValidator(k, context, operator);
    if (kinds.includes(validator.consensusKey.kind)) found.push(validator);
  }
  return found;
}

/** An update as ABCI has it. */
export function updateOf({ consensusKey }: Validator, power: bigint): ValidatorUpdate {
  const { kind, bytes } = consensusKey;
  return {
    pubKey: {
      ed25519: kind === 'ed25519' ? bytes : undefined,
      secp256k1: kind === 'secp256k1' ? bytes : undefined,
    },
    power,
  };
}

function bondValidator(k: StakingCore, context: Context, validator: Validator): Validator {
  const bonded: Validator = { ...validator, status: 'bonded', unbondingIds: [] };
  setValidator(k, context, bonded);
  if (validator.status === 'unbonding') dequeueValidator(k, context, validator);
  k.hooks.afterValidatorBonded(context, identityOf(bonded));
  return bonded;
}

function beginUnbonding(k: StakingCore, context: Context, validator: Validator): Validator {
  assert(validator.status === 'bonded', 'a validator of the last set is not bonded');
  const unbonding: Validator = {
    ...validator,
    status: 'unbonding',
    unbondingTime: unbondingEnd(k, context),
    unbondingHeight: context.block.height,
    unbondingIds: [nextUnbondingId(k, context)],
  };
  setValidator(k, context, unbonding);
  enqueueValidator(k, context, unbonding);
  k.hooks.afterValidatorBeginUnbonding(context, identityOf(unbonding));
  return unbonding;
}

/** The moment after this one, as the end of a range of times. */
function after({ seconds, nanos }: Timestamp): Timestamp {
  return nanos === 999_999_999 ? { seconds: seconds + 1n, nanos: 0 } : { seconds, nanos: nanos + 1 };
}

/** The first moments of a queue, read before anything is written. */
function upToBudget<K, T>(
  queue: Iterable<readonly [K, readonly T[]]>,
  isDue: (key: K) => boolean = () => true,
): readonly (readonly [K, readonly T[]])[] {
  const taken: (readonly [K, readonly T[]])[] = [];
  let entries = 0;
  for (const [key, listed] of queue) {
    if (!isDue(key)) continue;
    taken.push([key, listed]);
    entries += listed.length;
    if (entries >= MATURED_PER_BLOCK_MAX) break;
  }
  return taken;
}

function unbondMatureValidators(k: StakingCore, context: Context): void {
  const { time, height } = context.block;
  const queued = k.state.validatorQueue.iterate(context, { end: [after(time), 0n] });
  // An entry of a later height waits for it, though its time has come.
  for (const [at, operators] of upToBudget(queued, (at: Pair<Timestamp, bigint>) => at[1] <= height)) {
    k.state.validatorQueue.remove(context, at);
    for (const operator of operators) {
      const validator = knownValidator(k, context, operator);
      assert(validator.status === 'unbonding', 'a validator in the queue is not unbonding');
      const unbonded: Validator = { ...validator, status: 'unbonded', unbondingIds: [] };
      setValidator(k, context, unbonded);
      if (unbonded.shares.sign === 0) removeValidator(k, context, unbonded);
    }
  }
}

function payOutMatureUnbondings(k: StakingCore, context: Context): void {
  const due = upToBudget(k.state.unbondingQueue.iterate(context, { end: after(context.block.time) }));
  for (const [at] of due) k.state.unbondingQueue.remove(context, at);
  const denom = bondDenom(k, context);
  for (const pair of due.flatMap(([, pairs]) => pairs)) {
    const tokens = completeUnbonding(k, context, pair);
    if (tokens !== undefined) context.emit(completedUnbonding(pair, { denom, tokens }, k.addresses));
  }
}

function finishMatureRedelegations(k: StakingCore, context: Context): void {
  const due = upToBudget(k.state.redelegationQueue.iterate(context, { end: after(context.block.time) }));
  for (const [at] of due) k.state.redelegationQueue.remove(context, at);
  const denom = bondDenom(k, context);
  for (const path of due.flatMap(([, paths]) => paths)) {
    const tokens = completeRedelegation(k, context, path);
    if (tokens !== undefined) context.emit(completedRedelegation(path, { denom, tokens }, k.addresses));
  }
}

/** Bonded validators, the strongest first. */
export function* bondedByPower(k: StakingCore, context: ReadContext): Generator<Validator> {
  const { maxValidators } = k.state.params.require(context);
  let count = 0;
  for (const [, operator] of k.state.powerIndex.iterate(context, { reverse: true })) {
    if (count >= maxValidators) return;
    const validator = knownValidator(k, context, operator);
    if (validator.status !== 'bonded') continue;
    count++;
    yield validator;
  }
}

/** The set that consensus was told last, without an order. */
export function lastValidators(k: StakingCore, context: ReadContext): readonly Validator[] {
  return [...k.state.lastPowers.iterate(context)].map(([operator]) => knownValidator(k, context, operator));
}
