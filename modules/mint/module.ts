import type { Module } from '../../framework/module.ts';
import { beginBlock } from './begin-block.ts';
import { mintGenesis } from './genesis.ts';
import { mintMessages } from './messages.ts';
import type { MintCore, MintPorts } from './ports.ts';
import { mintQueries } from './queries.ts';
import { mintState, STORE_NAME } from './state.ts';

/** New coins for those who stake. Nobody needs anything of it. */
export function createMintModule(ports: MintPorts): Module {
  const core: MintCore = { ...ports, state: mintState() };
  return {
    name: STORE_NAME,
    consensusVersion: 2,
    storeNames: [STORE_NAME],
    messages: mintMessages(core),
    queries: mintQueries(core),
    genesis: mintGenesis(core),
    // Where the set is fixed nobody has a stake that could earn them.
    beginBlock(context) {
      if (ports.staking.ownsValidatorSet(context)) beginBlock(core, context);
    },
    invariants: [],
  };
}
