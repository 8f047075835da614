/** Gateways that settle what they have claimed, rightly and wrongly, and who looks at what they say. */
import { toHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { findEpochFraud } from '../../../gateway/epochs/find-fraud.ts';
import { openEpochFraud } from '../../../gateway/epochs/open-fraud.ts';
import { openLeaves, openRun, type PublishedEpoch } from '../../../gateway/epochs/published.ts';
import { WORD_BITS } from '../../../modules/settlement/entitlements.ts';
import { kindOfTree } from '../../../modules/settlement/proof/kinds.ts';
import type { Receipt } from '../../../modules/settlement/proof/leaves.ts';
import { runOf } from '../../../modules/settlement/proof/piece.ts';
import { DEFAULT_PARAMS } from '../../../modules/settlement/params.ts';
import { settlementState } from '../../../modules/settlement/state.ts';
import { EpochRule } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import {
  type Epoch,
  EpochState,
  type Round,
} from '../../../proto/gen/openledger/settlement/v1/settlement.ts';
import * as wire from '../../../proto/gen/openledger/settlement/v1/tx.ts';
import { epochOfReceipts, lanesOf, type Served, tiling, watchedChain } from '../../support/epochs.ts';
import type { Actor } from '../actors.ts';
import type { Memory, RememberedModel } from '../memory.ts';
import { actorAt, anyone, coin, type Operation, operation, type World } from '../world.ts';

const STATE = settlementState();
/** What gateways serve, by the root of their receipts. */
const PUBLISHED = new WeakMap<Memory, Map<string, PublishedEpoch>>();
const ENDPOINT = 'https://gateway.example';

function publishedOf({ memory }: World): Map<string, PublishedEpoch> {
  const known = PUBLISHED.get(memory) ?? new Map<string, PublishedEpoch>();
  PUBLISHED.set(memory, known);
  return known;
}

/** An epoch in one of these states, with what its gateway serves. */
function anEpoch(
  world: World,
  wanted: (epoch: Epoch) => boolean,
): { readonly epoch: Epoch; readonly served: PublishedEpoch } | undefined {
  const published = publishedOf(world);
  const found = [...STATE.epochs.iterate(world.context)].flatMap(([, epoch]) => {
    const served = published.get(toHex(epoch.commitment.receipts.root));
    return served !== undefined && wanted(epoch) ? [{ epoch, served }] : [];
  });
  return world.random.some(found);
}

/** A round that no epoch states, mostly; of a gateway that is registered, mostly, or of one that is not. */
function aRound({ random, context, composition }: World, isRegistered: boolean): Round | undefined {
  const rounds = [...STATE.rounds.iterate(context)].map(([, round]) => round);
  if (random.oneIn(20)) return random.some(rounds);
  const fitting = rounds.filter(({ epochId, gateway }) => {
    const known = STATE.gateways.has(context, composition.addresses.toBytes(gateway));
    return epochId === 0n && known === isRegistered;
  });
  return random.some(fitting);
}

/**
 * One inference of a model of this denomination that there is, mostly of the cheapest, for which what was
 * claimed is enough; seldom of none.
 */
function anInference({ random, memory }: World, denom: string): Served | undefined {
  const models = memory.models.filter(({ message }) => message.price.denom === denom);
  const callOf = (one: RememberedModel): number => Number(one.message.price.perCall);
  const [cheapest] = models.toSorted((a, b) => callOf(a) - callOf(b));
  const model = random.oneIn(3) ? random.some(models) : cheapest;
  if (model === undefined || random.oneIn(12)) return undefined;
  const tokensMax = random.oneIn(2) ? 3 : 400;
  return { modelId: model.id, tokensIn: random.below(tokensMax), tokensOut: random.below(tokensMax) };
}

/** Says of one inference that it was another one, or shares its fee out otherwise. */
function lie({ random }: World, receipts: readonly Receipt[]): readonly Receipt[] {
  const at = random.below(receipts.length);
  return receipts.map((receipt, i) => {
    const { parts, tokensOut } = receipt;
    if (i !== at) return receipt;
    if (random.oneIn(2)) return { ...receipt, tokensOut: tokensOut + 5_000 };
    return { ...receipt, parts: { ...parts, platform: 0n, stakers: parts.stakers + parts.platform } };
  });
}

function aSettlement(world: World, round: Round, gateway: string): wire.MsgSettleEpoch | undefined {
  const { random, context, composition } = world;
  const { rowsMax, bondDenom, epochBond } = STATE.params.get(context) ?? DEFAULT_PARAMS;
  const chain = watchedChain(composition, context, round);
  let budget = 30;
  const honest = tiling(lanesOf(context, round.id), chain, () =>
    budget-- > 0 ? anInference(world, round.denom) : undefined,
  );
  if (honest.length === 0) return undefined;
  const receipts = random.oneIn(4) ? lie(world, honest) : honest;
  // Without listed rows all that is earned is under entitlements.
  const listed = random.oneIn(3) ? random.between(0, rowsMax + (random.oneIn(10) ? 1 : 0)) : 0;
  const served = epochOfReceipts(receipts, chain, listed);
  publishedOf(world).set(toHex(served.commitment.receipts.root), served);
  const bond = coin(random.oneIn(20) ? epochBond - 1n : epochBond, bondDenom);
  return { gateway, roundId: round.id, commitment: served.commitment, bond };
}

/** Mostly what convicts; for an epoch in which there is nothing, what does not. */
function aDispute(world: World, challenger: string): wire.MsgDisputeEpoch | undefined {
  const { random, composition, context } = world;
  const found = anEpoch(world, ({ state }) => state === EpochState.EPOCH_STATE_PENDING);
  const round = found && STATE.rounds.get(context, found.epoch.roundId);
  if (found === undefined || round === undefined) return undefined;
  const { epoch, served } = found;
  const fraud = findEpochFraud(served, watchedChain(composition, context, round));
  if (fraud === undefined && !random.oneIn(6)) return undefined;
  const index = random.below(served.receipts.tree.leaves);
  const harmless = openEpochFraud(served, EpochRule.EPOCH_RULE_FEE, { index });
  return { challenger, epochId: epoch.id, fraud: fraud ?? harmless };
}

/** An entitlement that nobody has claimed yet, mostly. */
function anIndex({ random, context }: World, { id }: Epoch, leaves: number): number {
  const isClaimed = (index: number): boolean => {
    const bits = STATE.claimedWords.get(context, [id, Math.floor(index / WORD_BITS)]) ?? 0n;
    return ((bits >> BigInt(index % WORD_BITS)) & 1n) === 1n;
  };
  const left = Array.from({ length: leaves }, (_, index) => index).filter((index) => !isClaimed(index));
  return (random.oneIn(10) ? undefined : random.some(left)) ?? random.below(leaves);
}

function aClaim(world: World, sender: string): wire.MsgClaimEntitlement | undefined {
  const isFinal = ({ state }: Epoch): boolean => state === EpochState.EPOCH_STATE_FINAL;
  const found = anEpoch(world, (one) => one.unclaimed !== '0' && (isFinal(one) || world.random.oneIn(100)));
  if (found === undefined || found.served.entitlements.tree.leaves === 0) return undefined;
  const { epoch, served } = found;
  const index = anIndex(world, epoch, served.entitlements.tree.leaves);
  return { sender, epochId: epoch.id, index, opening: openLeaves(served.entitlements, [index]) };
}

/** A run of leaves, or the attribution that a receipt names; mostly of a pending epoch. */
function aRequest(world: World, requester: string): wire.MsgRequestEpochPiece | undefined {
  const { random, context } = world;
  const found = anEpoch(world, ({ state }) => state === EpochState.EPOCH_STATE_PENDING || random.oneIn(20));
  if (found === undefined) return undefined;
  const { epoch, served } = found;
  const { requestBond, bondDenom } = STATE.params.get(context) ?? DEFAULT_PARAMS;
  const tree = random.between(1, 3);
  const { leaves } = [served.receipts, served.allocations, served.entitlements][tree - 1]?.tree ?? {};
  const index = random.below((leaves ?? 0) + (random.oneIn(20) ? 1 : 0));
  const least = requestBond * BigInt(1 + epoch.openRequests);
  const bond = coin(random.oneIn(20) ? least - 1n : least, bondDenom);
  const receipt = { leaves: [], siblings: new Uint8Array(0) };
  if (leaves === 0) return undefined;
  return { requester, epochId: epoch.id, tree, index, receipt, bond };
}

/** Mostly what is asked for; seldom something else. Some requests are left unanswered. */
function anAnswer(world: World, sender: string): wire.MsgServeEpochPiece | undefined {
  const { random, context } = world;
  const published = publishedOf(world);
  const request = random.some([...STATE.requests.iterate(context)].map(([, each]) => each));
  if (request === undefined || request.id % 4n === 0n) return undefined;
  const epoch = STATE.epochs.get(context, request.epochId);
  const served = epoch && published.get(toHex(epoch.commitment.receipts.root));
  const kind = kindOfTree(request.piece.tree);
  if (served === undefined || kind === undefined) return undefined;
  const tree = [served.receipts, served.allocations, served.entitlements].find(({ of }) => of === kind);
  if (tree === undefined) return undefined;
  const right = openRun(tree, runOf(kind, tree.tree, request.piece.first));
  const opening = random.oneIn(10) ? { ...right, leaves: right.leaves.slice(1) } : right;
  return { sender, requestId: request.id, opening, attribution: new Uint8Array(0) };
}

const rounds = new WeakMap<World, Round>();

/** Whose round it is. */
const settler =
  (isRegistered: boolean) =>
  (world: World): Actor | undefined => {
    const round = aRound(world, isRegistered);
    if (round === undefined) return undefined;
    rounds.set(world, round);
    return world.random.oneIn(25) ? anyone(world) : actorAt(world, round.gateway);
  };

/** What gateways and watchers do. */
export const settlementOperations: readonly Operation[] = [
  operation(
    wire.MsgRegisterGateway,
    8,
    ({ random }, { address: gateway }) => ({
      gateway,
      receiptKey: sha256(utf8(gateway)).subarray(0, random.oneIn(30) ? 31 : 32),
      endpoint: ENDPOINT,
    }),
    settler(false),
  ),
  operation(
    wire.MsgUpdateGateway,
    2,
    (_, { address: gateway }) => ({ gateway, endpoint: `${ENDPOINT}/2` }),
    settler(true),
  ),
  operation(
    wire.MsgSettleEpoch,
    30,
    (world, { address }) => {
      const round = rounds.get(world);
      return round && aSettlement(world, round, address);
    },
    settler(true),
  ),
  operation(wire.MsgDisputeEpoch, 20, (world, { address }) => aDispute(world, address)),
  operation(wire.MsgRequestEpochPiece, 8, (world, { address }) => aRequest(world, address)),
  operation(wire.MsgServeEpochPiece, 12, (world, { address }) => anAnswer(world, address)),
  operation(wire.MsgClaimEntitlement, 120, (world, { address }) => aClaim(world, address)),
];
