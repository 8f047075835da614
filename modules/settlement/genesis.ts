import { toHex } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import type { JsonReader } from '../../framework/json.ts';
import { parseAmount, parseCoin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { EpochState, GenesisState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { paramsOf, type SettlementCore } from './core.ts';
import { insertEpoch } from './epochs.ts';
import { validateGateway } from './gateways.ts';
import { DEFAULT_PARAMS, paramsFromJson } from './params.ts';
import { kindOfTree } from './proof/kinds.ts';
import { insertRequest, keyOfPiece } from './requests.ts';
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
  requireAscending(json.member('rounds'), genesis.rounds, genesis.lastRoundId);
  requireAscending(json.member('epochs'), genesis.epochs, genesis.lastEpochId);
  const rounds = new Set(genesis.rounds.map(({ id }) => id));
  json.attempt(() => {
    for (const gateway of genesis.gateways) {
      addresses.toBytes(gateway.address);
      validateGateway(gateway);
    }
    for (const { gateway, claimed } of genesis.rounds) {
      addresses.toBytes(gateway);
      parseAmount(claimed);
    }
    for (const { gateway, bond, unclaimed } of genesis.epochs) {
      addresses.toBytes(gateway);
      parseCoin(bond);
      parseAmount(unclaimed);
    }
  });
  for (const { roundId, channelId, from, to } of genesis.lanes)
    if (!rounds.has(roundId) || channelId.length !== 32 || to <= from)
      json.member('lanes').fail(`a lane of round ${roundId} is none, or of no round`);
  for (const { id, roundId, state } of genesis.epochs)
    if (state !== EpochState.EPOCH_STATE_FINAL && !rounds.has(roundId))
      json.member('epochs').fail(`epoch ${id} states round ${roundId}, which is not there`);
  readRequests({ addresses }, json, genesis);
  return genesis;
}

/** Requests are about pieces, each once, and epochs know how many are about them. */
function readRequests(
  { addresses }: Pick<SettlementCore, 'addresses'>,
  json: JsonReader,
  { requests, epochs, lastEpochId, lastRequestId }: GenesisState,
): void {
  const member = json.member('requests');
  requireAscending(member, requests, lastRequestId);
  const pieces = new Set<string>();
  for (const { id, requester, epochId, piece, bond } of requests) {
    member.attempt(() => {
      addresses.toBytes(requester);
      parseCoin(bond);
    });
    const isLeaves = kindOfTree(piece.tree) !== undefined && piece.attribution.length === 0;
    const isAttribution = piece.tree === 0 && piece.first === 0 && piece.attribution.length === HASH_BYTES;
    if (!isLeaves && !isAttribution) member.fail(`request ${id} is for no piece`);
    if (epochId > lastEpochId) member.fail(`request ${id} is about epoch ${epochId}, which never was`);
    pieces.add(`${epochId}/${toHex(keyOfPiece(piece))}`);
  }
  if (pieces.size !== requests.length) member.fail('two requests are for one piece');
  for (const { id, state, openRequests } of epochs) {
    const open = requests.filter(({ epochId }) => epochId === id).length;
    if (open !== openRequests) member.fail(`${open} requests are about epoch ${id}, it has ${openRequests}`);
    if (open > 0 && state !== EpochState.EPOCH_STATE_PENDING) member.fail(`epoch ${id} is not pending`);
  }
}

function requireAscending(json: JsonReader, list: readonly { readonly id: bigint }[], last: bigint): void {
  let previous = 0n;
  for (const { id } of list) {
    if (id <= previous) json.fail(`ids must ascend from 1, ${id} follows ${previous}`);
    previous = id;
  }
  if (previous > last) json.fail(`the last id is ${previous}, the genesis says ${last}`);
}
