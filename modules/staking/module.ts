import type { Module } from '../../framework/module.ts';
import { stakingGenesis } from './genesis.ts';
import { trackHistory } from './history.ts';
import { stakingInvariants } from './invariants.ts';
import { Staking } from './keeper.ts';
import { stakingMessages } from './messages.ts';
import type { StakingCore, StakingPorts } from './ports.ts';
import { stakingQueries } from './queries.ts';
import { STORE_NAME, stakingState } from './state.ts';
import { endBlock } from './valset.ts';
import { stakingWire } from './wire.ts';

/** The module and the keeper that others get capabilities from. */
export interface StakingModule {
  readonly module: Module;
  readonly keeper: Staking;
}

/** Validators, delegations and the validator set. */
export function createStakingModule(ports: StakingPorts): StakingModule {
  const wire = stakingWire(ports.addresses);
  const core: StakingCore = { ...ports, state: stakingState(wire) };
  const keeper = new Staking(core);
  const module: Module = {
    name: 'staking',
    consensusVersion: 5,
    storeNames: [STORE_NAME],
    messages: stakingMessages(core),
    queries: stakingQueries(core, wire),
    genesis: stakingGenesis(core),
    // On a chain whose set is fixed there is nothing to do.
    beginBlock(context) {
      if (keeper.ownsValidatorSet(context)) trackHistory(core, wire, context);
    },
    endBlock: (context) => (keeper.ownsValidatorSet(context) ? endBlock(core, context) : []),
    invariants: stakingInvariants(core),
  };
  return { module, keeper };
}
