import type { Module } from '../../framework/module.ts';
import { vestingMessages } from './messages.ts';
import type { VestingPorts } from './ports.ts';

/** Messages that make accounts whose coins become free over time. The accounts are auth's. */
export function createVestingModule(ports: VestingPorts): Module {
  return {
    name: 'vesting',
    consensusVersion: 1,
    storeNames: [],
    messages: vestingMessages(ports),
    queries: [],
    genesis: {
      defaults: () => ({}),
      validate: (json) => json.onlyMembers(),
      init: () => [],
      export: () => ({}),
    },
    invariants: [],
  };
}
