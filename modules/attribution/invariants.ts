import { type Coin, coinsToString, normalizeCoins, parseCoin } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import type { ClaimRecord } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { AttributionCore } from './core.ts';
import { isOpen, queueOf } from './open-claims.ts';
import { POLICY_WEIGHT } from './parts.ts';
import { nameOf, targetOf } from './request-targets.ts';
import { placeKeyOf } from './requests.ts';
import { problemOfPause } from './standing.ts';
import { BYTE_WEIGHT } from './verify.ts';

/**
 * What must hold of claims, indexes and bonds after every block. It walks over everything: for tests,
 * simulation and `inspect`.
 */
export function attributionInvariants(k: AttributionCore): readonly Invariant[] {
  return [
    { name: 'weights', check: (context) => checkWeights(k, context) },
    { name: 'bonds', check: (context) => checkBonds(k, context) },
    { name: 'holders', check: (context) => checkHolders(k, context) },
    { name: 'requests', check: (context) => checkRequests(k, context) },
    { name: 'versions', check: (context) => checkVersions(k, context) },
  ];
}

/**
 * Shares and what is nobody's add up to the total: the whole of a policy, or the number of distinct answer
 * bytes that the spans cover.
 */
function checkWeights({ state }: AttributionCore, context: ReadContext): string | undefined {
  for (const [id, claim] of state.claims.iterate(context)) {
    const sum = claim.shares.reduce((total, { weight }) => total + weight, 0n);
    if (sum + claim.unattributedWeight !== claim.totalWeight)
      return `shares of claim ${id} add up to ${sum}, its total is ${claim.totalWeight}`;
    const covered = coveredBytes(claim);
    if (claim.totalWeight !== POLICY_WEIGHT && sum !== covered * BYTE_WEIGHT)
      return `shares of claim ${id} add up to ${sum}, its spans cover ${covered} bytes`;
  }
  return undefined;
}

function coveredBytes({ spans }: ClaimRecord): bigint {
  let covered = 0n;
  let reached = 0n;
  for (const { answerOffset, length } of spans) {
    const end = answerOffset + BigInt(length);
    const start = answerOffset > reached ? answerOffset : reached;
    if (end > start) covered += end - start;
    if (end > reached) reached = end;
  }
  return covered;
}

/**
 * The module's account holds the bonds that are not lost and nothing else: nobody may send to it, and escrows
 * lie in the account of payments.
 */
function checkBonds({ state, bank, account }: AttributionCore, context: ReadContext): string | undefined {
  const bonds: Coin[] = [];
  for (const [, { bond, voidedHeight }] of state.shards.iterate(context))
    if (voidedHeight === 0n) bonds.push(parseCoin(bond));
  for (const [, { bond, voidedHeight }] of state.cards.map.iterate(context))
    if (voidedHeight === 0n) bonds.push(parseCoin(bond));
  for (const [, { bond }] of state.requests.iterate(context)) bonds.push(parseCoin(bond));
  for (const [, claim] of state.claims.iterate(context))
    if (isOpen(claim) && claim.bond !== undefined) bonds.push(parseCoin(claim.bond));
  const held = coinsToString(normalizeCoins(bank.balances(context, account)));
  const owed = coinsToString(normalizeCoins(bonds));
  return held === owed ? undefined : `bonds are ${owed || '0'}, the module account has ${held || '0'}`;
}

/** Shards know how many indexes hold them; what none holds unbonds. */
function checkHolders({ state }: AttributionCore, context: ReadContext): string | undefined {
  const holders = new Map<bigint, number>();
  for (const [, { shardIds }] of state.indexes.map.iterate(context))
    for (const id of shardIds) holders.set(id, (holders.get(id) ?? 0) + 1);
  for (const [id, shard] of state.shards.iterate(context)) {
    if (shard.indexes !== (holders.get(id) ?? 0))
      return `shard ${id} says that ${shard.indexes} indexes hold it, ${holders.get(id) ?? 0} do`;
    if ((shard.indexes === 0) !== shard.releaseHeight > 0n && shard.voidedHeight === 0n)
      return `shard ${id} is held by ${shard.indexes} indexes and released at ${shard.releaseHeight}`;
    holders.delete(id);
  }
  const [missing] = holders.keys();
  if (missing !== undefined) return `an index names shard ${missing}, which is not there`;
  return checkEnds(state, context) ?? checkOpenClaims(state, context);
}

/** What is not retired is found by its shards; convicted shards are queued for their ends, or had them. */
function checkEnds(state: AttributionCore['state'], context: ReadContext): string | undefined {
  let listed = 0;
  const inUse = new Set<bigint>();
  for (const [, { id, shardIds, retired }] of state.indexes.map.iterate(context)) {
    if (retired) continue;
    listed += shardIds.length;
    for (const shardId of shardIds) {
      inUse.add(shardId);
      if (!state.indexesOfShard.has(context, [shardId, id]))
        return `shard ${shardId} does not know that index ${id} holds it`;
    }
  }
  const known = [...state.indexesOfShard.iterate(context)].length;
  if (known !== listed) return `shards know ${known} indexes, there are ${listed}`;
  for (const [id, { voidedHeight, releaseHeight }] of state.shards.iterate(context)) {
    const ends = voidedHeight > 0n && releaseHeight > 0n;
    if (
      ends !== state.voidedShards.has(context, [releaseHeight, id]) ||
      (voidedHeight > 0n && !ends && inUse.has(id))
    )
      return `the indexes on shard ${id}, voided at ${voidedHeight}, end at ${releaseHeight}`;
  }
  return undefined;
}

