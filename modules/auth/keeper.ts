import { type Address, moduleAddress } from '../../framework/address.ts';
import type { AnteAccounts, AnteParams, SignerAccount } from '../../framework/ante/ports.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { ModuleAccountSpec } from '../../framework/module.ts';
import type { Params } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { AuthState } from './state.ts';
import type { Account, AccountCreator } from './types.ts';

/** Accounts: their keys, numbers and sequences. */
export class AuthKeeper implements AccountCreator, AnteAccounts {
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
    const accountNumber = this.#state.nextAccountNumber.next(context);
    const account = { address, pubKey: undefined, accountNumber, sequence: 0n, module: undefined };
    this.set(context, account);
    return account;
  }

  /** Makes the account of a module, unless it is there. */
  ensureModuleAccount(context: Context, spec: ModuleAccountSpec): Account {
    const address = moduleAddress(spec.name);
    const existing = this.find(context, address);
    if (existing !== undefined) return existing;
    const accountNumber = this.#state.nextAccountNumber.next(context);
    const module = { name: spec.name, permissions: spec.permissions };
    const account = { address, pubKey: undefined, accountNumber, sequence: 0n, module };
    this.set(context, account);
    return account;
  }

  set(context: Context, account: Account): void {
    this.#state.accounts.set(context, account.address, account);
  }

  update(context: Context, before: SignerAccount, after: SignerAccount): void {
    const { address, pubKey, accountNumber, sequence } = after;
    // Accounts of modules have no key, so they never sign.
    const module = undefined;
    const to = { address, pubKey, accountNumber, sequence, module };
    this.#state.accounts.replace(context, address, { ...before, module }, to);
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
