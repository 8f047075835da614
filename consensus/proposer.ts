/**
 * Whose turn it is: CometBFT's weighted round robin. Each height every validator gains its power in
 * priority, the one with the highest priority proposes and pays the total power. Priorities are kept within
 * two total powers of each other and centred around zero; a newcomer starts at -1.125 total powers, so that
 * leaving and coming back does not pay.
 *
 * Arithmetic is that of Go's int64, clipped where CometBFT clips and wrapped where it wraps: the priorities
 * are part of the state that a light client and a state-syncing node check.
 * Source: CometBFT v0.38 `types/validator_set.go`, spec/consensus/proposer-selection.md.
 */
import { compareBytes, equalBytes, toHex } from '../core/bytes.ts';
import { assert, defined, LedgerError } from '../core/errors.ts';
import { VALIDATORS_MAX } from './types/limits.ts';
import { addressOf } from './types/public-key.ts';
import type { PublicKey, Validator, ValidatorSet } from './types/validator.ts';
import { EMPTY_VALIDATOR_SET, TOTAL_VOTING_POWER_MAX, validatorByAddress } from './types/validator-set.ts';

/** Priorities may be this many total powers apart. */
const PRIORITY_WINDOW = 2n;
const INT64_MAX = (1n << 63n) - 1n;
const INT64_MIN = -(1n << 63n);

/** A change of one validator: its new power; 0 removes it. */
export interface ValidatorChange {
  readonly publicKey: PublicKey;
  readonly votingPower: bigint;
}

/**
 * The first validator set of a chain, its round-0 proposer chosen.
 * @throws LedgerError `validators.*` as `updateValidators`
 */
export function newValidatorSet(validators: readonly ValidatorChange[]): ValidatorSet {
  if (validators.length === 0) return EMPTY_VALIDATOR_SET;
  if (validators.some((validator) => validator.votingPower === 0n)) {
    throw new LedgerError('validators.no_power', 'a new validator set cannot hold a validator without power');
  }
  return incrementProposerPriority(updateValidators(EMPTY_VALIDATOR_SET, validators), 1);
}

/** The set `times` turns later; round r of a height is r turns after its round 0. `times` is at least 1. */
export function incrementProposerPriority(set: ValidatorSet, times: number): ValidatorSet {
  assert(set.validators.length > 0, 'an empty validator set has no proposer');
  assert(Number.isInteger(times) && times > 0, 'a positive number of turns', { times });
  const total = set.totalVotingPower;
  let priorities = rescale(set.validators.map(priorityOf), PRIORITY_WINDOW * total);
  priorities = centre(priorities);
  let chosen = 0;
  for (let turn = 0; turn < times; turn++) {
    priorities = priorities.map((priority, i) => clip(priority + powerAt(set, i)));
    chosen = highest(set.validators, priorities);
    priorities[chosen] = clip((priorities[chosen] ?? 0n) - total);
  }
  const validators = withPriorities(set.validators, priorities);
  return { validators, proposer: defined(validators[chosen], 'proposer'), totalVotingPower: total };
}

/**
 * The set after changes of power, additions and removals; the proposer stays until the next turn.
 * @throws LedgerError `validators.duplicate`, `validators.power`, `validators.unknown`, `validators.empty`,
 *   `validators.too_many`
 */
export function updateValidators(set: ValidatorSet, changes: readonly ValidatorChange[]): ValidatorSet {
  if (changes.length === 0) return set;
  const sorted = checkChanges(changes);
  const removals = sorted.filter((change) => change.votingPower === 0n);
  const updates = sorted.filter((change) => change.votingPower > 0n);
  const added = updates.filter((update) => validatorByAddress(set, update.address) === undefined);
  if (added.length === 0 && removals.length === set.validators.length) {
    throw new LedgerError('validators.empty', 'the changes would leave no validator');
  }
  const removedPower = powerRemoved(set, removals);
  const totalBeforeRemovals = powerAfterUpdates(set, updates, removedPower) + removedPower;
  const newcomerPriority = -(totalBeforeRemovals + (totalBeforeRemovals >> 3n));
  const merged = new Map(set.validators.map((validator) => [toHex(validator.address), validator]));
  for (const update of updates) {
    const key = toHex(update.address);
    const proposerPriority = merged.get(key)?.proposerPriority ?? newcomerPriority;
    merged.set(key, { ...update, proposerPriority });
  }
  for (const removal of removals) merged.delete(toHex(removal.address));
  return assemble([...merged.values()], set.proposer);
}

