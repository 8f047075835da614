import type { JsonReader } from '../../framework/json.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { EpochState, GenesisState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { paramsOf, type SettlementCore } from './core.ts';
import { insertEpoch } from './epochs.ts';
import { checkGenesis } from './genesis-check.ts';
import { DEFAULT_PARAMS, paramsFromJson } from './params.ts';
import { insertRequest } from './requests.ts';
import { insertRound, laneId } from './rounds.ts';

/** Genesis of settlement: `openledger.settlement.v1.GenesisState`. Indexes and queues are rebuilt. */
export function settlementGenesis(k: SettlementCore): GenesisHandler {
  const { state } = k;
  return {
    defaults: () => messageToJson(GenesisState, GenesisState.create({ params: DEFAULT_PARAMS })),
    validate: (json) => void readGenesis(k, json),
    init(context, json) {
      const genesis = readGenesis(k, json);
      state.params.set(context, genesis.params);
      for (const gateway of genesis.gateways)
        state.gateways.set(context, k.addresses.toBytes(gateway.address), gateway);
      initRounds(k, context, genesis);
      for (const { epochId, word, bits } of genesis.claimedWords)
        state.claimedWords.set(context, [epochId, word], bits);
      state.roundSequence.set(context, genesis.lastRoundId);
      state.epochSequence.set(context, genesis.lastEpochId);
      for (const request of genesis.requests) insertRequest(k, context, request);
      state.requestSequence.set(context, genesis.lastRequestId);
      return [];
    },
    export: (context) => messageToJson(GenesisState, exportGenesis(k, context)),
  };
}

function initRounds({ state, ...rest }: SettlementCore, context: Context, genesis: GenesisState): void {
  const k = { state, ...rest };
  for (const round of genesis.rounds) insertRound(k, context, round);
  for (const lane of genesis.lanes)
    state.lanes.set(context, [lane.roundId, laneId(lane.channelId, lane.lane)], lane);
  for (const epoch of genesis.epochs) {
    insertEpoch(k, context, epoch);
    const isFinal = epoch.state === EpochState.EPOCH_STATE_FINAL;
    if (isFinal && state.rounds.has(context, epoch.roundId)) state.sweeps.add(context, epoch.roundId);
  }
}

function exportGenesis(k: SettlementCore, context: ReadContext): GenesisState {
  const { state } = k;
  const values = <V>(map: { iterate(context: ReadContext): Iterable<readonly [unknown, V]> }): V[] =>
    [...map.iterate(context)].map(([, value]) => value);
  return {
    params: paramsOf(k, context),
    gateways: values(state.gateways),
    rounds: values(state.rounds),
    lanes: values(state.lanes),
    epochs: values(state.epochs),
    claimedWords: [...state.claimedWords.iterate(context)].map(([[epochId, word], bits]) => {
      return { epochId, word, bits };
    }),
    lastRoundId: state.roundSequence.peek(context),
    lastEpochId: state.epochSequence.peek(context),
    requests: values(state.requests),
    lastRequestId: state.requestSequence.peek(context),
  };
}

function readGenesis({ addresses }: SettlementCore, json: JsonReader): GenesisState {
  const params = paramsFromJson(json.member('params'));
  const genesis = { ...messageFromJson(GenesisState, json), params };
  checkGenesis(json, genesis, addresses);
  return genesis;
}
