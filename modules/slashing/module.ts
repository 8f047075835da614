import type { Module } from '../../framework/module.ts';
import type { StakingHooks } from '../staking/types.ts';
import { slashingGenesis } from './genesis.ts';
import { slashingHooks } from './hooks.ts';
import { slashingInvariants } from './invariants.ts';
import { Slashing } from './keeper.ts';
import { beginBlock } from './liveness.ts';
import { slashingMessages } from './messages.ts';
import type { SlashingCore, SlashingPorts } from './ports.ts';
import { slashingQueries } from './queries.ts';
import { slashingState, STORE_NAME } from './state.ts';

/** The module, the keeper that others get capabilities from, and what staking has to tell it. */
export interface SlashingModule {
  readonly module: Module;
  readonly keeper: Slashing;
  readonly hooks: StakingHooks;
}

/** Punishment of validators that miss blocks, and the means to punish others. */
export function createSlashingModule(ports: SlashingPorts): SlashingModule {
  const core: SlashingCore = { ...ports, state: slashingState() };
  const module: Module = {
    name: 'slashing',
    consensusVersion: 4,
    storeNames: [STORE_NAME],
    messages: slashingMessages(core),
    queries: slashingQueries(core),
    genesis: slashingGenesis(core),
    beginBlock: (context) => beginBlock(core, context),
    invariants: slashingInvariants(core),
  };
  return { module, keeper: new Slashing(core), hooks: slashingHooks(core) };
}
