import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { GenesisState } from '../../proto/gen/openledger/attribution/v1/genesis.ts';
import type { Attribution } from './keeper.ts';
import { DEFAULT_PARAMS, paramsFromJson } from './params.ts';
import type { AttributionState } from './state.ts';

/** Genesis of attribution: `openledger.attribution.v1.GenesisState`. The index is rebuilt. */
export function attributionGenesis(attribution: Attribution, state: AttributionState): GenesisHandler {
  return {
    defaults: () => messageToJson(GenesisState, GenesisState.create({ params: DEFAULT_PARAMS })),
    validate: (json) => void readGenesis(json),
    init(context, json) {
      const genesis = readGenesis(json);
      state.params.set(context, genesis.params);
      for (const claim of genesis.claims) attribution.insert(context, claim);
      state.sequence.set(context, genesis.claims.at(-1)?.id ?? 0n);
      return [];
    },
    export: (context) =>
      messageToJson(GenesisState, {
        params: attribution.params(context),
        claims: [...state.claims.iterate(context)].map(([, claim]) => claim),
      }),
  };
}

function readGenesis(json: JsonReader): GenesisState {
  const params = paramsFromJson(json.member('params'));
  const genesis = { ...messageFromJson(GenesisState, json), params };
  let previous = 0n;
  for (const { id } of genesis.claims) {
    if (id <= previous) json.member('claims').fail(`ids must ascend from 1, ${id} follows ${previous}`);
    previous = id;
  }
  return genesis;
}
