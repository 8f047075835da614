import { openRun } from '../../../attest/prove/open-run.ts';
import { equalBytes, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { SHARD_TREES, type ShardTree } from '../../../modules/attribution/proof/kinds.ts';
import { openSection, sectionCount } from '../../../modules/attribution/verify.ts';
import type { MessageType } from '../../../proto/codec/message.ts';
import {
  type ChunkRequest,
  ShardCommitment,
} from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as query from '../../../proto/gen/openledger/attribution/v1/query.ts';
import * as wire from '../../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Contribution } from '../../../proto/gen/openledger/datanet/v1/datanet.ts';
import * as datanet from '../../../proto/gen/openledger/datanet/v1/query.ts';
import type { Actor } from '../actors.ts';
import { actorAt, anyone, coin, type Operation, operation, packed, type World } from '../world.ts';
import { documentOf } from './native.ts';
import { realShard } from './real-shards.ts';

/** Most contributions of a Datanet that an operation looks at. */
const LOOKED_AT_MAX = 1000n;

/** Asks a query of the last committed state; undefined when it is refused. */
export function asked<Q, A>(
  { composition, context }: World,
  path: string,
  types: { readonly request: MessageType<Q>; readonly response: MessageType<A> },
  request: Partial<Q>,
): A | undefined {
  const route = composition.modules.flatMap(({ queries }) => queries).find((one) => one.path === path);
  try {
    const bytes = route?.answer(context, types.request.encode(types.request.create(request)));
    return bytes === undefined ? undefined : types.response.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The contributions of a Datanet by position: every one was accepted when it came. */
export function contributionsOf(world: World, datanetId: bigint): readonly Contribution[] {
  const types = {
    request: datanet.QueryContributionsByDatanetRequest,
    response: datanet.QueryContributionsByDatanetResponse,
  };
  const pagination = {
    key: new Uint8Array(0),
    offset: 0n,
    limit: LOOKED_AT_MAX,
    countTotal: false,
    reverse: false,
  };
  const path = '/openledger.datanet.v1.Query/ContributionsByDatanet';
  return asked(world, path, types, { datanetId, pagination })?.contributions ?? [];
}

/** Requests that wait for an answer. */
export function openRequests(world: World): readonly ChunkRequest[] {
  const types = { request: query.QueryRequestsRequest, response: query.QueryRequestsResponse };
  return asked(world, '/openledger.attribution.v1.Query/Requests', types, {})?.requests ?? [];
}

export function shardAt(world: World, shardId: bigint): query.ShardStatus | undefined {
  const types = { request: query.QueryShardRequest, response: query.QueryShardResponse };
  return asked(world, '/openledger.attribution.v1.Query/Shard', types, { shardId })?.shard;
}

/** Roots of nothing: nobody has looked yet. */
function madeUp(world: World, range: Pick<ShardCommitment, 'datanetId' | 'firstPosition' | 'documents'>) {
  const root = (name: string): Uint8Array => sha256(utf8(`${name} ${world.random.below(1000)}`));
  const salted = world.random.oneIn(8);
  return ShardCommitment.create({
    ...range,
    tokens: 64 * range.documents,
    tokeniser: 1,
    entriesPerLeaf: 1,
    salted,
    saltCommitment: salted ? root('salts') : new Uint8Array(0),
    textRoot: root('text'),
    suffixRoot: root('suffix'),
    inverseRoot: root('inverse'),
    documentRoot: root('documents'),
  });
}

/** Shards in two parts, or those of an index that the publisher has. */
function anIndex(world: World, publisher: Actor): wire.MsgPublishIndex | undefined {
  const { random, memory } = world;
  const known = random.some(memory.indexes.filter((index) => index.publisher === publisher.address));
  const bond = coin(BigInt(random.between(random.oneIn(6) ? 1 : 5000, 6000)));
  const endpoint = 'http://attestor.example';
  if (known !== undefined && random.oneIn(2)) {
    const shards = known.shardIds.map((shardId) => ({ shardId, commitment: undefined }));
    return { publisher: publisher.address, snapshotId: known.snapshotId, shards, bond, endpoint };
  }
  const snapshot = random.some(memory.snapshots);
  if (snapshot === undefined) return undefined;
  const { id: snapshotId, datanetId } = snapshot;
  const types = { request: datanet.QuerySnapshotRequest, response: datanet.QuerySnapshotResponse };
  const found = asked(world, '/openledger.datanet.v1.Query/Snapshot', types, { snapshotId });
  const count = Number(found?.snapshot.count ?? 0n);
  if (count === 0) return undefined;
  const cut = random.below(count);
  const parts = [
    { datanetId, firstPosition: 0n, documents: cut },
    { datanetId, firstPosition: BigInt(cut), documents: count - cut },
  ].filter(({ documents }) => documents > 0);
  const real = realShard(contributionsOf(world, datanetId).slice(0, count), datanetId);
  const shards =
    real === undefined
      ? parts.map((part) => ({ shardId: 0n, commitment: madeUp(world, part) }))
      : [{ shardId: 0n, commitment: (random.oneIn(3) ? real.wrong : real.right).commitment }];
  return { publisher: publisher.address, snapshotId, shards, bond, endpoint };
}

function aRequest(world: World, requester: Actor): wire.MsgRequestChunk | undefined {
  const { random, memory } = world;
  const shardId = random.some(random.some(memory.indexes)?.shardIds ?? []);
  const commitment = shardId === undefined ? undefined : shardAt(world, shardId)?.shard.commitment;
  if (shardId === undefined || commitment === undefined) return undefined;
  const tree = random.oneIn(3) ? random.between(1, 4) : 0;
  const document = tree === 0 ? random.below(commitment.documents) : 0;
  const position = Number(commitment.firstPosition) + document;
  const content = contributionsOf(world, commitment.datanetId)[position];
  const sections = sectionCount(Number(content?.byteLength ?? 256n));
  const place = { tree, document, chunk: random.below(random.oneIn(10) ? 100 : Math.max(1, sections)) };
  const bond = coin(BigInt(random.between(random.oneIn(4) ? 1 : 500, 2000)));
  return wire.MsgRequestChunk.create({ requester: requester.address, shardId, place, bond });
}

/** Answers an open request for a content. */
function anAnswer(world: World, server: Actor): wire.MsgServeChunk | undefined {
  const { random } = world;
  const ofContents = openRequests(world).filter(({ place, shardId }) => shardId > 0n && place.tree === 0);
  const request = random.some(ofContents);
  const commitment = request === undefined ? undefined : shardAt(world, request.shardId)?.shard.commitment;
  if (request === undefined || commitment === undefined) return undefined;
  const { document, chunk } = request.place;
  const position = Number(commitment.firstPosition) + document;
  const title = contributionsOf(world, commitment.datanetId)[position]?.title;
  if (title === undefined) return undefined;
  const piece = openSection(documentOf(title).content, chunk);
  return wire.MsgServeChunk.create({ server: server.address, requestId: request.id, ...piece });
}

/** Answers an open request for leaves of a small shard, whose trees are known. */
function aRun(world: World, server: Actor): wire.MsgServeChunk | undefined {
  const known = openRequests(world).flatMap((request) => {
    const { shardId, place } = request;
    const commitment = shardId === 0n ? undefined : shardAt(world, shardId)?.shard.commitment;
    const tree = (Object.keys(SHARD_TREES) as ShardTree[]).find((name) => SHARD_TREES[name] === place.tree);
    if (commitment === undefined || tree === undefined) return [];
    const contributions = contributionsOf(world, commitment.datanetId).slice(0, commitment.documents);
    const real = realShard(contributions, commitment.datanetId);
    const shard = [real?.right, real?.wrong].find(
      (one) => one !== undefined && equalBytes(one.commitment.inverseRoot, commitment.inverseRoot),
    );
    return shard === undefined ? [] : [{ request, tree, shard }];
  });
  const chosen = world.random.some(known);
  if (chosen === undefined) return undefined;
  const { request, tree, shard } = chosen;
  const run = openRun(shard, tree, request.place.chunk);
  return wire.MsgServeChunk.create({ server: server.address, requestId: request.id, ...run });
}

/** A fraud proof of a shard that is wrong, mostly; else of one that is not, or of nothing. */
function aConviction(world: World, challenger: Actor): wire.MsgConvictShard | undefined {
  const { random, memory } = world;
  const known = memory.indexes.flatMap(({ shardIds }) => shardIds);
  const cases = known.flatMap((shardId) => {
    const status = shardAt(world, shardId);
    if (status === undefined) return [];
    const { commitment, voidedHeight } = status.shard;
    const contributions = contributionsOf(world, commitment.datanetId).slice(0, commitment.documents);
    const real = realShard(contributions, commitment.datanetId);
    if (real === undefined) return [];
    const isWrong =
      voidedHeight === 0n && equalBytes(commitment.inverseRoot, real.wrong.commitment.inverseRoot);
    return [{ shardId, proof: real.fraud, isWrong }];
  });
  const chosen = random.some(random.oneIn(4) ? cases : cases.filter(({ isWrong }) => isWrong));
  if (chosen === undefined) return undefined;
  const proof = random.oneIn(8) ? sha256(utf8(`proof ${random.below(1000)}`)) : chosen.proof;
  return { challenger: challenger.address, shardId: chosen.shardId, proof };
}

/** Indexes of what was contributed, and who doubts them. */
export const attributionOperations: readonly Operation[] = [
  operation(wire.MsgPublishIndex, 10, anIndex),
  {
    name: wire.MsgRetireIndex.name,
    weight: 3,
    draft(world) {
      const index = world.random.some(world.memory.indexes);
      if (index === undefined) return undefined;
      const sender = world.random.oneIn(5) ? anyone(world) : actorAt(world, index.publisher);
      if (sender === undefined) return undefined;
      const value = { sender: sender.address, indexId: index.id };
      return { signers: [sender], messages: [packed(wire.MsgRetireIndex, value)] };
    },
  },
  operation(wire.MsgConvictShard, 6, aConviction),
  operation(wire.MsgRequestChunk, 10, aRequest),
  operation(wire.MsgServeChunk, 30, anAnswer),
  operation(wire.MsgServeChunk, 10, aRun),
];
