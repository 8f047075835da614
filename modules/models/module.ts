import type { Module } from '../../framework/module.ts';
import { modelGenesis } from './genesis.ts';
import { modelInvariants } from './invariants.ts';
import { Models } from './keeper.ts';
import { modelMessages } from './messages.ts';
import type { ModelPorts } from './ports.ts';
import { modelQueries } from './queries.ts';
import { modelState, STORE_NAME } from './state.ts';

/** The module and the keeper that others get capabilities from. */
export interface ModelModule {
  readonly module: Module;
  readonly keeper: Models;
}

/** Models with their price, split and lineage. */
export function createModelModule({ addresses, datanets }: ModelPorts): ModelModule {
  const state = modelState(addresses);
  const models = new Models(state);
  const module: Module = {
    name: 'models',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: modelMessages({ models, datanets, state, addresses }),
    queries: modelQueries({ models, state, addresses }),
    genesis: modelGenesis({ models, state, addresses }),
    invariants: modelInvariants(state),
  };
  return { module, keeper: models };
}
