/** Requests for pieces of model cards and of claims of influence, and their answers. */
import { openPiece, type ServedTrees } from '../../../attest/influence/open-piece.ts';
import { INFLUENCE_TREES } from '../../../modules/attribution/proof/influence/trees.ts';
import {
  type ChunkPlace,
  type ChunkRequest,
  ClaimState,
} from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as query from '../../../proto/gen/openledger/attribution/v1/query.ts';
import * as wire from '../../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Actor } from '../actors.ts';
import { coin, type Operation, operation, type World } from '../world.ts';
import { asked, openRequests } from './attribution.ts';
import { cardsOf, trained } from './cards.ts';

const { weights, examples, residuals, sums, coordinates, groups, solution, effects } = INFLUENCE_TREES;
const CARD_TREES = [weights, examples, residuals, sums, coordinates, groups];
const CLAIM_TREES = [solution, effects, sums, coordinates];

function aPlace({ random }: World, trees: readonly number[]): ChunkPlace {
  const tree = random.pick(trees);
  return { tree, document: tree === coordinates ? random.below(2) : 0, chunk: random.below(2) };
}

function aBond({ random }: World) {
  return coin(BigInt(random.between(random.oneIn(6) ? 1 : 1000, 5000)));
}

/** Asks about a card. */
function aCardRequest(world: World, { address: requester }: Actor): wire.MsgRequestChunk | undefined {
  const model = world.random.some(world.memory.models.filter(({ id }) => cardsOf(world, id).length > 0));
  const card = model === undefined ? undefined : world.random.some(cardsOf(world, model.id))?.card;
  if (card === undefined) return undefined;
  const asking = { requester, cardId: card.id, place: aPlace(world, CARD_TREES), bond: aBond(world) };
  return wire.MsgRequestChunk.create(asking);
}

/** Asks about a claim that somebody submitted with a bond. */
function aClaimRequest(world: World, { address: requester }: Actor): wire.MsgRequestChunk | undefined {
  const types = { request: query.QueryClaimRequest, response: query.QueryClaimResponse };
  const stateOf = (claimId: bigint): ClaimState | undefined =>
    asked(world, '/openledger.attribution.v1.Query/Claim', types, { claimId })?.claim.state;
  const pending = world.memory.claims.filter(
    ({ id, message }) =>
      message.claim.influence !== undefined && stateOf(id) === ClaimState.CLAIM_STATE_PENDING,
  );
  const chosen = world.random.some(pending);
  if (chosen === undefined) return undefined;
  const { id: claimId, message } = chosen;
  const place = aPlace(world, CLAIM_TREES);
  return wire.MsgRequestChunk.create({
    requester,
    claimId,
    claim: message.claim,
    place,
    bond: aBond(world),
  });
}

function servedFor(world: World, { cardId, claimId }: ChunkRequest): ServedTrees | undefined {
  const claim = world.memory.claims.find(({ id }) => id === claimId)?.message.claim;
  const onCard = cardId > 0n ? cardId : claim?.influence?.cardId;
  const model = world.memory.models.find(({ id }) =>
    cardsOf(world, id).some(({ card }) => card.id === onCard),
  );
  const head = model === undefined ? undefined : trained(world, model)?.head;
  return cardId > 0n ? head?.card : head?.claim;
}

/** Answers a request about a card or a claim. */
function aPiece(world: World, { address: server }: Actor): wire.MsgServeChunk | undefined {
  const request = world.random.some(openRequests(world).filter(({ shardId }) => shardId === 0n));
  const served = request === undefined ? undefined : servedFor(world, request);
  if (request === undefined || served === undefined) return undefined;
  return { server, requestId: request.id, ...openPiece(served, request.place) };
}

/** See the file comment. */
export const influenceRequestOperations: readonly Operation[] = [
  operation(wire.MsgRequestChunk, 6, aCardRequest),
  operation(wire.MsgRequestChunk, 6, aClaimRequest),
  operation(wire.MsgServeChunk, 14, aPiece),
];
