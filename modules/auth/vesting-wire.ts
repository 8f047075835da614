/** Vesting accounts as messages, and back. */
import { DecodeError, LedgerError } from '../../core/errors.ts';
import type { AnyType } from '../../framework/any-types.ts';
import {
  addCoins,
  type Coins,
  coinsCover,
  coinsToString,
  coinsToWire,
  equalCoins,
  NO_COINS,
  parseCoins,
} from '../../framework/coins.ts';
import type { BaseAccount } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';
import {
  type BaseVestingAccount,
  ContinuousVestingAccount,
  DelayedVestingAccount,
  PeriodicVestingAccount,
  PermanentLockedAccount,
} from '../../proto/gen/cosmos/vesting/v1beta1/vesting.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { Vesting } from './types.ts';

/** Types of vesting accounts that an `Any` may hold. */
export const VESTING_TYPES: readonly AnyType[] = [
  { type: DelayedVestingAccount },
  { type: ContinuousVestingAccount },
  { type: PeriodicVestingAccount },
  { type: PermanentLockedAccount },
];

/** A vesting account, taken apart. */
export interface VestingWire {
  readonly base: BaseAccount | undefined;
  readonly vesting: Vesting;
}

/** The account as the `Any` that state and queries hold. */
export function vestingToAny(base: BaseAccount, vesting: Vesting): Any {
  const { startTime } = vesting;
  const baseVestingAccount: BaseVestingAccount = {
    baseAccount: base,
    originalVesting: coinsToWire(vesting.original),
    delegatedFree: coinsToWire(vesting.delegatedFree),
    delegatedVesting: coinsToWire(vesting.delegatedVesting),
    endTime: vesting.endTime,
  };
  switch (vesting.kind) {
    case 'delayed':
      return {
        typeUrl: DelayedVestingAccount.typeUrl,
        value: DelayedVestingAccount.encode({ baseVestingAccount }),
      };
    case 'continuous':
      return {
        typeUrl: ContinuousVestingAccount.typeUrl,
        value: ContinuousVestingAccount.encode({ baseVestingAccount, startTime }),
      };
    case 'permanent':
      return {
        typeUrl: PermanentLockedAccount.typeUrl,
        value: PermanentLockedAccount.encode({ baseVestingAccount }),
      };
    case 'periodic': {
      const vestingPeriods = vesting.periods.map(({ length, amount }) => ({
        length,
        amount: coinsToWire(amount),
      }));
      return {
        typeUrl: PeriodicVestingAccount.typeUrl,
        value: PeriodicVestingAccount.encode({ baseVestingAccount, startTime, vestingPeriods }),
      };
    }
  }
}

/**
 * The account inside an `Any`; undefined when it is another kind of account.
 * @throws DecodeError, StateError (sdk 10) when coins are malformed
 */
export function vestingOfAny({ typeUrl, value }: Any): VestingWire | undefined {
  switch (typeUrl) {
    case DelayedVestingAccount.typeUrl:
      return read('delayed', DelayedVestingAccount.decode(value));
    case ContinuousVestingAccount.typeUrl:
      return read('continuous', ContinuousVestingAccount.decode(value));
    case PermanentLockedAccount.typeUrl:
      return read('permanent', PermanentLockedAccount.decode(value));
    case PeriodicVestingAccount.typeUrl:
      return read('periodic', PeriodicVestingAccount.decode(value));
    default:
      return undefined;
  }
}

function read(kind: Vesting['kind'], held: Partial<PeriodicVestingAccount>): VestingWire {
  const account = held.baseVestingAccount;
  if (account === undefined) throw new DecodeError('vesting account has no base_vesting_account');
  const periods = held.vestingPeriods ?? [];
  return {
    base: account.baseAccount,
    vesting: {
      kind,
      original: parseCoins(account.originalVesting),
      delegatedFree: parseCoins(account.delegatedFree),
      delegatedVesting: parseCoins(account.delegatedVesting),
      startTime: held.startTime ?? 0n,
      endTime: account.endTime,
      periods: periods.map(({ length, amount }) => ({ length, amount: parseCoins(amount) })),
    },
  };
}

/**
 * Checks a schedule as the SDK does. A continuous one may end before it starts: then all has vested, and a
 * message may say so.
 * @throws LedgerError `vesting` with the SDK's words
 */
export function validateVesting(vesting: Vesting): void {
  const { kind, original, delegatedVesting, endTime } = vesting;
  if (kind === 'periodic') validatePeriods(vesting);
  if (kind === 'permanent' && endTime > 0n)
    throw invalid('permanently vested accounts cannot have an end-time');
  if (endTime < 0n) throw invalid('end time cannot be negative');
  if (original.length === 0) throw invalid(`invalid coins: ${coinsToString(original)}`);
  if (!coinsCover(original, delegatedVesting))
    throw invalid('delegated vesting amount cannot be greater than original vesting amount');
}

function validatePeriods({ periods, startTime, endTime, original }: Vesting): void {
  if (startTime >= endTime) throw invalid('vesting start-time cannot be before end-time');
  let end = startTime;
  let total: Coins = NO_COINS;
  periods.forEach(({ length, amount }, i) => {
    if (length < 0n) throw invalid(`period #${i} has a negative length: ${length}`);
    if (amount.length === 0) throw invalid(`period #${i} has invalid coins: ${coinsToString(amount)}`);
    end += length;
    total = addCoins(total, amount);
  });
  if (end !== endTime) throw invalid('vesting end time does not match length of all vesting periods');
  if (!equalCoins(total, original))
    throw invalid(
      `original vesting coins (${coinsToString(original)}) does not match the sum of all coins in vesting ` +
        `periods (${coinsToString(total)})`,
    );
}

function invalid(problem: string): LedgerError {
  return new LedgerError('vesting', problem);
}
