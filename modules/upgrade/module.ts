import { assert } from '../../core/errors.ts';
import type { Module } from '../../framework/module.ts';
import { upgradeGenesis } from './genesis.ts';
import { Upgrades } from './keeper.ts';
import { upgradeMessages } from './messages.ts';
import type { UpgradeCore, UpgradePorts } from './ports.ts';
import { preBlock } from './pre-block.ts';
import { upgradeQueries } from './queries.ts';
import { STORE_NAME, upgradeState } from './state.ts';

/** The module, and the keeper that the application asks. */
export interface UpgradeModule {
  readonly module: Module;
  readonly keeper: Upgrades;
}

/** Planned changes of the program. @throws AssertionError when two upgrades have one name */
export function createUpgradeModule(ports: UpgradePorts): UpgradeModule {
  const names = (ports.upgrades ?? []).map(({ name }) => name);
  assert(new Set(names).size === names.length, 'two upgrades of the program have one name');
  const core: UpgradeCore = { ...ports, state: upgradeState() };
  const module: Module = {
    name: STORE_NAME,
    consensusVersion: 2,
    storeNames: [STORE_NAME],
    messages: upgradeMessages(core),
    queries: upgradeQueries(core),
    genesis: upgradeGenesis(core),
    preBlock: (context) => preBlock(core, context),
    invariants: [],
  };
  return { module, keeper: new Upgrades(core) };
}
