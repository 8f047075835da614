import type { Module } from '../../framework/module.ts';
import { attributionGenesis } from './genesis.ts';
import { attributionInvariants } from './invariants.ts';
import { Attribution } from './keeper.ts';
import { attributionMessages } from './messages.ts';
import type { AttributionPorts } from './ports.ts';
import { attributionQueries } from './queries.ts';
import { attributionState, STORE_NAME } from './state.ts';

/** The module and the keeper that others get capabilities from. */
export interface AttributionModule {
  readonly module: Module;
  readonly keeper: Attribution;
}

/** Checked and kept attribution claims. */
export function createAttributionModule(ports: AttributionPorts): AttributionModule {
  const state = attributionState();
  const attribution = new Attribution(state, ports);
  const module: Module = {
    name: 'attribution',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: attributionMessages(state, ports.addresses),
    queries: attributionQueries(attribution, state),
    genesis: attributionGenesis(attribution, state),
    invariants: attributionInvariants(state),
  };
  return { module, keeper: attribution };
}
