/** Messages of attribution: indexes, requests for pieces, claims, model cards. */
import { commitLeaves, leavesOfArrays, shardInMemory } from '../../../attest/prove/memory.ts';
import { convict } from '../../../attest/prove/convict.ts';
import type { ProvableShard } from '../../../attest/prove/prove.ts';
import type { ShardArrays } from '../../../attest/shard.ts';
import { naiveShard } from '../../../attest/testing/naive-shard.ts';
import { concatBytes, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { DEFAULT_PARAMS } from '../../../modules/attribution/params.ts';
import { encodeCard } from '../../../modules/attribution/proof/influence/card.ts';
import { encodeFraud } from '../../../modules/attribution/proof/shard/fraud-format.ts';
import { openAnswer, openSection } from '../../../modules/attribution/verify.ts';
import { Claim, type ShardCommitment } from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as wire from '../../../proto/gen/openledger/attribution/v1/tx.ts';
import { AttributionMethod, type AttributionPolicy } from '../../../proto/gen/openledger/models/v1/models.ts';
import { MsgRegisterModelResponse } from '../../../proto/gen/openledger/models/v1/tx.ts';
import { registerModel } from '../../support/economic-loop.ts';
import { cardFraud, smallHead, wrongCard } from '../../support/head-world.ts';
import type { TestAccount } from '../../support/test-chain.ts';
import { anyWith, coin, type MessageCases } from './case.ts';
import { published, type Stocked } from './native-cases.ts';
import type { MessageWorld } from './world.ts';

type Published = ReturnType<typeof published>;

const bond = (amount: bigint) => coin(Number(amount));

/** The arrays of a Datanet's one document. */
function arraysOf(world: MessageWorld, { contributionId, contributor, document }: Stocked): ShardArrays {
  const { root, byteLength } = document.commitment;
  const address = world.composition.addresses.toBytes(contributor.address);
  return naiveShard([{ contributionId, contributor: address, root, byteLength, content: document.content }]);
}

function publication(publisher: TestAccount, made: Published, commitment: ShardCommitment) {
  return anyWith(wire.MsgPublishIndex, {
    publisher: publisher.address,
    snapshotId: made.snapshotId,
    shards: [{ shardId: 0n, commitment }],
    bond: bond(DEFAULT_PARAMS.shardBond),
    endpoint: 'http://127.0.0.1:8790',
  });
}

/** A snapshot with its index. */
function indexed(world: MessageWorld, change: (arrays: ShardArrays, datanetId: bigint) => ProvableShard) {
  const made = published(world);
  const arrays = arraysOf(world, made);
  const shard = change(arrays, made.datanetId);
  const publisher = world.takeAccount().account;
  const { response } = world.run(publication(publisher, made, shard.commitment));
  const { indexId, shardIds } = wire.MsgPublishIndexResponse.decode(response);
  return { ...made, arrays, shard, publisher, indexId, shardId: shardIds[0] ?? 0n };
}

const honest = (arrays: ShardArrays, datanetId: bigint): ProvableShard =>
  shardInMemory(arrays, { datanetId });

/** Two ranks of the inverse array exchanged. */
function wrong(arrays: ShardArrays, datanetId: bigint): ProvableShard {
  const leaves = leavesOfArrays(arrays, { datanetId });
  const [first = new Uint8Array(0), ...others] = leaves.inverse;
  const swapped = concatBytes(first.slice(0, 1), first.slice(5, 9), first.slice(1, 5), first.slice(9));
  return commitLeaves({ ...leaves, inverse: [swapped, ...others] }, arrays, { datanetId });
}

function requestOf(requester: TestAccount, shardId: bigint) {
  const place = { tree: 0, document: 0, chunk: 0 };
  const stake = bond(DEFAULT_PARAMS.requestBond);
  return anyWith(wire.MsgRequestChunk, { requester: requester.address, shardId, place, bond: stake });
}

/** A model of a snapshot that pays by this policy. */
function policyModel(world: MessageWorld, { snapshotId }: Published, attributionPolicy: AttributionPolicy) {
  const seller = world.takeAccount().account;
  const attributionMethod = AttributionMethod.ATTRIBUTION_METHOD_POLICY;
  const model = registerModel(seller, { snapshotIds: [snapshotId], attributionMethod, attributionPolicy });
  const { modelId } = MsgRegisterModelResponse.decode(world.run(model).response);
  return { seller, modelId };
}

/** A model with a card of a head over its one contribution, right or wrong. */
function carded(world: MessageWorld, isRight: boolean) {
  const made = published(world);
  const ids = [made.contributionId];
  const { card } = smallHead({ datanetId: made.datanetId, snapshotCount: 1n, contributionIds: ids });
  const policy = { tokenBps: 0, influenceBps: 10_000, retrievalBps: 0, bondedClaimsOnly: false };
  const { seller, modelId } = policyModel(world, made, policy);
  const served = isRight ? card : wrongCard(card);
  const message = anyWith(wire.MsgPublishModelCard, {
    publisher: seller.address,
    modelId,
    card: encodeCard(served.card),
    bond: bond(DEFAULT_PARAMS.cardBond),
    endpoint: 'http://127.0.0.1:8790',
  });
  return { seller, message, proof: () => cardFraud(served, ids) ?? new Uint8Array(0) };
}

function publishedCard(world: MessageWorld, isRight: boolean) {
  const made = carded(world, isRight);
  const { cardId } = wire.MsgPublishModelCardResponse.decode(world.run(made.message).response);
  return { ...made, cardId };
}

const INDEX_CASES: MessageCases = {
  [wire.MsgPublishIndex.typeUrl]: {
    make: (world) => {
      const made = published(world);
      const { commitment } = honest(arraysOf(world, made), made.datanetId);
      return publication(world.takeAccount().account, made, commitment);
    },
  },
  [wire.MsgRetireIndex.typeUrl]: {
    make: (world) => {
      const { publisher, indexId } = indexed(world, honest);
      return anyWith(wire.MsgRetireIndex, { sender: publisher.address, indexId });
    },
  },
  [wire.MsgConvictShard.typeUrl]: {
    make: (world) => {
      const { arrays, shard: accused, shardId, document } = indexed(world, wrong);
      const fraud = convict({ honest: arrays, accused, content: () => document.content });
      const proof = fraud === undefined ? new Uint8Array(0) : encodeFraud(fraud);
      return anyWith(wire.MsgConvictShard, {
        challenger: world.takeAccount().account.address,
        shardId,
        proof,
      });
    },
  },
  [wire.MsgRequestChunk.typeUrl]: {
    make: (world) => requestOf(world.takeAccount().account, indexed(world, honest).shardId),
  },
  [wire.MsgServeChunk.typeUrl]: {
    make: (world) => {
      const { publisher, shardId, document } = indexed(world, honest);
      const { response } = world.run(requestOf(world.takeAccount().account, shardId));
      const { requestId } = wire.MsgRequestChunkResponse.decode(response);
      const piece = openSection(document.content, 0);
      return anyWith(wire.MsgServeChunk, { server: publisher.address, requestId, ...piece });
    },
  },
};

const CLAIM_CASES: MessageCases = {
  // What was retrieved: claims by an index or a card wait until these have stood a window.
  [wire.MsgSubmitClaim.typeUrl]: {
    make: (world) => {
      const made = published(world);
      const policy = { tokenBps: 0, influenceBps: 0, retrievalBps: 10_000, bondedClaimsOnly: false };
      const { seller, modelId } = policyModel(world, made, policy);
      const items = [{ contributionId: made.contributionId, firstChunk: 0, chunks: 1, weight: 1 }];
      const requestHash = sha256(utf8('query'));
      const { snapshotId } = made;
      const claim = Claim.create({ retrieval: { snapshotId, queryHash: requestHash, items } });
      const answer = openAnswer(utf8('an answer'));
      const { address: claimant } = seller;
      const { address: payer } = world.takeAccount().account;
      return anyWith(wire.MsgSubmitClaim, { claimant, modelId, answer, claim, payer, requestHash });
    },
  },
  [wire.MsgPublishModelCard.typeUrl]: { make: (world) => carded(world, true).message },
  [wire.MsgRetireModelCard.typeUrl]: {
    make: (world) => {
      const { seller, cardId } = publishedCard(world, true);
      return anyWith(wire.MsgRetireModelCard, { sender: seller.address, cardId });
    },
  },
  [wire.MsgConvictModelCard.typeUrl]: {
    make: (world) => {
      const { cardId, proof } = publishedCard(world, false);
      const challenger = world.takeAccount().account.address;
      return anyWith(wire.MsgConvictModelCard, { challenger, cardId, proof: proof() });
    },
  },
};

/** See the file comment. */
export const ATTRIBUTION_CASES: MessageCases = { ...INDEX_CASES, ...CLAIM_CASES };
