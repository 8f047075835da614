import type { AddressCodec } from '../../framework/address.ts';
import type { Module } from '../../framework/module.ts';
import { query, queryService } from '../../framework/query.ts';
import {
  QueryParamsRequest,
  QueryParamsResponse,
  QueryService,
} from '../../proto/gen/cosmos/consensus/v1/query.ts';
import { Consensus } from './keeper.ts';
import { consensusMessages } from './messages.ts';
import { consensusState, STORE_NAME } from './state.ts';

/** The module and its keeper. */
export interface ConsensusModule {
  readonly module: Module;
  readonly keeper: Consensus;
}

/**
 * Consensus parameters and validators. It has no section of its own in the genesis document: both stand in
 * the document's consensus part, and the application hands them over in `initChain`.
 */
export function createConsensusModule(addresses: AddressCodec): ConsensusModule {
  const keeper = new Consensus(consensusState());
  const module: Module = {
    name: 'consensus',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: consensusMessages(keeper, addresses),
    queries: queryService(QueryService, {
      Params: query(QueryParamsRequest, QueryParamsResponse, (context) => ({
        params: keeper.params(context),
      })),
    }),
    genesis: undefined,
    beginBlock: (context) => keeper.setLastTime(context, context.block.time),
    invariants: [],
  };
  return { module, keeper };
}
