/** Claims before they are paid: proved or optimistic, true or false, and who contradicts them. */
import { provenanceClaim } from '../../../attest/claim.ts';
import { proveShard } from '../../../attest/prove/prove.ts';
import { rankRange } from '../../../attest/query/search.ts';
import { omissionOf } from '../../../attest/watch/judge-omission.ts';
import { concatBytes, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { openAnswer } from '../../../modules/attribution/verify.ts';
import { tokenise } from '../../../modules/attribution/proof/tokenise.ts';
import { rulesUnder, sentenceEndAfter } from '../../../modules/attribution/proof/trace/rules.ts';
import { tokenText } from '../../../modules/attribution/proof/trace/spans.ts';
import { Claim, ClaimState, ObjectState } from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as query from '../../../proto/gen/openledger/attribution/v1/query.ts';
import * as wire from '../../../proto/gen/openledger/attribution/v1/tx.ts';
import { MsgPayInference } from '../../../proto/gen/openledger/payments/v1/tx.ts';
import type { Actor } from '../actors.ts';
import {
  actorAt,
  anyone,
  BOND_DENOM,
  coin,
  type Operation,
  operation,
  packed,
  type World,
} from '../world.ts';
import { asked, contributionsOf, shardAt } from './attribution.ts';
import { documentOf } from './native.ts';
import { realShard, type RealShard } from './real-shards.ts';

/** An active index of one shard that was made in earnest. */
interface RealIndex {
  readonly id: bigint;
  readonly snapshotId: bigint;
  readonly shardId: bigint;
  readonly shard: RealShard;
  readonly titles: readonly string[];
}

function realIndexes(world: World): readonly RealIndex[] {
  const types = { request: query.QueryIndexRequest, response: query.QueryIndexResponse };
  return world.memory.indexes.flatMap(({ id, snapshotId, shardIds }): readonly RealIndex[] => {
    const [shardId] = shardIds;
    if (shardIds.length !== 1 || shardId === undefined) return [];
    const found = asked(world, '/openledger.attribution.v1.Query/Index', types, { indexId: id });
    if (found?.index.state !== ObjectState.OBJECT_STATE_ACTIVE) return [];
    const shard = shardIn(world, shardId);
    return shard === undefined ? [] : [{ id, snapshotId, shardId, ...shard }];
  });
}

function shardIn(world: World, shardId: bigint): Pick<RealIndex, 'shard' | 'titles'> | undefined {
  const commitment = shardAt(world, shardId)?.shard.commitment;
  if (commitment === undefined) return undefined;
  const { datanetId, documents, tokens } = commitment;
  const contributions = contributionsOf(world, datanetId).slice(0, documents);
  const shard = realShard(contributions, datanetId);
  if (shard?.right.tokens !== tokens) return undefined;
  return { shard, titles: contributions.map(({ title }) => title) };
}

/** A passage of one of the documents, by tokens, in one sentence. */
function aPassage({ random }: World, { titles }: RealIndex): Uint8Array {
  const { content } = documentOf(random.pick(titles));
  const { tokens, offsets } = tokenText(tokenise(content));
  const first = random.below(tokens.length - 40);
  const most = first + random.between(12, 30);
  // Of a sentence that is nearly over, the next one.
  const end = sentenceEndAfter(tokens, first);
  const from = end < first + PASSAGE_TOKENS_MIN ? end : first;
  const to = Math.min(most, sentenceEndAfter(tokens, from));
  return content.slice(offsets[from] ?? 0, offsets[to] ?? 0);
}

/** Enough for the fewest bytes that a span has. */
const PASSAGE_TOKENS_MIN = 10;

/** True, or with one occurrence less than there are, or ranks that are not those of the passage. */
function falsified(world: World, claim: Claim): Claim {
  const { token } = claim;
  if (token === undefined || world.random.oneIn(4)) return claim;
  const spans = token.spans.map((span, at) => ({
    ...span,
    hits: span.hits.map((hit) => {
      if (at > 0) return hit;
      if (hit.contributionIds.length > 1) return { ...hit, contributionIds: hit.contributionIds.slice(1) };
      return { ...hit, firstRank: Math.max(0, hit.firstRank - 1) };
    }),
  }));
  return { ...claim, token: { ...token, spans } };
}

function aSubmission(world: World, claimant: Actor): wire.MsgSubmitClaim | undefined {
  const { random, memory } = world;
  const index = random.some(realIndexes(world));
  if (index === undefined) return undefined;
  const model = random.some(
    memory.models.filter(
      ({ message }) =>
        message.attributionPolicy !== undefined && message.snapshotIds.includes(index.snapshotId),
    ),
  );
  if (model === undefined) return undefined;
  const passages = [aPassage(world, index), aPassage(world, index)];
  const answer = concatBytes(...passages);
  let at = 0;
  const spans = passages.map((text) => {
    at += text.length;
    return { answerOffset: BigInt(at - text.length), text, answerProof: undefined };
  });
  const proved = random.oneIn(3);
  const shards = [{ id: index.shardId, reader: index.shard.right }];
  const token = provenanceClaim({ indexIds: [index.id], shards, spans, proved });
  const { snapshotId } = index;
  const [contributionId = 1n] = token.spans[0]?.hits[0]?.contributionIds ?? [];
  const items = [{ contributionId, firstChunk: 0, chunks: 1, weight: 5 }];
  const requestHash = sha256(utf8(`request ${random.below(100_000)}`));
  const byOwner = claimant.address === model.message.owner;
  const retrieval =
    byOwner && (model.message.attributionPolicy?.retrievalBps ?? 0) > 0
      ? { snapshotId, queryHash: requestHash, items }
      : undefined;
  const claim = { ...Claim.create({ token }), retrieval };
  return {
    claimant: claimant.address,
    modelId: model.id,
    answer: openAnswer(answer),
    claim: proved ? claim : falsified(world, claim),
    bond: proved ? undefined : coin(BigInt(random.between(random.oneIn(8) ? 1 : 500, 600))),
    payer: anyone(world).address,
    requestHash,
  };
}

const PARAMS = '/openledger.attribution.v1.Query/Params';
const PARAMS_TYPES = { request: query.QueryParamsRequest, response: query.QueryParamsResponse };

/** The truth about a span of an optimistic claim, whether that contradicts the claim or not. */
function aDispute(world: World, challenger: Actor): wire.MsgDisputeClaim | undefined {
  const { random, memory } = world;
  const optimistic = memory.claims.filter(
    ({ message: { bond, claim } }) => bond !== undefined && claim.token,
  );
  const types = { request: query.QueryClaimRequest, response: query.QueryClaimResponse };
  const pending = optimistic.filter(
    ({ id }) =>
      asked(world, '/openledger.attribution.v1.Query/Claim', types, { claimId: id })?.claim.state ===
      ClaimState.CLAIM_STATE_PENDING,
  );
  const chosen = random.some(random.oneIn(4) ? optimistic : pending);
  const claim = chosen?.message.claim;
  const [span] = claim?.token?.spans ?? [];
  const shardId = span?.hits[0]?.shardId;
  if (chosen === undefined || claim === undefined || span === undefined || shardId === undefined)
    return undefined;
  const real = shardIn(world, shardId);
  if (real === undefined) return undefined;
  const about = { challenger: challenger.address, claimId: chosen.id, claim };
  if (random.oneIn(2)) {
    const { spans } = claim.token ?? { spans: [] };
    const { params } = asked(world, PARAMS, PARAMS_TYPES, {}) ?? { params: undefined };
    const answer = chosen.message.answer.content;
    const shards = [{ id: shardId, reader: real.shard.right }];
    if (params === undefined) return undefined;
    const omission = omissionOf({ token: { spans }, answer, rules: rulesUnder(params), shards })?.dispute;
    if (omission !== undefined) return wire.MsgDisputeClaim.create({ ...about, omission });
  }
  const tokens = tokenise(span.text);
  const { lo, hi } = rankRange(real.shard.right, tokens);
  const statement = { kind: 'count', start: 0, length: tokens.length, lo, hi } as const;
  const proof = proveShard(real.shard.right, { query: tokens, statements: [statement], documents: false });
  return wire.MsgDisputeClaim.create({ ...about, provenance: { span: 0, shardId, proof } });
}

/** A payment by a claim that was submitted: mostly as the claim wants it. */
function aPayment(world: World, by: World['memory']['claims'][number]): MsgPayInference {
  const { random, memory } = world;
  const { answer, modelId, payer, requestHash } = by.message;
  const model = memory.models.find(({ id }) => id === modelId);
  return MsgPayInference.create({
    ...{ payer: random.oneIn(8) ? anyone(world).address : payer, modelId, answer, claimId: by.id },
    requestHash: random.oneIn(8) ? sha256(utf8('another request')) : requestHash,
    tokensIn: BigInt(random.between(0, 3000)),
    tokensOut: BigInt(random.between(0, 3000)),
    claim: Claim.create(),
    maxFee: coin(100_000n, model?.message.price.denom ?? BOND_DENOM),
  });
}

/** See the file comment. */
export const claimOperations: readonly Operation[] = [
  {
    name: wire.MsgSubmitClaim.name,
    weight: 160,
    draft(world) {
      const owners = world.memory.models.map(({ message }) => message.owner);
      const owner = world.random.oneIn(2) ? world.random.some(owners) : undefined;
      const claimant = (owner === undefined ? undefined : actorAt(world, owner)) ?? anyone(world);
      const value = aSubmission(world, claimant);
      if (value === undefined) return undefined;
      return { signers: [claimant], messages: [packed(wire.MsgSubmitClaim, value)] };
    },
  },
  operation(wire.MsgDisputeClaim, 220, aDispute),
  {
    name: MsgPayInference.name,
    weight: 7,
    draft(world) {
      const claim = world.random.some(world.memory.claims);
      const value = claim === undefined ? undefined : aPayment(world, claim);
      const payer = value === undefined ? undefined : actorAt(world, value.payer);
      if (value === undefined || payer === undefined) return undefined;
      return { signers: [payer], messages: [packed(MsgPayInference, value)] };
    },
  },
];
