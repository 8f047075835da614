/** What a genesis of settlement must be, before it is written anywhere: its rows belong together and add up. */
import { toHex } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import type { AddressCodec } from '../../framework/address.ts';
import { isBond } from '../../framework/bonds.ts';
import { isDenom, parseAmount } from '../../framework/coins.ts';
import type { JsonReader } from '../../framework/json.ts';
import {
  type Epoch,
  EpochState,
  type GenesisState,
  type Round,
} from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { WORD_BITS } from './entitlements.ts';
import { validateGateway } from './gateways.ts';
import { checkEpoch, sumsOfEpoch } from './proof/epoch.ts';
import { kindOfTree } from './proof/kinds.ts';
import { keyOfPiece } from './requests.ts';

const CHANNEL_BYTES = 32;
const { EPOCH_STATE_PENDING: PENDING, EPOCH_STATE_PAYING: PAYING, EPOCH_STATE_FINAL: FINAL } = EpochState;

/** @throws LedgerError `genesis` naming the path in the document */
export function checkGenesis(json: JsonReader, genesis: GenesisState, addresses: AddressCodec): void {
  const check: Check = {
    json,
    genesis,
    addresses,
    rounds: new Map(genesis.rounds.map((round) => [round.id, round])),
    epochs: new Map(genesis.epochs.map((epoch) => [epoch.id, epoch])),
  };
  checkGateways(check);
  checkRounds(check, sumsOfLanes(check));
  checkEpochs(check);
  checkWords(check);
  checkRequests(check);
}

interface Check {
  readonly json: JsonReader;
  readonly genesis: GenesisState;
  readonly addresses: AddressCodec;
  readonly rounds: ReadonlyMap<bigint, Round>;
  readonly epochs: ReadonlyMap<bigint, Epoch>;
}

function checkGateways({ json, genesis, addresses }: Check): void {
  const seen = new Set<string>();
  each(json.member('gateways'), genesis.gateways, (gateway) => {
    requireOnce(seen, toHex(addresses.toBytes(gateway.address)), `gateway ${gateway.address}`);
    validateGateway(gateway);
  });
}

/** What was claimed of each round's lanes. */
function sumsOfLanes({ json, genesis, rounds }: Check): ReadonlyMap<bigint, bigint> {
  const sums = new Map<bigint, bigint>();
  const seen = new Set<string>();
  each(json.member('lanes'), genesis.lanes, ({ roundId, channelId, lane, from, to }) => {
    if (!rounds.has(roundId)) throw new RangeError(`there is no round ${roundId}`);
    if (channelId.length !== CHANNEL_BYTES)
      throw new RangeError(`channel_id has ${channelId.length} bytes, must have ${CHANNEL_BYTES}`);
    if (to <= from) throw new RangeError(`is empty: from ${from} to ${to}`);
    requireOnce(seen, `${roundId}/${toHex(channelId)}/${lane}`, `lane ${lane} of round ${roundId}`);
    sums.set(roundId, (sums.get(roundId) ?? 0n) + to - from);
  });
  return sums;
}

/** Rounds hold what their lanes add up to, until they are paid. */
function checkRounds({ json, genesis, addresses, epochs }: Check, sums: ReadonlyMap<bigint, bigint>): void {
  const member = json.member('rounds');
  requireAscending(member, genesis.rounds, genesis.lastRoundId);
  const open = new Set<string>();
  each(member, genesis.rounds, ({ id, gateway, denom, claimed, closed, epochId }) => {
    const address = toHex(addresses.toBytes(gateway));
    if (!isDenom(denom)) throw new RangeError('denom is no denomination');
    if (!closed) requireOnce(open, `${address}/${denom}`, `an open round of ${gateway} in ${denom}`);
    const epoch = epochs.get(epochId);
    if (epochId > 0n && (epoch?.roundId !== id || !closed))
      throw new RangeError(`round ${id} must be closed and stated by epoch ${epochId}`);
    const isPaid = epoch !== undefined && epoch.state !== PENDING;
    const held = isPaid ? 0n : (sums.get(id) ?? 0n);
    if (parseAmount(claimed) !== held)
      throw new RangeError(
        `round ${id} holds ${claimed}, ${isPaid ? 'it is paid' : `its lanes add up to ${held}`}`,
      );
  });
}

function checkEpochs({ json, genesis, addresses, rounds }: Check): void {
  const member = json.member('epochs');
  requireAscending(member, genesis.epochs, genesis.lastEpochId);
  each(member, genesis.epochs, (epoch) => {
    const { id, gateway, denom, roundId, state, bond } = epoch;
    const address = addresses.toBytes(gateway);
    if (!isDenom(denom)) throw new RangeError('denom is no denomination');
    if (!isBond(bond)) throw new RangeError('bond must be a denomination and a positive whole number');
    const round = rounds.get(roundId);
    if (round === undefined && state !== FINAL)
      throw new RangeError(`epoch ${id} states round ${roundId}, which is not there`);
    if (round !== undefined) {
      const isOwn = toHex(addresses.toBytes(round.gateway)) === toHex(address) && round.denom === denom;
      if (round.epochId !== id || !isOwn)
        throw new RangeError(`epoch ${id} states round ${roundId}, which is not its own`);
    }
    checkPaid(epoch, round);
  });
}

