import type { AddressCodec } from '../../framework/address.ts';
import type { Module, ModuleAccountSpec } from '../../framework/module.ts';
import { authGenesis } from './genesis.ts';
import { AuthKeeper } from './keeper.ts';
import { authMessages } from './messages.ts';
import { authQueries } from './queries.ts';
import { authState, STORE_NAME } from './state.ts';

/**
 * Most timeouts of unordered transactions that a block forgets; the rest waits. What has passed is refused by
 * its time, whether it is still remembered or not.
 */
export const TIMEOUTS_FORGOTTEN_MAX = 5_000;

/** The module and the keeper that others get capabilities from. */
export interface AuthModule {
  readonly module: Module;
  readonly keeper: AuthKeeper;
}

/**
 * Accounts.
 * @param moduleAccounts all module accounts of the application; they are made at genesis, after the accounts
 * of the list
 */
export function createAuthModule(
  addresses: AddressCodec,
  moduleAccounts: readonly ModuleAccountSpec[],
): AuthModule {
  const state = authState(addresses);
  const keeper = new AuthKeeper(state, moduleAccounts);
  const module: Module = {
    name: 'auth',
    consensusVersion: 5,
    storeNames: [STORE_NAME],
    messages: authMessages(keeper, addresses),
    queries: authQueries({ keeper, state, addresses }),
    genesis: authGenesis({ keeper, state, addresses }),
    beginBlock: (context) => keeper.forgetTimeouts(context, TIMEOUTS_FORGOTTEN_MAX),
    invariants: [],
  };
  return { module, keeper };
}
