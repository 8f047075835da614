import { type Address, moduleAddress } from '../../framework/address.ts';
import type { AnteAccounts, AnteParams } from '../../framework/ante/ports.ts';
import { type Coins, NO_COINS } from '../../framework/coins.ts';
import { nanosecondsOf } from '../../core/time.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import type { ModuleAccountSpec } from '../../framework/module.ts';
import type { Params } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { AuthState } from './state.ts';
import type { Account, AccountCreator, AccountLocks, Vesting, VestingCreator } from './types.ts';
import { afterDelegation, afterUndelegation, lockedCoins } from './vesting.ts';
import { validateVesting } from './vesting-wire.ts';

/** Accounts: their keys, numbers and sequences. */
export class AuthKeeper implements AccountCreator, AccountLocks, VestingCreator, AnteAccounts {
  readonly moduleAccounts: ReadonlyMap<string, ModuleAccountSpec>;
  readonly #state: AuthState;
  /** The parameters as the ante chain wants them, for the message they were made of. */
  #ante: { readonly of: Params; readonly params: AnteParams } | undefined;

  constructor(state: AuthState, moduleAccounts: readonly ModuleAccountSpec[]) {
    this.#state = state;
    this.moduleAccounts = new Map(moduleAccounts.map((spec) => [spec.name, spec]));
  }

  params(context: ReadContext): AnteParams {
    const params = this.fullParams(context);
    if (this.#ante?.of !== params) this.#ante = { of: params, params: anteParams(params) };
    return this.#ante.params;
  }

  /** The parameters as they are stored. */
  fullParams(context: ReadContext): Params {
    return this.#state.params.get(context) ?? DEFAULT_PARAMS;
  }

  setParams(context: Context, params: Params): void {
    this.#state.params.set(context, params);
  }

  find(context: ReadContext, address: Address): Account | undefined {
    return this.#state.accounts.get(context, address);
  }

  has(context: ReadContext, address: Address): boolean {
    return this.#state.accounts.has(context, address);
  }

  create(context: Context, address: Address): Account {
    return this.#create(context, { address, module: undefined, vesting: undefined });
  }

  createVesting(context: Context, address: Address, vesting: Vesting): Account {
    validateVesting(vesting);
    return this.#create(context, { address, module: undefined, vesting });
  }

  /** Makes the account of a module, unless it is there. */
  ensureModuleAccount(context: Context, spec: ModuleAccountSpec): Account {
    const address = moduleAddress(spec.name);
    const existing = this.find(context, address);
    if (existing !== undefined) return existing;
    const module = { name: spec.name, permissions: spec.permissions };
    return this.#create(context, { address, module, vesting: undefined });
  }

  #create(context: Context, fresh: Pick<Account, 'address' | 'module' | 'vesting'>): Account {
    const accountNumber = this.#state.nextAccountNumber.next(context);
    const account = { ...fresh, pubKey: undefined, accountNumber, sequence: 0n };
    this.set(context, account);
    return account;
  }

  locked(context: ReadContext, address: Address): Coins {
    const vesting = this.find(context, address)?.vesting;
    return vesting === undefined ? NO_COINS : lockedCoins(vesting, context.block.time.seconds);
  }

  trackDelegation(context: Context, address: Address, coins: Coins): void {
    const { seconds } = context.block.time;
    this.#track(context, address, (vesting) => afterDelegation(vesting, coins, seconds));
  }

  trackUndelegation(context: Context, address: Address, coins: Coins): void {
    this.#track(context, address, (vesting) => afterUndelegation(vesting, coins));
  }

  #track(context: Context, address: Address, after: (vesting: Vesting) => Vesting): void {
    const account = this.find(context, address);
    if (account?.vesting === undefined) return;
    const to = { ...account, vesting: after(account.vesting) };
    this.#state.accounts.replace(context, address, account, to);
  }

  useTimeout(context: Context, address: Address, timeout: Timestamp): boolean {
    const key = [nanosecondsOf(timeout), address] as const;
    if (this.#state.usedTimeouts.has(context, key)) return false;
    this.#state.usedTimeouts.add(context, key);
    return true;
  }

  /**
   * Forgets timeouts that have passed, so many at a time. A timeout at the block's own moment has not: the
   * transaction may still come again.
   */
  forgetTimeouts(context: Context, countMax: number): void {
    const now = nanosecondsOf(context.block.time);
    const passed = [];
    for (const key of this.#state.usedTimeouts.iterate(context)) {
      if (key[0] >= now || passed.length === countMax) break;
      passed.push(key);
    }
    for (const key of passed) this.#state.usedTimeouts.remove(context, key);
  }

  /** How many timeouts are remembered. */
  rememberedTimeouts(context: ReadContext): number {
    return [...this.#state.usedTimeouts.iterate(context)].length;
  }

  set(context: Context, account: Account): void {
    this.#state.accounts.set(context, account.address, account);
  }

  update(context: Context, before: Account, after: Account): void {
    this.#state.accounts.replace(context, after.address, before, after);
  }
}

function anteParams(params: Params): AnteParams {
  return {
    maxMemoCharacters: Number(params.maxMemoCharacters),
    txSigLimit: Number(params.txSigLimit),
    txSizeCostPerByte: Number(params.txSizeCostPerByte),
    sigVerifyCostEd25519: Number(params.sigVerifyCostEd25519),
    sigVerifyCostSecp256k1: Number(params.sigVerifyCostSecp256k1),
  };
}
