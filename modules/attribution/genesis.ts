import type { Sequence } from '../../framework/collections.ts';
import { parseCoin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { GenesisState } from '../../proto/gen/openledger/attribution/v1/genesis.ts';
import type { AttributionCore } from './core.ts';
import { insertIndex } from './indexes.ts';
import { insertClaim, isOpen } from './open-claims.ts';
import { DEFAULT_PARAMS, paramsFromJson, validateParams } from './params.ts';
import { targetOf } from './request-targets.ts';
import { insertRequest, placeKeyOf } from './requests.ts';
import { problemOfPause } from './standing.ts';
import { currentParams, currentVersion } from './versions.ts';

/**
 * Genesis of attribution: `openledger.attribution.v1.GenesisState`. Indexes, queues and counts are rebuilt.
 */
export function attributionGenesis(k: AttributionCore): GenesisHandler {
  const { state } = k;
  return {
    defaults: () =>
      messageToJson(GenesisState, GenesisState.create({ params: DEFAULT_PARAMS, paramsVersion: 1n })),
    validate: (json) => void readGenesis(k, json),
    init(context, json) {
      const genesis = readGenesis(k, json);
      state.params.set(context, genesis.params);
      state.paramsChanges.set(context, genesis.paramsVersion - 1n);
      for (const version of genesis.paramsVersions) state.versions.set(context, version.version, version);
      for (const claim of genesis.claims) insertClaim(k, context, claim);
      initIndexes(k, context, genesis);
      const sequences = sequencesOf(k);
      for (const [name, sequence] of sequences) sequence.set(context, lastIdOf(genesis, name));
      return [];
    },
    export: (context) => messageToJson(GenesisState, exportGenesis(k, context)),
  };
}

const LISTS = {
  lastClaimId: 'claims',
  lastShardId: 'shards',
  lastIndexId: 'indexes',
  lastRequestId: 'requests',
  lastCardId: 'cards',
} as const;

type LastId = keyof typeof LISTS;

function sequencesOf({ state }: AttributionCore): readonly (readonly [LastId, Sequence])[] {
  return [
    ['lastClaimId', state.sequence],
    ['lastShardId', state.shardSequence],
    ['lastIndexId', state.indexSequence],
    ['lastRequestId', state.requestSequence],
    ['lastCardId', state.cardSequence],
  ];
}

/** What it says, or the last of the list: objects go away, so it may say more. */
function lastIdOf(genesis: GenesisState, name: LastId): bigint {
  const listed = genesis[LISTS[name]].at(-1)?.id ?? 0n;
  return genesis[name] > listed ? genesis[name] : listed;
}

function initIndexes(k: AttributionCore, context: Context, genesis: GenesisState): void {
  const { state } = k;
  for (const shard of genesis.shards) {
    state.shards.set(context, shard.id, shard);
    const queue = shard.voidedHeight > 0n ? state.voidedShards : state.shardReleases;
    if (shard.releaseHeight > 0n) queue.add(context, [shard.releaseHeight, shard.id]);
  }
  for (const index of genesis.indexes) insertIndex(k, context, index);
  for (const request of genesis.requests) insertRequest(k, context, request);
  for (const card of genesis.cards) {
    state.cards.set(context, card.id, card);
    if (card.releaseHeight > 0n) state.cardReleases.add(context, [card.releaseHeight, card.id]);
  }
}

function readGenesis({ addresses }: AttributionCore, json: JsonReader): GenesisState {
  const params = paramsFromJson(json.member('params'));
  const read = messageFromJson(GenesisState, json);
  const genesis = { ...read, params, paramsVersion: read.paramsVersion === 0n ? 1n : read.paramsVersion };
  for (const name of Object.values(LISTS)) requireAscending(json.member(name), genesis[name]);
  json.attempt(() => {
    for (const { params: old } of genesis.paramsVersions) validateParams(old);
    for (const { publisher, bond } of [...genesis.shards, ...genesis.cards]) {
      addresses.toBytes(publisher);
      parseCoin(bond);
    }
    for (const { claimant, payer, bond, shares } of genesis.claims) {
      for (const text of [claimant, payer]) if (text !== '') addresses.toBytes(text);
      for (const { contributor } of shares) addresses.toBytes(contributor);
      if (bond !== undefined) parseCoin(bond);
    }
    for (const { requester, bond } of genesis.requests) {
      addresses.toBytes(requester);
      parseCoin(bond);
    }
  });
  requireReferences(json, genesis);
  requireCounts(json, genesis);
  requireRequests(json, genesis);
  return genesis;
}

function requireAscending(json: JsonReader, list: readonly { readonly id: bigint }[]): void {
  let previous = 0n;
  for (const { id } of list) {
    if (id <= previous) json.fail(`ids must ascend from 1, ${id} follows ${previous}`);
    previous = id;
  }
}

/** Whatever is named is there: hooks rely on it. */
function requireReferences(json: JsonReader, genesis: GenesisState): void {
  const versions = new Set(genesis.paramsVersions.map(({ version }) => version));
  const open = genesis.claims.filter(isOpen);
  for (const { id, paramsVersion } of [...genesis.shards, ...genesis.requests, ...genesis.cards, ...open])
    if (!versions.has(paramsVersion))
      json.member('params_versions').fail(`object ${id} names version ${paramsVersion}, which is not listed`);
  const shards = new Set(genesis.shards.map(({ id }) => id));
  for (const { id, shardIds } of genesis.indexes)
    for (const shardId of shardIds)
      if (!shards.has(shardId))
        json.member('indexes').fail(`index ${id} names shard ${shardId}, which is not listed`);
  const indexes = new Set(genesis.indexes.map(({ id }) => id));
  for (const { id, indexIds } of open)
    for (const indexId of indexIds)
      if (!indexes.has(indexId))
        json.member('claims').fail(`claim ${id} rests on index ${indexId}, which is not listed`);
  const cards = new Set(genesis.cards.map(({ id }) => id));
  for (const { id, cardId } of open)
    if (cardId > 0n && !cards.has(cardId))
      json.member('claims').fail(`claim ${id} rests on model card ${cardId}, which is not listed`);
}

/** What is counted is there so often: hooks end objects by their counts. */
function requireCounts(json: JsonReader, genesis: GenesisState): void {
  const { claims, shards, indexes, requests, cards } = genesis;
  const open = claims.filter(isOpen);
  const versions = tally([...shards, ...requests, ...cards, ...open].map((one) => one.paramsVersion));
  for (const { version, objects } of genesis.paramsVersions)
    if (objects !== BigInt(versions.get(version) ?? 0))
      json.member('params_versions').fail(`version ${version} has ${versions.get(version) ?? 0} objects`);
  const held = tally(indexes.flatMap(({ shardIds }) => shardIds));
  for (const { id, indexes: count } of shards)
    if (count !== (held.get(id) ?? 0))
      json.member('shards').fail(`shard ${id} counts other indexes than are listed`);
  const resting = tally(open.flatMap(({ indexIds }) => indexIds));
  for (const { id, claims: count } of indexes)
    if (count !== (resting.get(id) ?? 0))
      json.member('indexes').fail(`index ${id} counts other claims than are open`);
  const influenced = tally(open.map(({ cardId }) => cardId));
  for (const { id, claims: count } of cards)
    if (count !== (influenced.get(id) ?? 0))
      json.member('cards').fail(`card ${id} counts other claims than are open`);
}

/** Requests are counted by what they are about, each for another place; claims wait for theirs. */
function requireRequests(json: JsonReader, { requests, shards, cards, claims }: GenesisState): void {
  const counted = [
    { name: 'shards', list: shards, asked: tally(requests.map(({ shardId }) => shardId)) },
    { name: 'cards', list: cards, asked: tally(requests.map(({ cardId }) => cardId)) },
    { name: 'claims', list: claims, asked: tally(requests.map(({ claimId }) => claimId)) },
  ];
  for (const { name, list, asked } of counted)
    for (const { id, openRequests } of list)
      if (openRequests !== (asked.get(id) ?? 0))
        json.member(name).fail(`${id} counts other requests than are listed`);
  for (const [name, list] of [
    ['shards', shards],
    ['cards', cards],
  ] as const)
    for (const { id, ...window } of list) {
      const problem = problemOfPause(window);
      if (problem !== undefined) json.member(name).fail(`${id} ${problem}`);
    }
  const places = new Set<string>();
  for (const request of requests) {
    const place = json.attempt(() => placeKeyOf(targetOf(request), request.place)).join();
    if (places.has(place)) json.member('requests').fail(`request ${request.id} is for the place of another`);
    places.add(place);
  }
  for (const claim of claims)
    if (isOpen(claim) && claim.dueHeight < claim.finalHeight)
      json.member('claims').fail(`claim ${claim.id} is decided before its final height`);
}

function tally(ids: readonly bigint[]): ReadonlyMap<bigint, number> {
  const counts = new Map<bigint, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

function exportGenesis(k: AttributionCore, context: ReadContext): GenesisState {
  const { state } = k;
  const values = <V>(list: { iterate(context: ReadContext): Iterable<readonly [unknown, V]> }) =>
    [...list.iterate(context)].map(([, value]) => value);
  const last = (name: LastId): bigint =>
    sequencesOf(k)
      .find(([one]) => one === name)?.[1]
      .peek(context) ?? 0n;
  return {
    params: currentParams(state, context),
    claims: values(state.claims),
    paramsVersion: currentVersion(state, context),
    paramsVersions: values(state.versions),
    shards: values(state.shards),
    indexes: values(state.indexes.map),
    requests: values(state.requests),
    cards: values(state.cards.map),
    lastClaimId: last('lastClaimId'),
    lastShardId: last('lastShardId'),
    lastIndexId: last('lastIndexId'),
    lastRequestId: last('lastRequestId'),
    lastCardId: last('lastCardId'),
  };
}
