import type { Module } from '../../framework/module.ts';
import { Claims } from './claims.ts';
import { forgetClosed } from './end-block.ts';
import { channelGenesis } from './genesis.ts';
import { channelInvariants } from './invariants.ts';
import { Channels } from './keeper.ts';
import { channelMessages } from './messages.ts';
import type { ChannelPorts } from './ports.ts';
import { channelQueries } from './queries.ts';
import { channelState, STORE_NAME } from './state.ts';

/** The module and its keeper. */
export interface ChannelModule {
  readonly module: Module;
  readonly keeper: Channels;
}

/** Payment channels. Needs a module account of its name. */
export function createChannelModule(ports: ChannelPorts): ChannelModule {
  const { addresses, bank, statements } = ports;
  const state = channelState(addresses);
  const channels = new Channels(state, ports);
  const claims = new Claims({ channels, state, statements });
  const module: Module = {
    name: 'channels',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: channelMessages({ channels, claims, state, statements, addresses }),
    queries: channelQueries({ channels, state, addresses }),
    genesis: channelGenesis({ channels, state, addresses }),
    endBlock(context) {
      forgetClosed(context, state);
      return [];
    },
    invariants: channelInvariants({ state, bank }),
  };
  return { module, keeper: channels };
}
