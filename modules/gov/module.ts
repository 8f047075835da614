import type { Module } from '../../framework/module.ts';
import { TextProposal } from '../../proto/gen/cosmos/gov/v1beta1/gov.ts';
import { endBlock } from './end-block.ts';
import { govGenesis } from './genesis.ts';
import { govInvariants } from './invariants.ts';
import { govMessages } from './messages.ts';
import { legacyGovMessages } from './messages-v1beta1.ts';
import type { GovCore, GovPorts } from './ports.ts';
import { govQueries } from './queries.ts';
import { legacyGovQueries } from './queries-v1beta1.ts';
import { govState, STORE_NAME } from './state.ts';

/** Proposals, deposits and votes by stake. Its end of a block comes after staking's. */
export function createGovModule(ports: GovPorts): Module {
  const core: GovCore = { ...ports, state: govState() };
  return {
    name: 'gov',
    consensusVersion: 5,
    storeNames: [STORE_NAME],
    messages: [...govMessages(core), ...legacyGovMessages(core)],
    queries: [...govQueries(core), ...legacyGovQueries(core)],
    anyTypes: [{ type: TextProposal }],
    genesis: govGenesis(core),
    endBlock(context) {
      endBlock({ ...core, bank: core.bank.owed }, context);
      return [];
    },
    invariants: govInvariants(core),
  };
}
