import type { Module } from '../../framework/module.ts';
import { datanetGenesis } from './genesis.ts';
import { datanetInvariants } from './invariants.ts';
import { Datanets } from './keeper.ts';
import { datanetMessages } from './messages.ts';
import type { DatanetPorts } from './ports.ts';
import { datanetQueries } from './queries.ts';
import { datanetState, STORE_NAME } from './state.ts';

/** The module and the keeper that others get capabilities from. */
export interface DatanetModule {
  readonly module: Module;
  readonly keeper: Datanets;
}

/** Datanets, contributions and snapshots. */
export function createDatanetModule(ports: DatanetPorts): DatanetModule {
  const { addresses } = ports;
  const state = datanetState(addresses);
  const datanets = new Datanets(state, { addresses });
  const module: Module = {
    name: 'datanet',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: datanetMessages({ datanets, state, addresses }),
    queries: datanetQueries({ datanets, state, addresses }),
    genesis: datanetGenesis({ datanets, state, addresses }),
    invariants: datanetInvariants(datanets, state),
  };
  return { module, keeper: datanets };
}
