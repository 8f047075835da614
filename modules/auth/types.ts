import type { Address } from '../../framework/address.ts';
import type { SignerAccount } from '../../framework/ante/ports.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { Coins } from '../../framework/coins.ts';
import type { ModuleAccountSpec, ModulePermission } from '../../framework/module.ts';

/** An account: of a key, or of a module. */
export interface Account extends SignerAccount {
  /** Present when it belongs to a module and has no key. */
  readonly module: ModuleIdentity | undefined;
  /** Present when some of its coins are locked, or were. */
  readonly vesting: Vesting | undefined;
}

/** When coins of an account become free. Times in seconds since 1970. */
export interface Vesting {
  /** At once at the end; evenly from start to end; period by period; never. */
  readonly kind: 'delayed' | 'continuous' | 'periodic' | 'permanent';
  readonly original: Coins;
  readonly delegatedFree: Coins;
  readonly delegatedVesting: Coins;
  /** 0 for delayed and permanent ones. */
  readonly startTime: bigint;
  /** 0 for permanent ones. */
  readonly endTime: bigint;
  /** Of periodic ones. */
  readonly periods: readonly VestingPeriod[];
}

/** Coins that become free so many seconds after those of the period before. */
export interface VestingPeriod {
  readonly length: bigint;
  readonly amount: Coins;
}

/** Which module an account belongs to. */
export interface ModuleIdentity {
  readonly name: string;
  readonly permissions: readonly ModulePermission[];
}

/** Looks accounts up. */
export interface AccountView {
  find(context: ReadContext, address: Address): Account | undefined;
  has(context: ReadContext, address: Address): boolean;
  /** All module accounts that the application declares, by name. */
  readonly moduleAccounts: ReadonlyMap<string, ModuleAccountSpec>;
}

/** Also makes them. */
export interface AccountCreator extends AccountView {
  /** A new account without key, with the next account number. */
  create(context: Context, address: Address): Account;
}

/** Knows what is locked: what bank asks before coins are spent, and tells when they are delegated. */
export interface AccountLocks {
  /** Coins that the account may not spend now; none for most. */
  locked(context: ReadContext, address: Address): Coins;
  /** To be told of coins that are delegated, before others see the account again. */
  trackDelegation(context: Context, address: Address, coins: Coins): void;
  /** To be told of delegated coins that come back. */
  trackUndelegation(context: Context, address: Address, coins: Coins): void;
}

/** Makes vesting accounts. */
export interface VestingCreator extends AccountView {
  /** A new account without key. @throws LedgerError `vesting` when the schedule makes no sense */
  createVesting(context: Context, address: Address, vesting: Vesting): Account;
}
