import { moduleAddress } from '../../framework/address.ts';
import type { Module } from '../../framework/module.ts';
import type { AttributionCore } from './core.ts';
import { endBlock } from './end-block.ts';
import { attributionGenesis } from './genesis.ts';
import { attributionInvariants } from './invariants.ts';
import { Attribution } from './keeper.ts';
import { attributionMessages } from './messages.ts';
import type { AttributionPorts } from './ports.ts';
import { attributionQueries } from './queries.ts';
import { attributionState, STORE_NAME } from './state.ts';
import { ClaimHookList } from './types.ts';

/** The module and the keeper that others get capabilities from. */
export interface AttributionModule {
  readonly module: Module;
  readonly keeper: Attribution;
}

/** Claims, and the indexes and model cards that they rest on. Needs a module account of its name. */
export function createAttributionModule(ports: AttributionPorts): AttributionModule {
  const state = attributionState();
  const hooks = new ClaimHookList();
  const core: AttributionCore = { ...ports, state, account: moduleAddress(STORE_NAME), hooks };
  const attribution = new Attribution(core);
  const module: Module = {
    name: 'attribution',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: attributionMessages(core),
    queries: attributionQueries(core),
    genesis: attributionGenesis(core),
    endBlock(context) {
      endBlock({ ...core, bank: core.bank.owed }, context);
      return [];
    },
    invariants: attributionInvariants(core),
  };
  return { module, keeper: attribution };
}