/** The commitment adds up, and what is paid of it is a part of it. */
function checkPaid({ id, state, commitment, paidRows, unclaimed }: Epoch, round: Round | undefined): void {
  const { platform, models, stakers, contributors } = sumsOfEpoch(commitment);
  const total = platform + models + stakers + contributors;
  checkEpoch(commitment, state === PENDING && round !== undefined ? parseAmount(round.claimed) : total);
  const rows = commitment.rows.length;
  const isRight =
    (state === PENDING && paidRows === 0) ||
    (state === PAYING && paidRows < rows) ||
    (state === FINAL && paidRows === rows);
  if (!isRight) throw new RangeError(`epoch ${id} has state ${state} and ${paidRows} of ${rows} rows paid`);
  const entitled = commitment.entitlements.sums[0] ?? 0n;
  const left = parseAmount(unclaimed);
  if (left < 0n || left > entitled || (state !== FINAL && left !== entitled))
    throw new RangeError(`epoch ${id} has ${left} unclaimed of ${entitled}`);
}

/** Entitlements that were claimed are of final epochs, and there. */
function checkWords({ json, genesis, epochs }: Check): void {
  const seen = new Set<string>();
  each(json.member('claimed_words'), genesis.claimedWords, ({ epochId, word, bits }) => {
    const epoch = epochs.get(epochId);
    if (epoch?.state !== FINAL) throw new RangeError(`there is no final epoch ${epochId}`);
    requireOnce(seen, `${epochId}/${word}`, `word ${word} of epoch ${epochId}`);
    const { leaves } = epoch.commitment.entitlements;
    const room = Math.min(WORD_BITS, Math.max(0, leaves - word * WORD_BITS));
    if (bits === 0n || bits >> BigInt(room) > 0n)
      throw new RangeError(`epoch ${epochId} has ${leaves} entitlements, word ${word} has others or none`);
  });
}

/** Requests are about pieces, each once, and epochs know how many are about them. */
function checkRequests({ json, genesis, addresses, epochs }: Check): void {
  const member = json.member('requests');
  const { requests, lastEpochId, lastRequestId } = genesis;
  requireAscending(member, requests, lastRequestId);
  const seen = new Set<string>();
  const open = new Map<bigint, number>();
  each(member, requests, ({ id, requester, epochId, piece, bond }) => {
    addresses.toBytes(requester);
    if (!isBond(bond)) throw new RangeError('bond must be a denomination and a positive whole number');
    const isLeaves = kindOfTree(piece.tree) !== undefined && piece.attribution.length === 0;
    const isAttribution = piece.tree === 0 && piece.first === 0 && piece.attribution.length === HASH_BYTES;
    if (!isLeaves && !isAttribution) throw new RangeError(`request ${id} is for no piece`);
    if (epochId === 0n || epochId > lastEpochId)
      throw new RangeError(`request ${id} is about epoch ${epochId}, which never was`);
    // A convicted epoch is gone, and requests about it wait for their deadlines.
    const { state } = epochs.get(epochId) ?? { state: PENDING };
    if (state !== PENDING) throw new RangeError(`epoch ${epochId} is not pending`);
    requireOnce(
      seen,
      `${epochId}/${toHex(keyOfPiece(piece))}`,
      `a request for this piece of epoch ${epochId}`,
    );
    open.set(epochId, (open.get(epochId) ?? 0) + 1);
  });
  each(json.member('epochs'), genesis.epochs, ({ id, openRequests }) => {
    const count = open.get(id) ?? 0;
    if (count !== openRequests)
      throw new RangeError(`${count} requests are about epoch ${id}, it has ${openRequests}`);
  });
}

function requireAscending(json: JsonReader, list: readonly { readonly id: bigint }[], last: bigint): void {
  let previous = 0n;
  each(json, list, ({ id }) => {
    if (id <= previous) throw new RangeError(`ids must ascend from 1, ${id} follows ${previous}`);
    previous = id;
  });
  if (previous > last) json.fail(`the last id is ${previous}, the genesis says ${last}`);
}

function requireOnce(seen: Set<string>, key: string, what: string): void {
  if (seen.has(key)) throw new RangeError(`${what} is listed twice`);
  seen.add(key);
}

/** Checks one after the other, so that a complaint names its place. */
function each<T>(json: JsonReader, list: readonly T[], check: (entry: T) => void): void {
  const places = list.length === 0 ? [] : json.elements();
  for (const [i, entry] of list.entries()) (places[i] ?? json).attempt(() => check(entry));
}