/** Indexes and model cards know how many open claims rest on them, and open claims are queued. */
function checkOpenClaims(state: AttributionCore['state'], context: ReadContext): string | undefined {
  const onIndexes = new Map<bigint, number>();
  const onCards = new Map<bigint, number>();
  const count = (counts: Map<bigint, number>, id: bigint) => counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const [id, claim] of state.claims.iterate(context)) {
    const open = isOpen(claim);
    const queued = [state.openClaims, state.provedClaims].filter((one) =>
      one.has(context, [claim.dueHeight, id]),
    );
    if (queued.length !== (open ? 1 : 0) || (open && queued[0] !== queueOf(state, claim)))
      return `claim ${id} is ${open ? 'open but not queued' : 'queued but not open'}`;
    if (!open) continue;
    for (const indexId of claim.indexIds) count(onIndexes, indexId);
    if (claim.cardId > 0n) count(onCards, claim.cardId);
  }
  for (const [id, { claims }] of state.indexes.map.iterate(context))
    if (claims !== (onIndexes.get(id) ?? 0)) return `index ${id} counts ${claims} claims that rest on it`;
  for (const [id, { claims }] of state.cards.map.iterate(context))
    if (claims !== (onCards.get(id) ?? 0)) return `model card ${id} counts ${claims} claims that rest on it`;
  return undefined;
}

/** Open requests are counted, found by their places, and queued by their deadlines. */
function checkRequests({ state, addresses }: AttributionCore, context: ReadContext): string | undefined {
  const ofTargets = new Map<string, number>();
  const ofAccounts = new Map<string, bigint>();
  let places = 0;
  for (const [id, request] of state.requests.iterate(context)) {
    const { requester, deadline, place } = request;
    const target = targetOf(request);
    ofTargets.set(nameOf(target), (ofTargets.get(nameOf(target)) ?? 0) + 1);
    ofAccounts.set(requester, (ofAccounts.get(requester) ?? 0n) + 1n);
    if (!state.deadlines.has(context, [deadline, id])) return `request ${id} has no deadline`;
    if (state.requestPlaces.get(context, placeKeyOf(target, place)) !== id)
      return `request ${id} is not found by its place`;
    places++;
  }
  for (const _ of state.requestPlaces.iterate(context)) places--;
  if (places !== 0) return 'a place names a request that is not there';
  const miscounted = checkRequestCounts(state, context, ofTargets);
  if (miscounted !== undefined) return miscounted;
  for (const [address, count] of state.requestsOf.iterate(context)) {
    const text = addresses.toText(address);
    if (ofAccounts.get(text) !== count) return `${text} has ${count} open requests by its count`;
    ofAccounts.delete(text);
  }
  return ofAccounts.size === 0 ? undefined : `${ofAccounts.size} accounts with open requests have no count`;
}

function checkRequestCounts(
  state: AttributionCore['state'],
  context: ReadContext,
  ofTargets: ReadonlyMap<string, number>,
): string | undefined {
  const lists = [
    ['shard', state.shards],
    ['card', state.cards.map],
    ['claim', state.claims],
  ] as const;
  for (const [kind, list] of lists)
    for (const [id, { openRequests }] of list.iterate(context)) {
      const open = ofTargets.get(nameOf({ kind, id })) ?? 0;
      if (openRequests !== open)
        return `${nameOf({ kind, id })} says that ${openRequests} requests are open, ${open} are`;
    }
  return checkPauses(state, context);
}

/** A window stands still for what is asked, and for nothing else. */
function checkPauses(state: AttributionCore['state'], context: ReadContext): string | undefined {
  const lists = [
    ['shard', state.shards],
    ['card', state.cards.map],
  ] as const;
  for (const [kind, list] of lists)
    for (const [id, object] of list.iterate(context)) {
      const problem = problemOfPause(object);
      if (problem !== undefined) return `${nameOf({ kind, id })} ${problem}`;
    }
  return undefined;
}

/** Versions of parameters are kept as long as objects have them. */
function checkVersions({ state }: AttributionCore, context: ReadContext): string | undefined {
  const objects = new Map<bigint, bigint>();
  const lists = [state.shards, state.requests, state.cards.map];
  for (const list of lists)
    for (const [, { paramsVersion }] of list.iterate(context))
      objects.set(paramsVersion, (objects.get(paramsVersion) ?? 0n) + 1n);
  for (const [, claim] of state.claims.iterate(context))
    if (isOpen(claim)) objects.set(claim.paramsVersion, (objects.get(claim.paramsVersion) ?? 0n) + 1n);
  for (const [version, held] of state.versions.iterate(context)) {
    if (held.objects !== objects.get(version))
      return `version ${version} of the parameters is kept for ${held.objects} objects`;
    objects.delete(version);
  }
  const [missing] = objects.keys();
  return missing === undefined ? undefined : `version ${missing} of the parameters is not kept`;
}
