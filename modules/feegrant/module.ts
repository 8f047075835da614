import type { Module } from '../../framework/module.ts';
import { ALLOWANCE_TYPES } from './allowance.ts';
import { feegrantGenesis } from './genesis.ts';
import { feegrantInvariants } from './invariants.ts';
import { FeeGrants } from './keeper.ts';
import { feegrantMessages } from './messages.ts';
import type { FeegrantPorts } from './ports.ts';
import { feegrantQueries } from './queries.ts';
import { feegrantState, STORE_NAME } from './state.ts';

/** Most allowances that one block's end removes. */
export const PRUNED_PER_BLOCK_MAX = 200;

/** The module and its keeper, which the ante chain asks. */
export interface FeegrantModule {
  readonly module: Module;
  readonly keeper: FeeGrants;
}

/** Allowances to spend someone else's coins on fees. */
export function createFeegrantModule(ports: FeegrantPorts): FeegrantModule {
  const { addresses, accounts } = ports;
  const state = feegrantState();
  const keeper = new FeeGrants(state, ports);
  const module: Module = {
    name: 'feegrant',
    consensusVersion: 2,
    storeNames: [STORE_NAME],
    messages: feegrantMessages({ keeper, addresses }),
    queries: feegrantQueries({ keeper, state, addresses }),
    anyTypes: ALLOWANCE_TYPES,
    genesis: feegrantGenesis({ keeper, state, accounts, addresses }),
    endBlock(context) {
      keeper.prune(context, PRUNED_PER_BLOCK_MAX);
      return [];
    },
    invariants: feegrantInvariants(state),
  };
  return { module, keeper };
}