/** Rescales and centres the priorities of a changed set and puts it in order. */
function assemble(members: readonly Validator[], proposer: Validator | undefined): ValidatorSet {
  if (members.length > VALIDATORS_MAX) {
    throw new LedgerError('validators.too_many', `a validator set has at most ${VALIDATORS_MAX} members`);
  }
  const totalVotingPower = members.reduce((sum, member) => sum + member.votingPower, 0n);
  const priorities = centre(rescale(members.map(priorityOf), PRIORITY_WINDOW * totalVotingPower));
  const validators = withPriorities(members, priorities).sort(byPowerThenAddress);
  return { validators, proposer, totalVotingPower };
}

type Change = ValidatorChange & { readonly address: Uint8Array };

/** Addresses, order by address, and the checks that need no validator set. */
function checkChanges(changes: readonly ValidatorChange[]): Change[] {
  const sorted = changes
    .map(({ publicKey, votingPower }) => ({ address: addressOf(publicKey), publicKey, votingPower }))
    .sort((a, b) => compareBytes(a.address, b.address));
  for (const [i, change] of sorted.entries()) {
    const previous = sorted[i - 1];
    const facts = { address: toHex(change.address), votingPower: change.votingPower };
    if (previous !== undefined && equalBytes(previous.address, change.address)) {
      throw new LedgerError('validators.duplicate', 'a validator is changed twice', facts);
    }
    if (change.votingPower < 0n || change.votingPower > TOTAL_VOTING_POWER_MAX) {
      throw new LedgerError('validators.power', 'voting power is negative or too large', facts);
    }
  }
  return sorted;
}

function powerRemoved(set: ValidatorSet, removals: readonly Change[]): bigint {
  let power = 0n;
  for (const removal of removals) {
    const validator = validatorByAddress(set, removal.address);
    if (validator === undefined) {
      throw new LedgerError('validators.unknown', 'the validator to remove is not in the set', {
        address: toHex(removal.address),
      });
    }
    power += validator.votingPower;
  }
  return power;
}

/** Total power after removals and updates; it must stay within bounds. */
function powerAfterUpdates(set: ValidatorSet, updates: readonly Change[], removedPower: bigint): bigint {
  let total = set.totalVotingPower - removedPower;
  for (const update of updates) {
    total += update.votingPower - (validatorByAddress(set, update.address)?.votingPower ?? 0n);
  }
  if (total > TOTAL_VOTING_POWER_MAX) {
    throw new LedgerError('validators.power', 'total voting power would be too large', { total });
  }
  return total;
}

/**
 * Divides all priorities by one number, so that they are less than `window` apart. Division cuts towards
 * zero.
 */
function rescale(priorities: readonly bigint[], window: bigint): bigint[] {
  let low = INT64_MAX;
  let high = INT64_MIN;
  for (const priority of priorities) {
    if (priority < low) low = priority;
    if (priority > high) high = priority;
  }
  let difference = wrap(high - low);
  if (difference < 0n) difference = wrap(-difference);
  if (window <= 0n || difference <= window) return [...priorities];
  const ratio = wrap(difference + window - 1n) / window;
  return priorities.map((priority) => priority / ratio);
}

/** Takes the average, rounded down, off each priority. */
function centre(priorities: readonly bigint[]): bigint[] {
  const sum = priorities.reduce((total, priority) => total + priority, 0n);
  const count = BigInt(priorities.length);
  let average = sum / count;
  if (sum % count < 0n) average -= 1n;
  return priorities.map((priority) => clip(priority - average));
}

/** The one with the highest priority; of several, the one with the lowest address. */
function highest(validators: readonly Validator[], priorities: readonly bigint[]): number {
  let best = 0;
  for (let i = 1; i < validators.length; i++) {
    const mine = priorities[i] ?? 0n;
    const held = priorities[best] ?? 0n;
    if (
      mine > held ||
      (mine === held && compareBytes(addressAt(validators, i), addressAt(validators, best)) < 0)
    ) {
      best = i;
    }
  }
  return best;
}

function byPowerThenAddress(a: Validator, b: Validator): number {
  if (a.votingPower !== b.votingPower) return a.votingPower > b.votingPower ? -1 : 1;
  return compareBytes(a.address, b.address);
}

function withPriorities(validators: readonly Validator[], priorities: readonly bigint[]): Validator[] {
  return validators.map((validator, i) => ({ ...validator, proposerPriority: priorities[i] ?? 0n }));
}

function priorityOf(validator: Validator): bigint {
  return validator.proposerPriority;
}

function powerAt(set: ValidatorSet, index: number): bigint {
  return defined(set.validators[index], 'validator').votingPower;
}

function addressAt(validators: readonly Validator[], index: number): Uint8Array {
  return defined(validators[index], 'validator').address;
}

/** The nearest int64. */
function clip(value: bigint): bigint {
  if (value > INT64_MAX) return INT64_MAX;
  return value < INT64_MIN ? INT64_MIN : value;
}

/** The int64 that Go's arithmetic overflows to. */
function wrap(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}
