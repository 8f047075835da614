import { moduleAddress } from '../../framework/address.ts';
import type { Module } from '../../framework/module.ts';
import { endBlock } from './end-block.ts';
import { poolGenesis } from './genesis.ts';
import { poolInvariants } from './invariants.ts';
import { Pools } from './keeper.ts';
import { poolMessages } from './messages.ts';
import type { PoolPorts, PoolsCore } from './ports.ts';
import { poolQueries } from './queries.ts';
import { poolState, STORE_NAME } from './state.ts';

/** The module and the keeper that others get capabilities from. */
export interface PoolsModule {
  readonly module: Module;
  readonly keeper: Pools;
}

/** Pools of contributors. Needs a module account of its name. */
export function createPoolsModule(ports: PoolPorts): PoolsModule {
  const core: PoolsCore = { ...ports, state: poolState(), account: moduleAddress(STORE_NAME) };
  const module: Module = {
    name: 'pools',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: poolMessages(core),
    queries: poolQueries(core),
    genesis: poolGenesis(core),
    endBlock(context) {
      endBlock({ ...core, bank: core.bank.owed }, context);
      return [];
    },
    invariants: poolInvariants(core),
  };
  return { module, keeper: new Pools(core) };
}
