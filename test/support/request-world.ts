/** Requests about shards, model cards and claims on a chain that has a model of influence. */
import { expect } from 'vitest';
import type { ShardPiece } from '../../attest/serve/answer-ports.ts';
import { pieceAt } from '../../attest/serve/shard-pieces.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { WireCoin } from '../../framework/coins.ts';
import { attributionErrors, type AttributionErrorName } from '../../modules/attribution/errors.ts';
import { type InfluenceCard, encodeCard } from '../../modules/attribution/proof/influence/card.ts';
import { encodeClaim, type InfluenceClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { openAnswer } from '../../modules/attribution/verify.ts';
import {
  type Answer,
  type ChunkPlace,
  Claim,
  type ObjectState,
  type Params,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as query from '../../proto/gen/openledger/attribution/v1/query.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { type AttributionLoop, ask, attributionLoop, responseOf, shardOf } from './attribution-world.ts';
import { deliver, deliverOk, registerModel } from './economic-loop.ts';
import { type SmallHead, smallHead } from './head-world.ts';
import { restoreChain } from './restore.ts';
import { anyOf, type TestAccount } from './test-chain.ts';

/** What a transaction costs, in uopen. */
export const FEE = 5000n;
const ANSWER: Answer = openAnswer(utf8('class 1'));
const REQUEST_HASH: Uint8Array = sha256(utf8('request'));
/** A trained head of two contributions, and a claim by it. */
export const head: SmallHead = smallHead({ datanetId: 1n, snapshotCount: 2n, contributionIds: [1n, 2n] });
/** A root that nobody has the leaves of. */
export const NOTHING: Uint8Array = sha256(utf8('nothing'));
/** A claim that commits to nothing that anybody has. */
export const EMPTY_CLAIM: InfluenceClaim = {
  ...head.claim.claim,
  roots: { solution: NOTHING, effects: NOTHING, sums: NOTHING },
};

/** The chain of the test that runs. */
export let loop: AttributionLoop;

/** Starts a chain with a model of influence, number 2. */
export function begin(params: Partial<Params> = {}): void {
  loop = attributionLoop(params);
  const attributionPolicy = { tokenBps: 0, influenceBps: 10_000, retrievalBps: 0, bondedClaimsOnly: false };
  const attributionMethod = AttributionMethod.ATTRIBUTION_METHOD_POLICY;
  deliverOk(loop.chain, loop.seller, registerModel(loop.seller, { attributionMethod, attributionPolicy }));
}

/** Windows for tests of many messages, each of which takes a block. */
export const LONG: Partial<Params> & Pick<Params, 'challengeBlocks'> = {
  requestBlocks: 20,
  challengeBlocks: 25,
  claimBlocks: 40,
  unbondingBlocks: 70,
};

/** In uopen. */
export const coin = (amount: number): WireCoin => ({ denom: 'uopen', amount: amount.toString() });
/** A section of the content of a document. */
export const sectionAt = (chunk: number, document = 0): ChunkPlace => ({ tree: 0, document, chunk });
/** A leaf of a tree. */
export const leafAt = (tree: number, chunk = 0, document = 0): ChunkPlace => ({ tree, document, chunk });

/** What a request says beside its sender. */
export type Asking = Partial<wire.MsgRequestChunk> & { readonly place: ChunkPlace };

/** A request. */
export function asking(requester: TestAccount, change: Asking): Any {
  return anyOf(
    wire.MsgRequestChunk,
    wire.MsgRequestChunk.create({ requester: requester.address, bond: coin(100), ...change }),
  );
}

/** Sends a request that is taken. */
export function askOk(requester: TestAccount, change: Asking): wire.MsgRequestChunkResponse {
  return responseOf(
    wire.MsgRequestChunkResponse,
    deliverOk(loop.chain, requester, asking(requester, change)),
  );
}

/** An answer. */
export function serving(server: TestAccount, requestId: bigint, piece: Partial<wire.MsgServeChunk>): Any {
  return anyOf(
    wire.MsgServeChunk,
    wire.MsgServeChunk.create({ server: server.address, requestId, ...piece }),
  );
}

/** Sends a message that attribution refuses; its log. */
export function expectRefused(signer: TestAccount, message: Any, name: AttributionErrorName): string {
  const { codespace, code, log } = deliver(loop.chain, signer, message);
  expect([codespace, code], log).toEqual(['attribution', attributionErrors[name].code]);
  return log;
}

/** No invariant is broken, also after an export. */
export function expectWhole(): void {
  expect(loop.chain.app.brokenInvariants()).toEqual([]);
  expect(restoreChain(loop.chain).brokenInvariants()).toEqual([]);
}

/** A piece of the honest shard and its way to the root. */
export function pieceOf(place: ChunkPlace): ShardPiece {
  return pieceAt(shardOf(loop), place);
}

/** Publishes a card of model 2; its id. */
export function publishCard(card: InfluenceCard): bigint {
  const { seller } = loop;
  const message = { publisher: seller.address, modelId: 2n, card: encodeCard(card), bond: coin(1000) };
  const published = anyOf(wire.MsgPublishModelCard, { ...message, endpoint: 'http://127.0.0.1:8790' });
  return responseOf(wire.MsgPublishModelCardResponse, deliverOk(loop.chain, seller, published)).cardId;
}

/** A claim with a bond, by the attestor. */
export function submitting(claim: Claim): Any {
  const { address: claimant } = loop.attestor;
  return anyOf(wire.MsgSubmitClaim, {
    ...{ claimant, modelId: 2n, answer: ANSWER, claim, bond: coin(200) },
    ...{ payer: loop.payer.address, requestHash: REQUEST_HASH },
  });
}

/** Submits a claim with a bond; its id. */
export function submit(claim: Claim): bigint {
  const sent = deliverOk(loop.chain, loop.attestor, submitting(claim));
  return responseOf(wire.MsgSubmitClaimResponse, sent).claimId;
}

/** A claim of influence on a card. */
export function influenceClaim(cardId: bigint, claim: InfluenceClaim = head.claim.claim): Claim {
  return Claim.create({ influence: { cardId, statement: encodeClaim(claim) } });
}

/** Pays by a claim. */
export function pay(claimId: bigint): void {
  const { payer, chain } = loop;
  const message = MsgPayInference.create({
    ...{ payer: payer.address, modelId: 2n, requestHash: REQUEST_HASH, tokensIn: 20n, tokensOut: 77n },
    ...{ answer: ANSWER, maxFee: coin(100_000), claimId },
  });
  deliverOk(chain, payer, anyOf(MsgPayInference, message));
}

/** Where a card stands. */
export function standingOfCard(cardId: bigint): ObjectState {
  const types = { request: query.QueryModelCardRequest, response: query.QueryModelCardResponse };
  return ask(loop, 'ModelCard', types, { cardId }).card.state;
}

/** A claim as the chain has it. */
export function claimOf(claimId: bigint): query.QueryClaimResponse['claim'] {
  const types = { request: query.QueryClaimRequest, response: query.QueryClaimResponse };
  return ask(loop, 'Claim', types, { claimId }).claim;
}

/** Makes blocks up to a height. */
export function blocksTo(height: bigint): void {
  while (loop.chain.height < height) loop.chain.block();
}
