import { moduleAddress } from '../../framework/address.ts';
import type { Module } from '../../framework/module.ts';
import type { SettlementCore } from './core.ts';
import { endBlock } from './end-block.ts';
import { settlementGenesis } from './genesis.ts';
import { settlementInvariants } from './invariants.ts';
import { settlementMessages } from './messages.ts';
import type { SettlementPorts } from './ports.ts';
import { settlementQueries } from './queries.ts';
import { collect } from './rounds.ts';
import { settlementState, STORE_NAME } from './state.ts';
import type { RevenueRouter } from './types.ts';

/** The module, and where channels send what gateways claim. */
export interface SettlementModule {
  readonly module: Module;
  readonly router: RevenueRouter;
}

/** Epochs of gateways. Needs a module account of its name. */
export function createSettlementModule(ports: SettlementPorts): SettlementModule {
  const core: SettlementCore = { ...ports, state: settlementState(), account: moduleAddress(STORE_NAME) };
  const module: Module = {
    name: 'settlement',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: settlementMessages(core),
    queries: settlementQueries(core),
    genesis: settlementGenesis(core),
    endBlock(context) {
      endBlock({ ...core, bank: core.bank.owed, pools: core.pools.owed }, context);
      return [];
    },
    invariants: settlementInvariants(core),
  };
  const router = {
    routerAccount: STORE_NAME,
    collect: (context, revenue) => collect(core, context, revenue),
  } satisfies RevenueRouter;
  return { module, router };
}
