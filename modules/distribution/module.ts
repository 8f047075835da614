import type { Module } from '../../framework/module.ts';
import { beginBlock } from './allocation.ts';
import { distributionGenesis } from './genesis.ts';
import { DistributionHooks } from './hooks.ts';
import { distributionInvariants } from './invariants.ts';
import { Distribution } from './keeper.ts';
import { distributionMessages } from './messages.ts';
import type { DistributionCore, DistributionPorts } from './ports.ts';
import { distributionQueries } from './queries.ts';
import { distributionState, STORE_NAME } from './state.ts';

/** The module, the keeper that others get capabilities from, and what staking must tell. */
export interface DistributionModule {
  readonly module: Module;
  readonly keeper: Distribution;
  readonly hooks: DistributionHooks;
}

/** Fees and new coins, to validators, delegators and the community. */
export function createDistributionModule(ports: DistributionPorts): DistributionModule {
  const core: DistributionCore = { ...ports, state: distributionState() };
  const module: Module = {
    name: STORE_NAME,
    consensusVersion: 3,
    storeNames: [STORE_NAME],
    messages: distributionMessages(core),
    queries: distributionQueries(core),
    genesis: distributionGenesis(core),
    // Where the set is fixed nobody has a stake: what is collected waits.
    beginBlock(context) {
      if (ports.staking.ownsValidatorSet(context)) beginBlock(core, context);
    },
    invariants: distributionInvariants(core),
  };
  return { module, keeper: new Distribution(core), hooks: new DistributionHooks(core) };
}
