import type { Address } from '../../framework/address.ts';
import type { SignerAccount } from '../../framework/ante/ports.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { ModuleAccountSpec, ModulePermission } from '../../framework/module.ts';

/** An account: of a key, or of a module. */
export interface Account extends SignerAccount {
  /** Present when it belongs to a module and has no key. */
  readonly module: ModuleIdentity | undefined;
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
