/**
 * Burning stake for an offence, where it was at the time of the offence. After x/staking `keeper/slash.go`.
 */
import { assert } from '../../core/errors.ts';
import { Decimal } from '../../core/decimal.ts';
import type { Address } from '../../framework/address.ts';
import type { Context } from '../../framework/context.ts';
import { findDelegation, unbond } from './delegations.ts';
import { burnTokens } from './pools.ts';
import type { StakingCore } from './ports.ts';
import { addressPairKey, addressTripleKey } from './state.ts';
import { type Offence, POWER_REDUCTION, type Redelegation, type UnbondingDelegation } from './types.ts';
import { findUnbonding, isMature, setUnbonding } from './unbonding.ts';
import { knownValidator, removeTokens, validatorByKey } from './validators.ts';

/** An offence, by what it means for single entries. */
type Punishment = Pick<Offence, 'height' | 'fraction'>;

/**
 * Burns `fraction` of the stake that a validator had at an offence: first of what has left it since, the rest
 * of what it has. Its cost grows with what left the validator during the unbonding time.
 * @returns tokens burned of the validator itself
 */
export function slash(k: StakingCore, context: Context, offence: Offence): bigint {
  const { height, fraction, power } = offence;
  assert(fraction.sign >= 0, 'a slash fraction is negative');
  assert(height <= context.block.height, 'a slash is for an offence in the future');
  const validator = validatorByKey(k, context, offence.consensusAddress);
  // Gone, or free again: its stake of then can no longer be told from other stake.
  if (validator === undefined || validator.status === 'unbonded') return 0n;
  const { operator } = validator;
  const stake = Decimal.ofInteger(power * POWER_REDUCTION);
  const total = stake.multiply(fraction).truncate();
  k.hooks.beforeValidatorModified(context, operator);
  // In the block of the offence itself nothing has left yet.
  const gone = height === context.block.height ? 0n : slashGone(k, context, operator, { height, fraction });
  const rest = total - gone;
  // A redelegation back to the validator may have been slashed just now: its tokens are read again.
  const current = knownValidator(k, context, operator);
  const tokens = rest < current.tokens ? rest : current.tokens;
  if (tokens <= 0n) return 0n;
  const share = Decimal.ofInteger(tokens).divideRoundUp(Decimal.ofInteger(current.tokens));
  k.hooks.beforeValidatorSlashed(context, operator, Decimal.min(share, Decimal.ONE));
  removeTokens(k, context, { from: current, tokens });
  burnTokens(k, context, { status: current.status, tokens });
  return tokens;
}

function slashGone(k: StakingCore, context: Context, operator: Address, punishment: Punishment): bigint {
  let slashed = 0n;
  // Collected first: slashing writes what is walked over.
  const byValidator = { prefix: addressPairKey.prefix(operator) };
  for (const [, delegator] of [...k.state.unbondingIndex.iterate(context, byValidator)]) {
    const unbonding = findUnbonding(k, context, { delegator, validator: operator });
    if (unbonding !== undefined) slashed += slashUnbonding(k, context, unbonding, punishment);
  }
  const bySource = { prefix: addressTripleKey.prefix(operator) };
  for (const [source, delegator, destination] of [
    ...k.state.redelegationsBySource.iterate(context, bySource),
  ]) {
    const redelegation = k.state.redelegations.get(context, [delegator, source, destination]);
    if (redelegation !== undefined) slashed += slashRedelegation(k, context, redelegation, punishment);
  }
  return slashed;
}

/** The fraction of what an entry began with, when the entry is of after the offence and not done. */
function dueOf(
  entry: {
    readonly creationHeight: bigint;
    readonly completionTime: { readonly seconds: bigint; readonly nanos: number };
    readonly initialBalance: bigint;
  },
  context: Context,
  { height, fraction }: Punishment,
): bigint | undefined {
  if (entry.creationHeight < height || isMature(entry, context)) return undefined;
  return fraction.multiplyInteger(entry.initialBalance).truncate();
}

/** @returns what was due, though an earlier slash may have left less to burn */
function slashUnbonding(
  k: StakingCore,
  context: Context,
  unbonding: UnbondingDelegation,
  punishment: Punishment,
): bigint {
  let due = 0n;
  let burned = 0n;
  const entries = unbonding.entries.map((entry) => {
    const wanted = dueOf(entry, context, punishment);
    if (wanted === undefined) return entry;
    due += wanted;
    const taken = wanted < entry.balance ? wanted : entry.balance;
    burned += taken;
    return { ...entry, balance: entry.balance - taken };
  });
  if (burned > 0n) setUnbonding(k, context, { ...unbonding, entries });
  burnTokens(k, context, { status: 'unbonding', tokens: burned });
  return due;
}

/** @returns what was due, as `slashUnbonding` */
function slashRedelegation(
  k: StakingCore,
  context: Context,
  redelegation: Redelegation,
  punishment: Punishment,
): bigint {
  const { delegator, destination } = redelegation;
  const pair = { delegator, validator: destination };
  let due = 0n;
  let unbondedBurned = 0n;
  let movedBurned = 0n;
  // Read before shares are taken: an unbonded validator goes with its last share.
  const status = k.state.validators.get(context, destination)?.status ?? 'unbonded';
  for (const entry of redelegation.entries) {
    const wanted = dueOf(entry, context, punishment);
    if (wanted === undefined) continue;
    due += wanted;
    const taken = takeFromUnbonding(k, context, pair, { wanted, height: punishment.height });
    unbondedBurned += taken;
    const shares = punishment.fraction.multiply(entry.sharesDst);
    if (shares.sign === 0 || wanted === taken) continue;
    const delegation = findDelegation(k, context, pair);
    if (delegation === undefined) continue;
    movedBurned += unbond(k, context, { ...pair, shares: Decimal.min(shares, delegation.shares) });
  }
  burnTokens(k, context, { status, tokens: movedBurned });
  burnTokens(k, context, { status: 'unbonding', tokens: unbondedBurned });
  return due;
}

/** What was moved and then taken back is burned first. @returns tokens taken out of entries */
function takeFromUnbonding(
  k: StakingCore,
  context: Context,
  pair: { readonly delegator: Address; readonly validator: Address },
  { wanted, height }: { readonly wanted: bigint; readonly height: bigint },
): bigint {
  const unbonding = findUnbonding(k, context, pair);
  if (unbonding === undefined) return 0n;
  let taken = 0n;
  const entries = unbonding.entries.map((entry) => {
    if (entry.creationHeight < height || isMature(entry, context)) return entry;
    const rest = wanted - taken;
    const part = rest < entry.balance ? rest : entry.balance;
    taken += part;
    return { ...entry, balance: entry.balance - part };
  });
  if (taken > 0n) setUnbonding(k, context, { ...unbonding, entries });
  return taken;
}
