import { type AuthorizationRoute, authorizationRoute } from '../../framework/authorization.ts';
import type { Module } from '../../framework/module.ts';
import { bankGenesis } from './genesis.ts';
import { bankInvariants } from './invariants.ts';
import { Bank } from './keeper.ts';
import { bankMessages } from './messages.ts';
import type { BankPorts } from './ports.ts';
import { bankQueries } from './queries.ts';
import { sendAuthorization } from './send-authorization.ts';
import { bankState, STORE_NAME } from './state.ts';

/** The module and the keeper that others get capabilities from. */
export interface BankModule {
  readonly module: Module;
  readonly keeper: Bank;
  /** What authz may hold for messages of bank. */
  readonly authorizations: readonly AuthorizationRoute[];
}

/** Balances, transfers and supply. */
export function createBankModule(ports: BankPorts): BankModule {
  const { addresses } = ports;
  const state = bankState();
  const bank = new Bank(state, ports);
  const module: Module = {
    name: 'bank',
    consensusVersion: 4,
    storeNames: [STORE_NAME],
    messages: bankMessages({ bank, state, addresses }),
    queries: bankQueries({ bank, state, addresses }),
    genesis: bankGenesis({ bank, state, addresses }),
    invariants: bankInvariants(state),
  };
  return { module, keeper: bank, authorizations: [authorizationRoute(sendAuthorization)] };
}
