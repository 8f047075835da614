import type { AddressCodec } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { equalBytes } from '../../core/bytes.ts';
import { type Contribution, ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { GenesisState } from '../../proto/gen/openledger/datanet/v1/genesis.ts';
import { type Datanets, isInLog } from './keeper.ts';
import { DEFAULT_PARAMS, paramsFromJson } from './params.ts';
import type { DatanetState } from './state.ts';
import { sumRoot } from './sum-tree.ts';

interface GenesisPorts {
  readonly datanets: Datanets;
  readonly state: DatanetState;
  readonly addresses: AddressCodec;
}

/**
 * Genesis of datanet: `openledger.datanet.v1.GenesisState`. Totals, logs and indexes are rebuilt and
 * checked.
 */
export function datanetGenesis(ports: GenesisPorts): GenesisHandler {
  const { state, addresses } = ports;
  return {
    defaults: () => messageToJson(GenesisState, GenesisState.create({ params: DEFAULT_PARAMS })),
    validate: (json) => void readGenesis(json, addresses),
    init(context, json) {
      const genesis = readGenesis(json, addresses);
      state.params.set(context, genesis.params);
      for (const datanet of genesis.datanets) state.datanets.set(context, datanet.id, datanet);
      state.datanetSequence.set(context, lastId(genesis.datanets));
      for (const { datanetId, address } of genesis.allowList)
        state.allowList.add(context, [datanetId, addresses.toBytes(address)]);
      initContributions(ports, context, genesis.contributions, json);
      initSnapshots(ports, context, genesis, json);
      return [];
    },
    export: (context) => messageToJson(GenesisState, exportGenesis(ports, context)),
  };
}

function readGenesis(json: JsonReader, addresses: AddressCodec): GenesisState {
  const params = paramsFromJson(json.member('params'));
  const genesis = { ...messageFromJson(GenesisState, json), params };
  const lists = ['datanets', 'contributions', 'snapshots'] as const;
  for (const name of lists) requireAscending(json.member(name), genesis[name]);
  const datanets = new Set(genesis.datanets.map(({ id }) => id));
  for (const name of ['contributions', 'snapshots'] as const)
    for (const [i, { datanetId }] of genesis[name].entries())
      if (!datanets.has(datanetId))
        json.member(name).fail(`element ${i} names datanet ${datanetId}, which is not listed`);
  const owners = [
    ...genesis.datanets.map(({ owner }) => owner),
    ...genesis.allowList.map(({ address }) => address),
  ];
  json.attempt(() => {
    for (const text of [...owners, ...genesis.contributions.map(({ contributor }) => contributor)])
      addresses.toBytes(text);
  });
  return genesis;
}

function requireAscending(json: JsonReader, list: readonly { readonly id: bigint }[]): void {
  let previous = 0n;
  for (const { id } of list) {
    if (id <= previous) json.fail(`ids must ascend from 1, ${id} follows ${previous}`);
    previous = id;
  }
}

function initContributions(
  { datanets, state }: GenesisPorts,
  context: Context,
  list: readonly Contribution[],
  json: JsonReader,
): void {
  for (const contribution of list) {
    const { id, datanetId, root } = contribution;
    state.contributions.set(context, id, contribution);
    if (!state.canonical.has(context, root)) state.canonical.set(context, root, id);
    const totals = datanets.totals(context, datanetId);
    state.totals.set(context, datanetId, { ...totals, contributions: totals.contributions + 1n });
  }
  const { CONTRIBUTION_STATE_WITHDRAWN } = ContributionState;
  for (const contribution of list.filter(isInLog).toSorted((a, b) => (a.position < b.position ? -1 : 1))) {
    const { datanetId, byteLength, tokenCount, lastVersion } = contribution;
    const totals = datanets.totals(context, datanetId);
    const withdrawn = contribution.state === CONTRIBUTION_STATE_WITHDRAWN;
    if (lastVersion > 0 && !withdrawn)
      json
        .member('contributions')
        .fail(`contribution ${contribution.id} is not withdrawn, but has a last version`);
    if (contribution.position !== totals.accepted)
      json.member('contributions').fail(`contribution ${contribution.id} has a position that leaves a gap`);
    datanets.appendToLog(context, contribution);
    state.totals.set(context, datanetId, {
      ...totals,
      accepted: totals.accepted + 1n,
      acceptedBytes: totals.acceptedBytes + byteLength,
      acceptedTokens: totals.acceptedTokens + tokenCount,
      withdrawn: totals.withdrawn + (withdrawn ? 1n : 0n),
    });
  }
  state.contributionSequence.set(context, lastId(list));
}

function initSnapshots(
  { datanets, state }: GenesisPorts,
  context: Context,
  genesis: GenesisState,
  json: JsonReader,
): void {
  for (const snapshot of genesis.snapshots) {
    const { id, datanetId, count, root, version } = snapshot;
    const totals = datanets.totals(context, datanetId);
    const expected =
      count <= totals.accepted ? sumRoot(count, datanets.nodes(context, datanetId)) : undefined;
    if (expected === undefined || !equalBytes(expected.hash, root))
      json.member('snapshots').fail(`the root of snapshot ${id} does not follow from the contributions`);
    state.snapshots.set(context, id, snapshot);
    state.totals.set(context, datanetId, { ...totals, snapshots: Math.max(totals.snapshots, version) });
  }
  state.snapshotSequence.set(context, lastId(genesis.snapshots));
}

function lastId(list: readonly { readonly id: bigint }[]): bigint {
  return list.at(-1)?.id ?? 0n;
}

function exportGenesis({ datanets, state, addresses }: GenesisPorts, context: ReadContext): GenesisState {
  return {
    params: datanets.params(context),
    datanets: [...state.datanets.iterate(context)].map(([, datanet]) => datanet),
    allowList: [...state.allowList.iterate(context)].map(([datanetId, address]) => ({
      datanetId,
      address: addresses.toText(address),
    })),
    contributions: [...state.contributions.iterate(context)].map(([, contribution]) => contribution),
    snapshots: [...state.snapshots.iterate(context)].map(([, snapshot]) => snapshot),
  };
}
