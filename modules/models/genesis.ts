import type { AddressCodec } from '../../framework/address.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { GenesisState } from '../../proto/gen/openledger/models/v1/genesis.ts';
import type { Models } from './keeper.ts';
import { DEFAULT_PARAMS, paramsFromJson } from './params.ts';
import type { ModelState } from './state.ts';
import { validatePrice, validateSplit } from './validate.ts';

/** Genesis of models: `openledger.models.v1.GenesisState`. Indexes are rebuilt. */
export function modelGenesis(ports: {
  readonly models: Models;
  readonly state: ModelState;
  readonly addresses: AddressCodec;
}): GenesisHandler {
  const { models, state, addresses } = ports;
  return {
    defaults: () => messageToJson(GenesisState, GenesisState.create({ params: DEFAULT_PARAMS })),
    validate: (json) => void readGenesis(json, addresses),
    init(context, json) {
      const genesis = readGenesis(json, addresses);
      state.params.set(context, genesis.params);
      for (const model of genesis.models) models.insert(context, model);
      state.sequence.set(context, genesis.models.at(-1)?.id ?? 0n);
      return [];
    },
    export: (context) =>
      messageToJson(GenesisState, {
        params: models.params(context),
        models: [...state.models.iterate(context)].map(([, model]) => model),
      }),
  };
}

function readGenesis(json: JsonReader, addresses: AddressCodec): GenesisState {
  const params = paramsFromJson(json.member('params'));
  const genesis = { ...messageFromJson(GenesisState, json), params };
  let previous = 0n;
  const known = new Set<bigint>();
  const places = json.member('models').elements();
  for (const [i, model] of genesis.models.entries()) {
    const place = places[i] ?? json;
    if (model.id <= previous) place.fail(`ids must ascend from 1, ${model.id} follows ${previous}`);
    if (model.lineage.some(({ modelId }) => !known.has(modelId)))
      place.member('lineage').fail('an ancestor is no model before this one');
    if (model.lineage.reduce((sum, { bps }) => sum + bps, 0) > 10_000)
      place.member('lineage').fail('ancestors take more than the whole');
    previous = model.id;
    known.add(model.id);
    place.attempt(() => {
      addresses.toBytes(model.owner);
      validatePrice(model.price);
      validateSplit(model.split);
    });
  }
  return genesis;
}
